// The page: reads its data, evaluates the forms at the sliders' point, and fills every part.
const data = JSON.parse(document.getElementById("data").textContent);
const { models } = data;
const { element, get, cell, fill, header, column } = Dom;
const domain = Domain(models);
let waiting = false, moved = false, last = null;
const changed = () => {
  moved = true;
  get("copied").textContent = "";
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
};
const symbols = Symbols(data, domain, changed), device = Device(data), mesh = Mesh(models);

// -- the link --------------------------------------------------------------------------------------------------------
const CHOICES = { ".device": "device", ".dtype": "dtype", ".metric": "metric" }; // what no symbol is called
const fromLink = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  symbols.from(given);
  for (const [name, id] of Object.entries(CHOICES)) {
    if (![...get(id).options].some((option) => option.value === given.get(name))) continue;
    get(id).value = given.get(name);
    if (id === "device") device.numberTypes();
  }
};
const link = () => new URLSearchParams([...symbols.told(), ...Object.entries(CHOICES).map(([name, id]) => [name, get(id).value])
  .filter(([name, value]) => value !== first[name])]).toString();
const keep = () => history.replaceState(null, "", `#${link()}`);
get("link").addEventListener("click", async () => {
  keep();
  let said = "The address bar has it.";
  try { await navigator.clipboard.writeText(location.href); said = "Copied."; } catch { /* a page from a file may not */ }
  get("copied").textContent = said;
});

// -- frames of what is filled ----------------------------------------------------------------------------------------
// What stands in front: (key, title, what is said of a model: a short text, what is behind it in full, its exact value).
const bytes = (what) => (r, v, m, dtype) => (r.held ? [Exact.physical(r.held[what], "B"), `${Exact.shown(r.held[what])} B, ${dtype}`, r.held[what]] : null);
const number = (what) => (r, v, m) => [Exact.counted(v[m.headline[what]]), Exact.shown(v[m.headline[what]]), v[m.headline[what]]];
const rate = (r) => (r.throughput === null ? "" : `${Exact.physical(r.throughput, "")} examples/s, `);
const CARDS = [
  ["macs", "MACs", number("macs")], ["params", "parameters", number("params")],
  ["weights", "weights", bytes("weights")], ["activations", "peak activations", bytes("activations")],
  ["latency", "latency", (r, v, m, dtype, on) => (r.seconds === null ? null
    : [Exact.physical(r.seconds, "s"), `${rate(r)}${dtype} on ${on.title}`, r.seconds])],
  ["fit", "memory of the device", (r) => device.fit(r.limits)],
];
const cards = CARDS.map(([key, title, of]) => {
  const values = models.map(() => element("div", { className: "value" }, "")), exact = models.map(() => element("div", { className: "exact" }));
  const card = element("div", { className: "card" }, element("h2", { textContent: title }), ...values.flatMap((value, i) => [value, exact[i]]));
  card.dataset.card = key;
  get("cards").append(card);
  return { of, values, exact };
});
const showCards = (results, values, chosen, dtype) => {
  for (const { of, values: into, exact } of cards) {
    results.forEach((result, i) => {
      const [text, said, value] = of(result, values[i], models[i], dtype, chosen) ?? ["–", "not known", ""];
      fill(into[i], text.trim(), value === "" || typeof value === "string" ? value : Exact.text(value));
      exact[i].textContent = models.length > 1 ? `${models[i].title}: ${said}` : said;
    });
  }
  get("here").textContent = models.map((model, i) => `${cards[0].values[i].textContent} MACs · ${cards[1].values[i].textContent} params`).join(" | ")
    + symbols.told().map(([name, value], k) => `${k ? " · " : " at "}${name} ${value}`).join("");
};
get("estimates").tHead.append(header([column(""), ...models.map((model) => column(model.title))]));
get("totals").tHead.append(header([column("metric (convention)"), ...models.map((model) => column(model.title))]));
const totalCells = [...new Set(models.flatMap((model) => model.totals.map((total) => total.name)))].map((name) => {
  const cells = models.map((model) => {
    const total = model.totals.find((each) => each.name === name);
    return total ? { total, cell: cell() } : { total: null, cell: element("td", { textContent: "–" }) };
  });
  const row = element("tr", {}, element("th", { scope: "row", textContent: name }), ...cells.map((each) => each.cell));
  row.dataset.total = name;
  get("totals").tBodies[0].append(row);
  return cells;
});
Dom.options(get("metric"), data.columns.map((metric, position) => [metric, data.headings[position]]));
device.numberTypes();
const first = Object.fromEntries(Object.entries(CHOICES).map(([name, id]) => [name, get(id).value]));
const trees = models.map((model, i) => Modules(data, model, document.querySelectorAll("table.modules")[i]));
get("expand").addEventListener("click", () => trees.forEach((tree) => tree.all(true)));
get("collapse").addEventListener("click", () => trees.forEach((tree) => tree.all(false)));
const charts = trees.map((tree, i) => Bars(get(`bars-${i}`)));
const roofline = Roofline(get("roofline"), [...document.querySelectorAll("table.slowest")]);

