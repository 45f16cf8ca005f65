// Bars of a model's modules, in the order of execution: as deep as MOST of them go, and what a module with parts does itself.
const Bars = (place) => {
  const { element, percent } = Dom;
  const MOST = 32;
  const within = (bar) => (bar.itself || !bar.node.children.length ? [bar] : [{ ...bar, itself: true },
    ...bar.node.children.map((node) => ({ node, name: bar.name ? `${bar.name}/${node.name}` : node.name }))]);
  const amount = ({ node, itself }, k) => (itself
    ? node.children.reduce((rest, child) => Exact.add(rest, Exact.negated(child.sums[k])), node.sums[k]) : node.sums[k]);
  const counted = (found, k) => found.filter((bar) => !bar.itself || amount(bar, k) !== 0n);
  const deepest = (nodes, k) => {
    let found = counted(within({ node: nodes[0], name: "" }), k);
    for (;;) {
      const next = counted(found.flatMap(within), k);
      if (next.length > MOST || found.every((bar) => bar.itself || !bar.node.children.length)) return found;
      found = next;
    }
  };
  const draw = (nodes, k, unit) => {
    const found = deepest(nodes, k).filter((bar) => amount(bar, k) !== 0n), values = found.map((bar) => amount(bar, k));
    const whole = nodes[0].sums[k], most = values.reduce((a, b) => (Exact.less(a, b) ? b : a), 0n);
    const share = (value, of) => (of === 0n ? 0 : Exact.number(Exact.divide(value, of)));
    place.replaceChildren(...found.map(({ name, itself, node }, i) => {
      const label = itself ? (name ? `${name} (itself)` : node.does ?? "(itself)") : name || node.name;
      const bar = element("span", { className: "fill" });
      bar.style.width = `${100 * share(values[i], most)}%`;
      const made = element("li", { title: `${label}: ${Exact.shown(values[i])}` }, element("span", { className: "name", textContent: label }),
        element("span", { className: "track" }, bar),
        element("span", { className: "amount", textContent: `${Exact.physical(values[i], unit)} · ${percent(share(values[i], whole))}` }));
      made.dataset.value = Exact.text(values[i]);
      return made;
    }));
  };
  return { draw };
};
