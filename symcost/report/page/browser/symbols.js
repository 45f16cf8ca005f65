// The symbols: a slider that stops at values inside the domain only, a field that takes any, usual values, and the link.
const Symbols = ({ symbols }, domain, changed) => {
  const { element, get } = Dom;
  const at = {}, unread = new Map(), controls = new Map(); // unread: what is wrong with a field, by the symbol's name
  let touched = null;
  const readable = (text) => (/^\s*[1-9][0-9]{0,99}\s*$/.test(text) ? BigInt(text.trim()) : null);
  const big = (value) => (value === null ? null : BigInt(value));
  for (const s of symbols) {
    const slider = element("input", { type: "range", min: s.low, max: s.high, step: s.step, id: `slider-${s.name}` });
    const field = element("input", { type: "text", inputMode: "numeric", autocomplete: "off", id: `field-${s.name}` });
    const marks = element("datalist", { id: `usual-${s.name}` }, ...s.ticks.map((value) => element("option", { value })));
    slider.setAttribute("list", marks.id);
    slider.setAttribute("aria-label", `${s.name}, slider`);
    const set = (value, from) => {
      at[s.name] = value;
      touched = s.name;
      unread.delete(s.name);
      field.setAttribute("aria-invalid", "false");
      if (from !== field) field.value = value.toString();
      slider.value = value > BigInt(s.high) ? s.high : Number(value);
    };
    const onSlider = { ...s, last: BigInt(s.high) };
    let keyed = false;
    slider.addEventListener("keydown", () => { keyed = true; });
    slider.addEventListener("pointerdown", () => { keyed = false; });
    slider.addEventListener("input", () => {
      const wanted = BigInt(slider.value), before = at[s.name];
      const way = !keyed || wanted === before ? 0 : wanted > before ? 1 : -1; // a key goes on to the next value that is inside
      const found = domain.nearest(onSlider, wanted, at, way);
      set(found ?? (way ? before : wanted), slider);
      changed();
    });
    field.addEventListener("input", () => {
      const value = readable(field.value);
      if (value === null) {
        unread.set(s.name, `${s.name} must be a positive integer`);
        field.setAttribute("aria-invalid", "true");
      } else set(value, field);
      changed();
    });
    const usual = s.ticks.map((value) => {
      const button = element("button", { type: "button", textContent: value.toString() });
      button.addEventListener("click", () => { set(BigInt(value), null); changed(); });
      return button;
    });
    const label = element("label", { htmlFor: field.id }, element("i", { textContent: s.name }));
    if (s.meaning && s.meaning !== s.name) label.append(` ${s.meaning}`);
    const ticks = element("div", { className: "ticks" }, ...usual);
    get("sliders").append(element("div", { className: "slider" }, label, field, slider, marks, ticks));
    controls.set(s.name, { ...s, set, usual, last: big(s.most) });
    set(BigInt(s.start), null);
  }
  if (!symbols.length) get("sliders").append(element("p", { className: "sub", textContent: "None: every number is fixed." }));

  // Usual values that the others leave no room for cannot be chosen.
  const offer = () => {
    for (const { name, ticks, usual } of controls.values()) {
      ticks.forEach((value, k) => {
        const broken = domain.against(name, BigInt(value), at);
        usual[k].disabled = broken.length > 0;
        usual[k].title = broken.length ? `outside the domain: ${broken.join("; ")}` : "";
        usual[k].setAttribute("aria-pressed", String(at[name] === BigInt(value)));
      });
    }
  };
  // Values of one symbol that would bring the point inside; of the one that was changed last first.
  const repairs = () => [...controls.values()].sort((a, b) => (b.name === touched) - (a.name === touched)).flatMap((s) => [-1, 1].map((way) => {
    const value = domain.nearest(s, at[s.name], at, way);
    return value === null || value === at[s.name] || domain.broken({ ...at, [s.name]: value }).length ? null : { name: s.name, value };
  })).filter((each) => each !== null);
  const put = (name, value) => { controls.get(name).set(value, null); changed(); };
  const from = (pairs) => {
    for (const [name, text] of pairs) {
      const value = readable(text);
      if (controls.has(name) && value !== null) controls.get(name).set(value, null);
    }
  };
  const told = () => Object.entries(at).map(([name, value]) => [name, value.toString()]);
  return { at, unread, offer, repairs, put, from, told };
};
