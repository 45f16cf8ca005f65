// The roofline: each kernel by its operations per byte and per second, its area the share of the time; the slowest have numbers.
const Roofline = (svg, tables) => {
  const { element, get, percent } = Dom;
  const HEIGHT = 320, LEFT = 62, RIGHT = 14, TOP = 14, BOTTOM = 44, NAMED = 5;
  const node = (tag, attributes, text = "") => {
    const made = document.createElementNS(svg.namespaceURI, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };
  // Powers of ten between two numbers, every second or third where there are many.
  const decades = (low, high, most) => {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    const step = Math.max(1, Math.ceil((last - first + 1) / most));
    return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, k) => first + k * step);
  };
  const PREFIXES = { 15: "P", 12: "T", 9: "G", 6: "M", 3: "k", 0: "" };
  const tick = (power) => {
    const base = Math.min(15, Math.floor(power / 3) * 3);
    return base < 0 ? `${(10 ** power).toPrecision(1)}` : `${10 ** (power - base)} ${PREFIXES[base]}`.trim();
  };
  const points = (result) => {
    if (result.seconds === null || result.seconds === 0n) return [];
    return result.kernels.filter((r) => r.done !== 0n && r.seconds !== 0n && r.bytes !== 0n).map((r) => ({
      ...r, share: Exact.number(Exact.divide(r.seconds, result.seconds)), x: Exact.number(Exact.divide(r.done, r.bytes)),
      y: Exact.number(Exact.divide(Exact.mul(r.done, r.times), r.seconds)),
    })).sort((a, b) => b.share - a.share);
  };
  const axes = (across, up, x, y, width) => {
    const right = width - RIGHT, bottom = HEIGHT - BOTTOM, made = [];
    for (const power of decades(...across, Math.max(2, Math.floor(width / 90)))) {
      const at = x(10 ** power);
      made.push(node("line", { x1: at, x2: at, y1: TOP, y2: bottom, class: "grid" }),
        node("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, tick(power)));
    }
    for (const power of decades(...up, 6)) {
      const at = y(10 ** power);
      made.push(node("line", { x1: LEFT, x2: right, y1: at, y2: at, class: "grid" }),
        node("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, tick(power)));
    }
    made.push(node("text", { x: (LEFT + right) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "operations per byte"),
      node("text", { x: 14, y: (TOP + bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(TOP + bottom) / 2})` }, "operations per second"));
    return made;
  };
  // The places of the slowest kernels in their table, above their circles; those side by side share one text.
  const labels = (found, x, y) => found.flatMap((group, i) => {
    const placed = [];
    for (const [k, p] of group.slice(0, NAMED).entries()) {
      const at = [x(p.x), y(p.y) - 6 - 16 * Math.sqrt(p.share)];
      const beside = placed.find(({ at: [a, b] }) => Math.abs(a - at[0]) < 34 && Math.abs(b - at[1]) < 16);
      if (beside) beside.ranks.push(k + 1);
      else placed.push({ at, ranks: [k + 1] });
    }
    return placed.map(({ at: [a, b], ranks }) => node("text", { x: a, y: b - 14 * i, "text-anchor": "middle", class: `rank model-${i}` }, ranks.join(", ")));
  });
  const slowest = (table, found) => {
    table.tBodies[0].replaceChildren(...found.slice(0, NAMED).map((p, k) => element("tr", {},
      element("td", { textContent: String(k + 1) }), element("th", { scope: "row", textContent: p.kernel.name }),
      ...[percent(p.share), Exact.physical(p.seconds, "s"), String(Number(p.x.toPrecision(3))), p.bound].map((textContent) => element("td", { textContent })))));
    table.hidden = !found.length;
  };
  const draw = (results, device, dtype) => {
    const found = results.map(points), every = found.flat();
    tables.forEach((table, i) => slowest(table, found[i]));
    svg.parentElement.hidden = !every.length;
    if (!every.length) return;
    const peak = Exact.number(Exact.read(device.peak[dtype])), bandwidth = Exact.number(Exact.read(device.bandwidth.activations));
    const width = Math.max(280, svg.parentElement.clientWidth || 640), ridge = peak / bandwidth;
    const xs = [...every.map((p) => p.x), ridge], ys = [...every.map((p) => p.y), peak];
    const across = [Math.min(...xs) / 2, Math.max(...xs) * 3], up = [Math.min(...ys) / 2, Math.max(...ys) * 3];
    const scale = ([low, high], from, to) => (value) => from + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (to - from);
    const x = scale(across, LEFT, width - RIGHT), y = scale(up, HEIGHT - BOTTOM, TOP);
    const start = Math.max(across[0], up[0] / bandwidth);
    const line = [[start, start * bandwidth], [ridge, peak], [across[1], peak]].map(([a, b]) => `${x(a)},${y(b)}`).join(" ");
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...axes(across, up, x, y, width), node("polyline", { points: line, class: "roof" }),
      ...found.flatMap((group, i) => group.map((p) => {
        const made = node("circle", { cx: x(p.x), cy: y(p.y), r: 3 + 16 * Math.sqrt(p.share), class: `kernel model-${i}` });
        made.append(node("title", {}, `${p.kernel.name}: ${percent(p.share)} of the time`));
        return made;
      })),
      ...labels(found, x, y));
  };
  return { draw };
};
