// Where the forms hold: which conditions a point breaks, and the values of one symbol that are inside beside the others.
const Domain = (models) => {
  const RELATIONS = {
    ">=": (a, b) => !Exact.less(a, b), "<=": (a, b) => !Exact.less(b, a), "==": (a, b) => Exact.text(a) === Exact.text(b),
    "!=": (a, b) => Exact.text(a) !== Exact.text(b), ">": (a, b) => Exact.less(b, a), "<": (a, b) => Exact.less(a, b),
  };
  const LOGIC = { and: (all) => all.every(Boolean), or: (all) => all.some(Boolean), not: ([one]) => !one };
  const holds = (c, v) => (c.parts ? LOGIC[c.relation](c.parts.map((part) => holds(part, v))) : RELATIONS[c.relation](v[c.left], v[c.right]));
  const sides = (c) => (c.parts ? c.parts.flatMap(sides) : [c.left, c.right]);
  const conditions = models.flatMap(({ program, conditions: each }) => each.map((condition) => {
    const only = Exact.needed(program, sides(condition));
    return { condition, program, only, names: new Set(only.filter((i) => program[i][0] === "s").map((i) => program[i][1])) };
  }));
  const held = ({ condition, program, only }, at) => {
    try { return holds(condition, Exact.run(program, at, only)); } catch { return false; } // it divides by nothing there
  };
  const broken = (at) => conditions.filter((each) => !held(each, at)).map((each) => each.condition.text);
  const naming = new Map();
  // The conditions that a value of one symbol breaks, of those that name it.
  const against = (name, value, at) => {
    if (!naming.has(name)) naming.set(name, conditions.filter((each) => each.names.has(name)));
    const there = { ...at, [name]: value };
    return naming.get(name).filter((each) => !held(each, there)).map((each) => each.condition.text);
  };
  const admits = (...asked) => !against(...asked).length;
  const TRIED = 5000;
  // The nearest value of a symbol that is inside: upwards (way 1), downwards (-1) or on either side (0); null where there is none.
  const nearest = ({ name, low, step, last }, wanted, at, way = 0) => {
    const least = BigInt(low), by = BigInt(step);
    const on = wanted < least ? least : least + ((wanted - least + (way > 0 ? by - 1n : way < 0 ? 0n : by / 2n)) / by) * by;
    for (let k = 0n; k < TRIED; k++) {
      const tried = way > 0 ? [on + k * by] : way < 0 ? [on - k * by] : [on - k * by, on + k * by];
      const near = tried.filter((value) => value >= least && (last === null || value <= last));
      if (!near.length && k > 0n) return null;
      const found = near.find((value) => admits(name, value, at));
      if (found !== undefined) return found;
    }
    return null;
  };
  return { broken, against, nearest };
};