// -- all of it -------------------------------------------------------------------------------------------------------
const problem = (text) => {
  get("problem").hidden = !text;
  get("problem").replaceChildren(text);
  document.body.classList.toggle("stale", Boolean(text));
};
const outside = (condition) => {
  problem(`Outside the domain: ${condition} must hold. ${last ? "The numbers below are those before." : "There are no numbers."}`);
  for (const { name, value } of symbols.repairs().slice(0, 4)) {
    const button = element("button", { type: "button", className: "repair", textContent: `${name} = ${value}` });
    button.addEventListener("click", () => symbols.put(name, value));
    get("problem").append(" ", button);
  }
};
const draw = () => {
  const started = performance.now();
  symbols.offer();
  if (symbols.unread.size) { problem([...symbols.unread.values()].join("; ")); refresh([]); return; }
  const broken = domain.broken(symbols.at);
  if (broken.length) { outside(broken[0]); refresh([]); return; }
  problem("");
  const values = models.map((model) => Exact.run(model.program, symbols.at));
  for (const cells of totalCells) {
    cells.forEach(({ total, cell: into }, i) => {
      if (total) fill(into, Exact.shown(values[i][total.value]) + (total.bytes ? " B" : ""), Exact.text(values[i][total.value]));
    });
  }
  trees.forEach((tree, i) => tree.addUp(values[i]));
  const chosen = device.chosen(), dtype = get("dtype").value;
  const results = models.map((model, i) => device.found(model, values[i], chosen, dtype));
  showCards(results, values, chosen, dtype);
  device.show(models, results, values, chosen);
  mesh.show(values, chosen);
  last = { results, chosen, dtype };
  refresh(parts);
  document.body.dataset.drawn = (performance.now() - started).toFixed(2);
  document.body.dataset.draws = String(Number(document.body.dataset.draws ?? 0) + 1);
};
// Parts of the page that take long: at once while they are on the screen, and once the slider rests where they are not.
const REST = 150;
const parts = [
  ...trees.map((tree) => ({ place: tree.table, redraw: tree.redraw, redrawNear: tree.redrawNear })),
  ...trees.map((tree, i) => ({ place: get(`bars-${i}`), bars: true,
    redraw: () => charts[i].draw(tree.nodes, get("metric").selectedIndex, data.units[get("metric").selectedIndex]) })),
  { place: get("roofline-place"), redraw: () => roofline.draw(last.results, last.chosen, last.dtype) },
];
const update = (part) => { part.stale = false; if (last) part.redraw(); };
const watcher = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
  const part = parts.find((each) => each.place === target);
  part.near = isIntersecting;
  if (part.near && part.stale) update(part);
}), { rootMargin: "100px" });
let resting = 0;
const rest = () => {
  const part = parts.find((each) => each.stale);
  if (part) { update(part); resting = setTimeout(rest); return; } // one at a time: the page stays responsive
  if (moved) { keep(); moved = false; }
  document.body.dataset.settled = document.body.dataset.draws;
};
const refresh = (wanted) => {
  for (const part of wanted) {
    part.stale = true;
    if (part.near && part.redrawNear) part.redrawNear();
    else if (part.near) update(part);
  }
  clearTimeout(resting);
  resting = setTimeout(rest, REST);
};
let unfolded = [];
addEventListener("beforeprint", () => { // paper has all of it
  parts.filter((part) => part.stale).forEach(update);
  unfolded = [...document.querySelectorAll("details:not([open])")];
  unfolded.forEach((each) => { each.open = true; });
});
addEventListener("afterprint", () => unfolded.forEach((each) => { each.open = false; }));
addEventListener("resize", () => refresh([parts[parts.length - 1]]));
get("device").addEventListener("change", () => { device.numberTypes(); changed(); });
get("dtype").addEventListener("change", changed);
get("metric").addEventListener("change", () => { moved = true; refresh(parts.filter((part) => part.bars)); });
new IntersectionObserver(([{ isIntersecting, boundingClientRect: { top } }]) => get("here").classList.toggle("away", !isIntersecting && top < 0)).observe(get("symbols"));
get("here").addEventListener("click", () => get("symbols").scrollIntoView({ behavior: "smooth" }));
addEventListener("hashchange", () => { fromLink(); draw(); });
fromLink();
draw();
parts.forEach(update);
parts.forEach((part) => watcher.observe(part.place));
document.body.dataset.ready = "yes";
