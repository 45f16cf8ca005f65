"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { models, symbols } = data;
  const at = {};
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const get = (id) => document.getElementById(id);
  const cell = () => element("td", {}, "");
  const fill = (into, text, exact) => { // only what changed is touched
    if (into.dataset.value === exact && into.firstChild.data === text) return;
    into.firstChild.data = text;
    into.dataset.value = exact;
  };

  // -- symbols -------------------------------------------------------------------------------------------------------
  const fields = new Map();
  const unread = new Map(); // what is wrong with a field, by the symbol's name
  const readable = (text) => (/^\s*[1-9][0-9]{0,99}\s*$/.test(text) ? BigInt(text.trim()) : null);
  for (const s of symbols) {
    const slider = element("input", { type: "range", min: s.low, max: s.high, step: s.step, id: `slider-${s.name}` });
    const field = element("input", { type: "text", inputMode: "numeric", autocomplete: "off", id: `field-${s.name}` });
    slider.setAttribute("aria-label", `${s.name}, slider`);
    const set = (value, from) => {
      at[s.name] = value;
      unread.delete(s.name);
      field.setAttribute("aria-invalid", "false");
      if (from !== field) field.value = value.toString();
      if (from !== slider) slider.value = value > BigInt(s.high) ? s.high : Number(value);
    };
    slider.addEventListener("input", () => { set(BigInt(slider.value), slider); changed(); });
    field.addEventListener("input", () => {
      const value = readable(field.value);
      if (value === null) {
        unread.set(s.name, `${s.name} must be a positive integer`);
        field.setAttribute("aria-invalid", "true");
      } else set(value, field);
      changed();
    });
    const label = element("label", { htmlFor: field.id, textContent: s.name });
    get("sliders").append(element("div", { className: "slider" }, label, slider, field));
    fields.set(s.name, set);
    set(BigInt(s.start), null);
  }
  if (!symbols.length) get("sliders").append(element("p", { className: "sub", textContent: "None: every number is fixed." }));
  const fromLink = () => {
    for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
      const value = readable(text);
      if (fields.has(name) && value !== null) fields.get(name)(value, null);
    }
  };
  const link = () => new URLSearchParams(Object.entries(at).map(([name, value]) => [name, value.toString()])).toString();
  const keep = () => history.replaceState(null, "", `#${link()}`);
  get("link").addEventListener("click", async () => {
    keep();
    let said = "The address bar has it.";
    try { await navigator.clipboard.writeText(location.href); said = "Copied."; } catch { /* a page from a file may not */ }
    get("copied").textContent = said;
  });

  // -- the tables' frames --------------------------------------------------------------------------------------------
  const header = (cells) => element("tr", {}, ...cells);
  const column = (text) => element("th", { scope: "col", textContent: text });
  const names = [...new Set(models.flatMap((model) => model.totals.map((total) => total.name)))];
  get("totals").tHead.append(header([column("metric (convention)"), ...models.map((model) => column(model.title))]));
  const totalCells = names.map((name) => {
    const cells = models.map((model) => {
      const total = model.totals.find((each) => each.name === name);
      return total ? { total, cell: cell() } : { total: null, cell: element("td", { textContent: "–" }) };
    });
    const row = element("tr", {}, element("th", { scope: "row", textContent: name }), ...cells.map((each) => each.cell));
    row.dataset.total = name;
    get("totals").tBodies[0].append(row);
    return cells;
  });
  for (const [position, metric] of data.columns.entries()) {
    get("metric").append(element("option", { value: metric, textContent: data.headings[position] }));
  }
  for (const device of data.devices) get("device").append(element("option", { value: device.name, textContent: device.title }));
  get("device").value = data.device;
  const chosen = () => data.devices.find((device) => device.name === get("device").value) ?? data.devices[0];
  const numberTypes = () => {
    const before = get("dtype").value;
    get("dtype").replaceChildren(...Object.keys(chosen().peak).map((dtype) => element("option", { value: dtype, textContent: dtype })));
    if (before in chosen().peak) get("dtype").value = before;
    else if ("float32" in chosen().peak) get("dtype").value = "float32";
  };

  // -- modules -------------------------------------------------------------------------------------------------------
  const trees = models.map((model, index) => {
    const table = document.querySelectorAll("table.modules")[index];
    const nodes = model.tree.map((node, i) => ({ ...node, index: i, children: [], open: false, cells: [] }));
    for (const node of nodes) if (node.parent >= 0) nodes[node.parent].children.push(node);
    const order = { by: null, down: true };
    let placed = [];
    const place = () => {
      const rows = [];
      const walk = (node, depth) => {
        node.row.firstChild.style.paddingLeft = `${0.5 + depth}rem`;
        rows.push(node);
        const inner = [...node.children];
        if (order.by !== null) {
          inner.sort((a, b) => {
            const [x, y] = order.by < 0 ? [a.name, b.name] : [a.sums[order.by], b.sums[order.by]];
            const less = order.by < 0 ? x < y : Exact.less(x, y), more = order.by < 0 ? y < x : Exact.less(y, x);
            return (less ? -1 : more ? 1 : a.index - b.index) * (order.down && (less || more) ? -1 : 1);
          });
        }
        if (node.open) inner.forEach((child) => walk(child, depth + 1));
      };
      walk(nodes[0], 0);
      if (rows.length !== placed.length || rows.some((node, i) => node !== placed[i])) {
        placed = rows;
        table.tBodies[0].replaceChildren(...rows.map((node) => node.row));
      }
      show();
    };
    const near = new Set();
    const rows = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
      if (isIntersecting) near.add(target); else near.delete(target);
    }));
    const show = (shown = placed) => {
      for (const node of shown) node.sums.forEach((sum, k) => fill(node.cells[k], sum === 0n ? "" : Exact.shown(sum), Exact.text(sum)));
    };
    const heads = [-1, ...data.columns.keys()].map((position) => {
      const text = position < 0 ? "module" : data.headings[position];
      const button = element("button", { type: "button", textContent: text });
      const head = element("th", { scope: "col" }, button);
      button.addEventListener("click", () => {
        const again = order.by === position;
        order.down = again ? !order.down : position >= 0;
        order.by = position;
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
        place();
      });
      return head;
    });
    table.tHead.append(header(heads));
    for (const node of nodes) {
      const first = element("td", {});
      if (node.children.length) {
        const button = element("button", { type: "button" });
        node.show = () => {
          button.textContent = node.open ? "▾" : "▸";
          button.setAttribute("aria-expanded", String(node.open));
          button.setAttribute("aria-label", `${node.open ? "Collapse" : "Expand"} ${node.name}`);
        };
        button.addEventListener("click", () => { node.open = !node.open; node.show(); place(); button.focus(); });
        first.append(button);
        node.open = node.parent < 0;
        node.show();
      } else first.append(element("span", { className: "leaf" }));
      first.append(node.name);
      node.sums = data.columns.map(() => 0n);
      node.cells = data.columns.map(cell);
      node.row = element("tr", {}, first, ...node.cells);
      rows.observe(node.row);
    }
    const all = (open) => {
      for (const node of nodes) if (node.children.length) { node.open = open || node.parent < 0; node.show(); }
      place();
    };
    const addUp = (values) => {
      for (const node of nodes) node.sums = node.own.map((id) => values[id]);
      for (let i = nodes.length - 1; i > 0; i--) {
        const above = nodes[nodes[i].parent];
        above.sums = above.sums.map((sum, k) => Exact.add(sum, nodes[i].sums[k]));
      }
    };
    const redraw = () => (order.by === null ? show() : place());
    const redrawNear = () => (order.by === null ? show(placed.filter((node) => near.has(node.row))) : place());
    place();
    return { nodes, all, addUp, redraw, redrawNear, table };
  });
  get("expand").addEventListener("click", () => trees.forEach((tree) => tree.all(true)));
  get("collapse").addEventListener("click", () => trees.forEach((tree) => tree.all(false)));

  // -- on a device ---------------------------------------------------------------------------------------------------
  const BYTE = 8n;
  const timed = (model, values, device, dtype) => {
    const peak = Exact.read(device.peak[dtype]), size = Exact.divide(BigInt(data.bits[dtype]), BYTE);
    const rate = { weights: Exact.read(device.bandwidth.weights), activations: Exact.read(device.bandwidth.activations) };
    const launch = Exact.read(device.overhead);
    const over = (amount, rates, part) => (part in rates ? Exact.divide(amount, Exact.read(rates[part])) : 0n);
    return model.kernels.map((kernel) => {
      const weights = Exact.mul(size, values[kernel.weights]);
      const moved = Exact.mul(size, Exact.add(values[kernel.read], values[kernel.written]));
      const times = values[kernel.times], own = device.measured[kernel.kind];
      let seconds;
      if (own) {  // rates that were measured add up
        seconds = [over(values[kernel.operations], own, "operations"), over(weights, own, "weights"),
          over(moved, own, "activations"), Exact.read(own.overhead ?? "0")].reduce(Exact.add, 0n);
      } else {
        const compute = Exact.divide(values[kernel.operations], peak);
        const memory = Exact.add(Exact.divide(weights, rate.weights), Exact.divide(moved, rate.activations));
        seconds = Exact.add(Exact.less(compute, memory) ? memory : compute, launch);
      }
      return { kernel, done: values[kernel.operations], bytes: Exact.add(weights, moved), seconds: Exact.mul(seconds, times), times };
    });
  };
  const sum = (parts) => parts.reduce(Exact.add, 0n);
  const line = (key, title, cells) => {
    const row = element("tr", {}, element("th", { scope: "row", textContent: title }), ...cells.map(([text, exact]) => {
      const cell = element("td", { textContent: text });
      if (exact !== undefined) cell.dataset.value = exact;
      return cell;
    }));
    row.dataset.estimate = key;
    return row;
  };
  const quantity = (value, unit) => [Exact.physical(value, unit), Exact.text(value)];
  const estimates = (results, values) => {
    const body = element("tbody", {});
    const each = (make) => models.map((model, i) => make(model, i));
    body.append(line("latency", "latency, roofline of fused kernels", each((m, i) =>
      typeof results[i] === "string" ? [results[i]] : quantity(sum(results[i].map((r) => r.seconds)), "s"))));
    for (const [part, title] of [["compute", "energy of computing (45 nm, float32)"], ["movement", "energy of moving (45 nm, float32)"]]) {
      body.append(line(part, title, each((m, i) => (typeof m.energy === "string" ? [m.energy] : quantity(values[i][m.energy[part]], "J")))));
    }
    if (models.some((m) => m.field !== null)) {
      body.append(line("field", "receptive field", each((m, i) =>
        m.field === null ? ["–"] : m.field === "all" ? ["the whole input", "all"]
          : [m.field.map((id) => Exact.shown(values[i][id])).join(" x "), m.field.map((id) => Exact.text(values[i][id])).join(",")])));
    }
    const head = header([column(""), ...models.map((model) => column(model.title))]);
    get("estimates").replaceChildren(element("table", {}, element("thead", {}, head), body));
  };

  // -- pictures ------------------------------------------------------------------------------------------------------
  const bokeh = (name) => globalThis.Bokeh?.documents?.[0]?.get_model_by_name(name);
  const unique = (list) => {
    const seen = new Map();
    return list.map((name) => {
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return count > 1 ? `${name} (${count})` : name;
    });
  };
  // The bars of a model: modules as deep as BARS of them go, and what a module with parts does itself.
  const BARS = 40;
  const within = (bar) => (bar.itself || !bar.node.children.length ? [bar] : [{ ...bar, itself: true },
    ...bar.node.children.map((node) => ({ node, name: bar.name ? `${bar.name}/${node.name}` : node.name }))]);
  const amount = ({ node, itself }, k) => (itself
    ? node.children.reduce((rest, child) => Exact.add(rest, Exact.mul(-1n, child.sums[k])), node.sums[k]) : node.sums[k]);
  const counted = (found, k) => found.filter((bar) => !bar.itself || amount(bar, k) !== 0n);
  const deepest = (nodes, k) => {
    let found = counted(within({ node: nodes[0], name: "" }), k);
    for (;;) {
      const next = counted(found.flatMap(within), k);
      if (next.length > BARS || found.every((bar) => bar.itself || !bar.node.children.length)) return found;
      found = next;
    }
  };
  const bars = ({ nodes }, i) => {
    const k = data.columns.indexOf(get("metric").value);
    const found = deepest(nodes, k);
    const labels = unique(found.map(({ name, itself }) => (itself ? `${name}${name && " "}(itself)` : name || nodes[0].name)));
    const range = bokeh(`names-${i}`);
    if (range.factors.join() !== labels.join()) range.factors = labels;
    const values = found.map((bar) => amount(bar, k));
    bokeh(`bars-${i}`).data = { name: labels, value: values.map(Exact.number), shown: values.map(Exact.shown) };
  };
  const roofline = ({ results, device, dtype }) => {
    const peak = Exact.number(Exact.read(device.peak[dtype])), bandwidth = Exact.number(Exact.read(device.bandwidth.activations));
    const xs = [peak / bandwidth];
    results.forEach((result, i) => {
      const kept = typeof result === "string" ? [] : result.filter((r) => r.done !== 0n && r.seconds !== 0n);
      const whole = kept.length ? Exact.number(sum(result.map((r) => r.seconds))) : 1;
      const x = kept.map((r) => Exact.number(Exact.divide(r.done, r.bytes)));
      const shares = kept.map((r) => Exact.number(r.seconds) / whole);
      xs.push(...x);
      bokeh(`kernels-${i}`).data = {
        x, y: kept.map((r) => Exact.number(Exact.divide(Exact.mul(r.done, r.times), r.seconds))), name: kept.map((r) => r.kernel.name),
        size: shares.map((share) => 5 + 40 * Math.sqrt(share)), share: shares.map((share) => `${(100 * share).toFixed(1)} %`),
      };
    });
    const left = xs.reduce((a, b) => Math.min(a, b)) / 2, right = xs.reduce((a, b) => Math.max(a, b)) * 2;
    bokeh("roof").data = { x: [left, peak / bandwidth, right], y: [left * bandwidth, peak, peak] };
  };

  // -- all of it -----------------------------------------------------------------------------------------------------
  const RELATIONS = {
    ">=": (a, b) => !Exact.less(a, b), "<=": (a, b) => !Exact.less(b, a), "==": (a, b) => Exact.text(a) === Exact.text(b),
    "!=": (a, b) => Exact.text(a) !== Exact.text(b), ">": (a, b) => Exact.less(b, a), "<": (a, b) => Exact.less(a, b),
  };
  const LOGIC = { and: (all) => all.every(Boolean), or: (all) => all.some(Boolean), not: ([one]) => !one };
  const holds = (c, v) => c.parts ? LOGIC[c.relation](c.parts.map((part) => holds(part, v))) : RELATIONS[c.relation](v[c.left], v[c.right]);
  const problem = (text) => {
    get("problem").hidden = !text;
    get("problem").textContent = text;
    document.body.classList.toggle("stale", Boolean(text));
  };
  let last = null;
  const draw = () => {
    const started = performance.now();
    if (unread.size) { problem([...unread.values()].join("; ")); refresh([]); return; }
    const values = models.map((model) => Exact.run(model.program, at));
    const broken = models.flatMap((model, i) => model.conditions.filter((c) => !holds(c, values[i])));
    if (broken.length) { problem(`Outside the domain: ${broken[0].text} must hold. ${last ? "The numbers below are those before." : "There are no numbers."}`); refresh([]); return; }
    problem("");
    for (const cells of totalCells) {
      cells.forEach(({ total, cell }, i) => {
        if (!total) return;
        fill(cell, Exact.shown(values[i][total.value]) + (total.bytes ? " B" : ""), Exact.text(values[i][total.value]));
      });
    }
    trees.forEach((tree, i) => tree.addUp(values[i]));
    const device = chosen(), dtype = get("dtype").value;
    const results = models.map((model, i) => (typeof model.kernels === "string" ? model.kernels : timed(model, values[i], device, dtype)));
    estimates(results, values);
    get("source").textContent = `${device.title}: ${device.source}`;
    last = { results, device, dtype };
    refresh(parts);
    document.body.dataset.drawn = (performance.now() - started).toFixed(2);
    document.body.dataset.draws = String(Number(document.body.dataset.draws ?? 0) + 1);
  };
  // Parts of the page that take long: at once while they are on the screen, and once the slider rests where they are not.
  const REST = 150;
  const parts = trees.map((tree) => ({ place: tree.table, redraw: tree.redraw, redrawNear: tree.redrawNear }));
  const update = (part) => { part.stale = false; part.redraw(); };
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
  addEventListener("beforeprint", () => parts.filter((part) => part.stale).forEach(update));
  let waiting = false, moved = false;
  const changed = () => {
    moved = true;
    get("copied").textContent = "";
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  get("device").addEventListener("change", () => { numberTypes(); draw(); });
  get("dtype").addEventListener("change", draw);
  get("metric").addEventListener("change", () => refresh(parts.filter((part) => part.bars)));
  addEventListener("hashchange", () => { fromLink(); draw(); });
  numberTypes();
  fromLink();
  draw();
  parts.forEach(update);
  const ready = () => {
    if (!bokeh("roof")) { requestAnimationFrame(ready); return; }
    trees.forEach((tree, i) => parts.push({ place: get(`bars-place-${i}`), redraw: () => bars(tree, i), bars: true }));
    parts.push({ place: get("roofline-place"), redraw: () => roofline(last) });
    if (last) parts.forEach(update);
    parts.forEach((part) => watcher.observe(part.place));
    document.body.dataset.ready = "yes";
  };
  ready();
})();
