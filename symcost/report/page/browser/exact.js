// Exact arithmetic: a value is a BigInt, or {n, d} in lowest terms with d > 1. Numbers never pass through floats.
const Exact = (() => {
  const gcd = (a, b) => { a = a < 0n ? -a : a; while (b) { [a, b] = [b, a % b]; } return a; };
  const whole = (x) => typeof x === "bigint";
  const top = (x) => (whole(x) ? x : x.n), below = (x) => (whole(x) ? 1n : x.d);
  const make = (n, d) => {
    if (d === 0n) throw new Error("a division by zero");
    if (d < 0n) { n = -n; d = -d; }
    const g = gcd(n, d);
    return g === d ? n / d : { n: n / g, d: d / g };
  };
  const add = (a, b) => (whole(a) && whole(b) ? a + b : make(top(a) * below(b) + top(b) * below(a), below(a) * below(b)));
  const mul = (a, b) => (whole(a) && whole(b) ? a * b : make(top(a) * top(b), below(a) * below(b)));
  const divide = (a, b) => make(top(a) * below(b), below(a) * top(b));
  const less = (a, b) => (whole(a) && whole(b) ? a < b : top(a) * below(b) < top(b) * below(a));
  const floor = (x) => {
    if (whole(x)) return x;
    const q = x.n / x.d;
    return x.n < 0n ? q - 1n : q;
  };
  const negated = (x) => mul(-1n, x);
  const power = (x, k) => {
    if (k < 0) return divide(1n, power(x, -k));
    return whole(x) ? x ** BigInt(k) : { n: x.n ** BigInt(k), d: x.d ** BigInt(k) };
  };
  const bits = (x) => BigInt(x.toString(2).length);
  const shifted = (x, by) => (by > 0n ? x << by : x);
  const log2 = (x, up) => {
    const n = top(x), d = below(x);
    if (n <= 0n) throw new Error("a logarithm of a number that is not positive");
    let k = bits(n) - bits(d);
    if (shifted(n, -k) < shifted(d, k)) k -= 1n;
    return up && shifted(n, -k) !== shifted(d, k) ? k + 1n : k;
  };
  const oddHalves = (x, p) => {
    if (!whole(x) || x < 0n) throw new Error("digits of a number that is no integer of at least 0");
    let sum = 0n;
    for (; x > 0n; x >>= 1n) if (x % 2n) sum += x ** p;
    return sum;
  };
  const pow2 = (x) => {
    if (!whole(x) || x < 0n) throw new Error("a power of two of a number that is no integer of at least 0");
    return 1n << x;
  };
  const isqrt = (x) => {
    const n = floor(x);
    if (n < 0n) throw new Error("a root of a number below 0");
    let r = 1n << ((bits(n) + 1n) / 2n), next = (r + n / r) / 2n;
    while (next < r) { r = next; next = (r + n / r) / 2n; }
    return n === 0n ? 0n : r;
  };
  const functions = {
    "+": (xs) => xs.reduce(add), "*": (xs) => xs.reduce(mul),
    floor: ([x]) => floor(x), ceil: ([x]) => negated(floor(negated(x))),
    max: (xs) => xs.reduce((a, b) => (less(a, b) ? b : a)), min: (xs) => xs.reduce((a, b) => (less(b, a) ? b : a)),
    mod: ([a, b]) => add(a, negated(mul(b, floor(divide(a, b))))),
    clog2: ([x]) => log2(x, true), flog2: ([x]) => log2(x, false), pow2: ([x]) => pow2(x), isqrt: ([x]) => isqrt(x),
    odd_halves: ([x, p]) => oddHalves(x, p), popcount: ([x]) => oddHalves(x, 0n),
    "<": ([a, b]) => BigInt(less(a, b)), "<=": ([a, b]) => BigInt(!less(b, a)),
    "==": ([a, b]) => BigInt(text(a) === text(b)), "!=": ([a, b]) => BigInt(text(a) !== text(b)),
  };
  // A value; one that could not be worked out is an error where it is asked for, and none in a piece that does not hold.
  const known = (value) => {
    if (value instanceof Error) throw value;
    return value;
  };
  const sum = (parts) => parts.reduce(add, 0n);
  const read = (text) => {
    const [n, d] = text.split("/");
    return make(BigInt(n), BigInt(d ?? "1"));
  };
  const step = ([op, ...args], values, at) => (op === "n" ? make(BigInt(args[0]), BigInt(args[1])) : op === "s" ? at[args[0]]
    : op === "^" ? power(known(values[args[0]]), args[1]) : op === "if" ? known(values[known(values[args[0]]) ? args[1] : args[2]])
    : functions[op](args.map((j) => known(values[j]))));
  // What stands in pieces of a program, by program.
  const inPieces = new WeakMap();
  const pieces = (program) => {
    if (!inPieces.has(program)) inPieces.set(program, new Set(needed(program, program.flatMap(([op, , ...both]) => (op === "if" ? both : [])))));
    return inPieces.get(program);
  };
  // The values of a program's instructions: of all, or of those that `only` lists in order.
  const run = (program, at, only = program.keys()) => {
    const values = new Array(program.length), apart = pieces(program);
    for (const i of only) {
      try { values[i] = step(program[i], values, at); } catch (problem) {
        if (!apart.has(i)) throw problem;
        values[i] = problem;
      }
    }
    return values;
  };
  // The instructions that some of them need, in order.
  const needed = (program, ids) => {
    const found = new Set(), left = [...ids];
    while (left.length) {
      const i = left.pop();
      if (found.has(i)) continue;
      found.add(i);
      const [op, ...args] = program[i];
      if (op !== "n" && op !== "s") left.push(...(op === "^" ? args.slice(0, 1) : args));
    }
    return [...found].sort((a, b) => a - b);
  };
  const text = (x) => (whole(x) ? x.toString() : `${x.n}/${x.d}`);
  // By hand: the browser's own toLocaleString takes most of a slider's step.
  const grouped = (x) => x.toString().replace(/\B(?=(?:\d{3})+$)/g, ",");
  const shown = (x) => (whole(x) ? grouped(x) : `${grouped(x.n)}/${grouped(x.d)}`);
  // For pictures only: the nearest places on the screen.
  const number = (x) => {
    if (whole(x)) return Number(x);
    const shift = BigInt(Math.max(0, x.d.toString().length - x.n.toString().length + 20));
    return Number((x.n * 10n ** shift) / x.d) / 10 ** Number(shift);
  };
  // A count in four digits and a prefix; a small one whole.
  const SMALL = 10000n;
  const counted = (x) => (whole(x) && x < SMALL ? shown(x) : physical(x, "").trim());
  const PREFIXES = [[12, "T"], [9, "G"], [6, "M"], [3, "k"], [0, ""], [-3, "m"], [-6, "u"], [-9, "n"], [-12, "p"]];
  const physical = (x, unit) => {
    const value = number(x);
    if (value === 0) return `0 ${unit}`;
    const [exponent, prefix] = PREFIXES.find(([e]) => Math.abs(value) >= 10 ** e) ?? PREFIXES[PREFIXES.length - 1];
    return `${Number((value / 10 ** exponent).toPrecision(4))} ${prefix}${unit}`;
  };
  return { add, mul, divide, less, negated, sum, read, run, needed, text, shown, number, physical, counted };
})();
