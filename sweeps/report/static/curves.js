// Learning curves of all runs.
"use strict";

{
  const section = document.getElementById("curves");
  const names = [...new Set(DATA.runs.flatMap((run) => Object.keys(run.curves)))].sort();
  const usual = [`val/${DATA.main}`, "val/loss", "train/loss"].find((name) => names.includes(name));
  let name = usual ?? names[0];

  const draw = (width) => {
    const runs = DATA.runs.filter((run) => run.curves[name]);
    const points = runs.flatMap((run) => run.curves[name]).filter(([, value]) => known(value));
    if (!points.length) return [html("p", { class: "legend" }, "No run kept a history.")];
    const [left, right, top, bottom] = [52, width - 12, 10, 282];
    const x = numberScale([0, ...points.map(([step]) => step)], left, right);
    const y = numberScale(
      points.map(([, value]) => value),
      bottom,
      top,
      name.includes("loss"),
      leastSpan(name),
    );
    const lines = runs.map((run) => line(run, x, y));
    lines.forEach((one) => highlight(one, lines, one));
    const axes = [...xAxis(x, top, bottom, width < 560 ? 4 : 8), ...yAxis(y, left, right)];
    return [
      axisName(wordsOf(name), "left"),
      svg(
        "svg",
        { viewBox: `0 0 ${width} ${bottom + 22}`, height: bottom + 22, role: "img", "aria-label": `Learning curves of ${wordsOf(name)}` },
        ...axes,
        ...lines,
      ),
      axisName("training step", "right"),
      colorKey(runs.map((run) => run.row)),
    ];
  };

  const line = (run, x, y) => {
    const kept = run.curves[name].filter(([, value]) => known(value));
    const points = kept.map(([step, value]) => `${x.place(step).toFixed(1)},${y.place(value).toFixed(1)}`).join(" ");
    const color = rowColor(run.row);
    const last = kept[kept.length - 1];
    const end = svg("circle", { cx: x.place(last[0]), cy: y.place(last[1]), r: 2.5, fill: color });
    const group = svg(
      "g",
      {},
      svg("polyline", { points, fill: "none", stroke: color, "stroke-width": 1.6 }),
      end,
      svg("polyline", { points, class: "hit" }),
    );
    return tooltip(group, `${run.name}\n${labelOf(run.row)}, seed ${run.seed}\nlast: ${shown(last[1])}`);
  };

  const redraw = responsive(section.querySelector(".chart"), draw);
  if (names.length)
    chooser(
      section.querySelector(".controls"),
      "curve",
      names.map((one) => [one, wordsOf(one)]),
      name,
      (value) => {
        name = value;
        redraw();
      },
    );
}
