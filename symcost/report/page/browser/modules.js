// The modules of one model: a tree that opens and closes, each line with the sums of all inside.
const Modules = (data, model, table) => {
  const { element, cell, fill, header } = Dom;
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
};
