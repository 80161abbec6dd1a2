// Quality against compute: the methods that no other beats in both stand on the front.
"use strict";

{
  const section = document.getElementById("pareto");
  let [cost, metric] = [DATA.compute[0], DATA.main];

  const points = () =>
    DATA.rows
      .filter((row) => row.kind !== "oracle" && row.compute[cost] > 0 && known(row.means[metric]))
      .map((row) => ({
        row,
        x: row.compute[cost],
        y: row.means[metric],
        value: higherIsBetter(metric) ? row.means[metric] : -row.means[metric],
      }));

  const front = (all) =>
    all
      .filter(
        (one) =>
          !all.some((other) => other.x <= one.x && other.value >= one.value && (other.x < one.x || other.value > one.value)),
      )
      .sort((one, other) => one.x - other.x);

  // What costs nothing to train: the input, and the best classical method.
  const floors = () => {
    const better = (one, other) =>
      higherIsBetter(metric) ? other.means[metric] - one.means[metric] : one.means[metric] - other.means[metric];
    const best = DATA.rows.filter((row) => row.kind === "classical" && known(row.means[metric])).sort(better)[0];
    const source = DATA.rows.find((row) => row.kind === "corrupted" && known(row.means[metric]));
    return [
      ...(source ? [{ name: "input", y: source.means[metric], color: "var(--bad)" }] : []),
      ...(best ? [{ name: `${best.label}, the best method without training`, y: best.means[metric], color: "var(--faint)" }] : []),
    ];
  };

  const draw = (width) => {
    const all = points();
    if (!all.length) return [html("p", { class: "legend" }, "No run recorded what it cost.")];
    const bounds = floors();
    const [left, right, top, bottom] = [52, width - 16, 10, 302];
    const x = numberScale(
      all.map((one) => one.x),
      left + 14,
      right - 14,
      true,
    );
    const heights = [...bounds, ...all].map((one) => one.y);
    const y = numberScale(heights, bottom - 10, top + 6, false, leastSpan(metric));
    const best = front(all);
    const steps = best
      .map((one, n) => `${n ? `H${x.place(one.x)}V${y.place(one.y)}` : `M${x.place(one.x)},${y.place(one.y)}`}`)
      .join("");
    const line = svg("path", {
      d: `${steps}H${right}`,
      fill: "none",
      stroke: "var(--accent)",
      "stroke-width": 1.5,
      "stroke-dasharray": "5 3",
    });
    const lines = bounds.map((one) =>
      svg("line", { x1: left, x2: right, y1: y.place(one.y), y2: y.place(one.y), stroke: one.color, "stroke-dasharray": "2 3" }),
    );
    const dots = all.map((one) =>
      tooltip(
        svg("circle", {
          cx: x.place(one.x),
          cy: y.place(one.y),
          r: best.includes(one) ? 7 : 5,
          fill: rowColor(one.row.id),
          stroke: best.includes(one) ? "var(--ink)" : "none",
          "stroke-width": 1.5,
        }),
        `${one.row.label}\n${wordsOf(cost)}: ${shown(one.x)}\n${wordsOf(metric)}: ${shown(one.y)}`,
      ),
    );
    const axes = [...xAxis(x, top, bottom, width < 560 ? 3 : 7), ...yAxis(y, left, right)];
    return [
      axisName(`${wordsOf(metric)}, ${higherIsBetter(metric) ? "more" : "less"} is better`, "left"),
      svg(
        "svg",
        { viewBox: `0 0 ${width} ${bottom + 22}`, height: bottom + 22, role: "img", "aria-label": `${wordsOf(metric)} against ${wordsOf(cost)}` },
        ...axes,
        line,
        ...lines,
        ...dots,
      ),
      axisName(wordsOf(cost), "right"),
      colorKey(
        all.map((one) => one.row.id),
        bounds.map((one) => [one.name, one.color]),
      ),
    ];
  };

  const redraw = responsive(section.querySelector(".chart"), draw);
  const controls = section.querySelector(".controls");
  if (cost)
    chooser(
      controls,
      "compute",
      DATA.compute.map((name) => [name, wordsOf(name)]),
      cost,
      (value) => {
        cost = value;
        redraw();
      },
    );
  chooser(controls, "quality", metricOptions(), metric, (value) => {
    metric = value;
    redraw();
  });
}
