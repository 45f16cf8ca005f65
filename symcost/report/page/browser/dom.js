// The elements that every part of the page makes; texts are texts, never markup.
const Dom = (() => {
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
  const header = (cells) => element("tr", {}, ...cells);
  const column = (text) => element("th", { scope: "col", textContent: text });
  // A row of a table: its title, and for each cell a text and the exact value behind it.
  const row = (title, cells) => element("tr", {}, element("th", { scope: "row", textContent: title }),
    ...cells.map(([text, exact]) => {
      const made = element("td", { textContent: text });
      if (exact !== undefined) made.dataset.value = exact;
      return made;
    }));
  const options = (select, entries) => select.replaceChildren(...entries.map(([value, text]) => element("option", { value, textContent: text })));
  const percent = (share) => (share > 0 && share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);
  return { element, get, cell, fill, header, column, row, options, percent };
})();
