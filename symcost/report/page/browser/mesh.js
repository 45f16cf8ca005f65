// On the mesh: what one device of a plan holds and computes, what it sends by kind and axes, and how long a step is.
const Mesh = (models) => {
  const { get, row } = Dom;
  const own = models.map((model, i) => ({ mesh: model.mesh, i })).filter(({ mesh }) => mesh !== null);
  const physical = (value, unit) => [Exact.physical(value, unit), Exact.text(value)];
  const told = ({ mesh, i }, values, device) => {
    const at = values[i], step = mesh.steps[device.name];
    const lines = [
      ...mesh.held.map(({ name, value, bytes }) => ["held", name, physical(at[value], bytes ? "B" : "")]),
      ...mesh.sent.map(({ name, value }) => ["sent", name, physical(at[value], "B")]),
    ];
    if (typeof step === "string") return [...lines, ["step", "time of a step", [step]]];
    return [...lines, ...step.parts.map(([part, value]) => ["part", `step, ${part}`, physical(at[value], "s")]),
      ["step", `time of a step (${step.assumed})`, physical(at[step.seconds], "s")]];
  };
  const show = (values, device) => own.forEach((each) => {
    get(`mesh-${each.i}`).tBodies[0].replaceChildren(...told(each, values, device).map(([key, title, cells]) => {
      const made = row(title, [cells]);
      made.dataset.mesh = key;
      return made;
    }));
  });
  return { show };
};
