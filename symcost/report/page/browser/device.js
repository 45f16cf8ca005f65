// A model on a device: how long each kernel takes, what each memory holds, and the lines that say so. All of it is exact.
const Device = (data) => {
  const { get, row, options, percent } = Dom;
  const BYTE = 8n;
  options(get("device"), data.devices.map((device) => [device.name, device.title]));
  get("device").value = data.device;
  const chosen = () => data.devices.find((device) => device.name === get("device").value) ?? data.devices[0];
  const numberTypes = () => {
    const before = get("dtype").value, offered = chosen().dtypes;
    options(get("dtype"), offered.map((dtype) => [dtype, dtype]));
    get("dtype").value = [before, "float32"].find((dtype) => offered.includes(dtype)) ?? offered[0];
  };

  const roof = (device, dtype) => ({
    peak: Exact.read(device.peak[dtype]), launch: Exact.read(device.overhead),
    weights: Exact.read(device.bandwidth.weights), activations: Exact.read(device.bandwidth.activations),
  });
  const over = (amount, rates, part) => (part in rates ? Exact.divide(amount, Exact.read(rates[part])) : 0n);
  const kernelTime = (kernel, values, size, rate, own) => {
    const done = values[kernel.operations], times = values[kernel.times];
    const weights = Exact.mul(size, values[kernel.weights]);
    const moved = Exact.mul(size, Exact.add(values[kernel.read], values[kernel.written]));
    const compute = own ? over(done, own, "operations") : Exact.divide(done, rate.peak);
    const memory = own ? Exact.add(over(weights, own, "weights"), over(moved, own, "activations"))
      : Exact.add(Exact.divide(weights, rate.weights), Exact.divide(moved, rate.activations));
    const bound = Exact.less(compute, memory) ? "memory" : "compute";
    const seconds = own ? Exact.sum([compute, memory, Exact.read(own.overhead ?? "0")]) // rates that were measured add up
      : Exact.add(bound === "memory" ? memory : compute, rate.launch);
    return { kernel, done, times, bound, bytes: Exact.add(weights, moved), seconds: Exact.mul(seconds, times) };
  };
  // The kernels of a model with their times, or a text that says why there are none.
  const timed = (model, values, device, dtype) => {
    if (typeof model.kernels === "string") return model.kernels;
    if (typeof device.bandwidth === "string") return device.bandwidth;
    if (!(dtype in device.peak)) return `no peak of ${device.title} is published for ${dtype}`;
    const size = Exact.divide(BigInt(data.bits[dtype]), BYTE), rate = roof(device, dtype);
    return model.kernels.map((kernel) => kernelTime(kernel, values, size, rate, device.measured[kernel.kind]));
  };
  // What each memory of the device has to hold of a model.
  const limits = (model, values, device, dtype) => {
    if (typeof model.held === "string") return model.held;
    const held = model.held[data.bits[dtype]];
    return device.memories.map(({ name, size, holds }) => {
      const needed = Exact.sum(holds.map((what) => values[held[what]])), has = size === null ? null : Exact.read(size);
      return { name, holds, needed, has, fits: has === null ? null : !Exact.less(has, needed) };
    });
  };
  // A model at a point on a device.
  const found = (model, values, device, dtype) => {
    const kernels = timed(model, values, device, dtype), held = typeof model.held === "string" ? null : model.held[data.bits[dtype]];
    const seconds = typeof kernels === "string" ? null : Exact.sum(kernels.map((each) => each.seconds));
    const known = seconds !== null && seconds !== 0n && model.examples !== null;
    return { kernels, seconds, throughput: known ? Exact.divide(values[model.examples], seconds) : null,
      limits: limits(model, values, device, dtype), held: held && Object.fromEntries(Object.entries(held).map(([what, id]) => [what, values[id]])) };
  };

  const BINARY = [[2n ** 30n, "GiB"], [2n ** 20n, "MiB"], [2n ** 10n, "KiB"]], FEW = 10000n;
  // The size of a memory, in the prefix that it is a small whole number of where there is one.
  const size = (value) => {
    const found = typeof value === "bigint" ? BINARY.find(([one]) => value % one === 0n && value < FEW * one) : undefined;
    return found ? `${Exact.shown(value / found[0])} ${found[1]}` : Exact.physical(value, "B");
  };
  const physical = (value, unit) => [Exact.physical(value, unit), Exact.text(value)];
  const full = ({ needed, has, fits }) => (has === null ? [`${Exact.physical(needed, "B")}; the size is not published`]
    : [`${fits ? "fits" : "does not fit"}: ${Exact.physical(needed, "B")} of ${size(has)}, ${percent(Exact.number(Exact.divide(needed, has)))}`, String(fits)]);
  // Whether all memories hold what lies in them, and the one that is fullest: its text, what is behind it, and the verdict.
  const fit = (found) => {
    const known = typeof found === "string" ? [] : found.filter((each) => each.has !== null);
    if (!known.length || known.length < found.length) return null;
    const worst = known.reduce((a, b) => (Exact.less(Exact.divide(a.needed, a.has), Exact.divide(b.needed, b.has)) ? b : a));
    const fits = known.every((each) => each.fits);
    return [fits ? "fits" : "does not fit", `${Exact.physical(worst.needed, "B")} of ${size(worst.has)} of ${worst.name}`, String(fits)];
  };
  const field = (model, values) => (model.field === null || !model.field.length ? ["–"] : model.field === "all" ? ["the whole input", "all"]
    : [model.field.map((id) => Exact.shown(values[id])).join(" x "), model.field.map((id) => Exact.text(values[id])).join(",")]);
  // Lines of (key, title, what a model says there).
  const lines = (models, results, values, device) => {
    const each = (make) => models.map((model, i) => make(results[i], model, values[i]));
    const made = [
      ["latency", "latency, roofline of fused kernels", each((r) => (r.seconds === null ? [r.kernels] : physical(r.seconds, "s")))],
      ["throughput", "throughput", each((r) => (r.throughput === null ? ["–"] : [`${Exact.physical(r.throughput, "")} examples/s`, Exact.text(r.throughput)]))],
      ...device.memories.map(({ name, holds }, k) => [`fit-${name}`, `${name} (${holds.join(" and ")})`,
        each((r) => (typeof r.limits === "string" ? [r.limits] : full(r.limits[k])))]),
      ...[["compute", "energy of computing (45 nm, float32)"], ["movement", "energy of moving (45 nm, float32)"]].map(([part, title]) =>
        [part, title, each((r, m, v) => (typeof m.energy === "string" ? [m.energy] : physical(v[m.energy[part]], "J")))]),
    ];
    return models.some((m) => m.field !== null) ? [...made, ["field", "receptive field", each((r, m, v) => field(m, v))]] : made;
  };
  const show = (models, results, values, device) => {
    get("estimates").tBodies[0].replaceChildren(...lines(models, results, values, device).map(([key, title, cells]) => {
      const made = row(title, cells);
      made.dataset.estimate = key;
      return made;
    }));
    get("source").textContent = `${device.title}: ${device.source}${device.notes ? `; ${device.notes}` : ""}. `
      + (device.overhead === "0" ? "Ideal: all of the peak and of the bandwidth, and no time to launch a kernel." : "With the time to launch each kernel.");
  };
  return { chosen, numberTypes, found, fit, show };
};
