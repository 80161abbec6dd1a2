// Every method's mean difference to the input, with its confidence interval.
"use strict";

{
  const section = document.getElementById("intervals");
  let metric = DATA.main;

  const draw = (width) => {
    const rows = DATA.rows.filter((row) => row.toInput[metric]);
    if (!rows.length) return [html("p", { class: "legend" }, "No method has scores per test pair.")];
    const narrow = width < 560;
    const [left, step, top] = [narrow ? 8 : Math.min(360, width * 0.38), narrow ? 42 : 24, 8];
    const bottom = top + rows.length * step;
    const scale = numberScale([0, ...rows.flatMap((row) => row.toInput[metric])], left + 8, width - 14);
    const marks = rows.flatMap((row, position) =>
      whisker(row, top + (position + 0.5) * step + (narrow ? 9 : 0), narrow, left, scale),
    );
    const zero = svg("line", {
      x1: scale.place(0),
      x2: scale.place(0),
      y1: top,
      y2: bottom,
      stroke: "var(--faint)",
      "stroke-dasharray": "4 3",
    });
    const arrow = higherIsBetter(metric) ? "better →" : "← better";
    const axis = xAxis(scale, top, bottom, narrow ? 4 : 8);
    return [
      svg(
        "svg",
        {
          viewBox: `0 0 ${width} ${bottom + 22}`,
          height: bottom + 22,
          role: "img",
          "aria-label": `Difference to the input in ${wordsOf(metric)}`,
        },
        ...axis,
        zero,
        ...marks,
      ),
      axisName(`${wordsOf(metric)}, minus the input's, ${arrow}`, "right"),
    ];
  };

  const whisker = (row, y, narrow, left, scale) => {
    const [mean, low, high] = row.toInput[metric];
    const gain = higherIsBetter(metric) ? mean : -mean;
    const color = low <= 0 && high >= 0 ? "var(--faint)" : gain > 0 ? "var(--good)" : "var(--bad)";
    const size = narrow ? 52 : Math.floor(left / 6.6);
    const text = row.label.length > size ? `${row.label.slice(0, size - 1)}…` : row.label;
    const name = svg(
      "text",
      narrow ? { x: 8, y: y - 10, class: "strong halo" } : { x: left - 8, y: y + 4, "text-anchor": "end", class: "strong" },
      text,
    );
    const bar = svg(
      "g",
      {},
      svg("line", { x1: scale.place(low), x2: scale.place(high), y1: y, y2: y, stroke: color, "stroke-width": 3 }),
      svg("circle", { cx: scale.place(mean), cy: y, r: 5, fill: color }),
      svg("line", { class: "hit", x1: scale.place(low), x2: scale.place(high), y1: y, y2: y }),
    );
    return [name, tooltip(bar, `${row.label}\n${shown(mean)} [${shown(low)}, ${shown(high)}]`)];
  };

  const redraw = responsive(section.querySelector(".chart"), draw);
  chooser(section.querySelector(".controls"), "metric", metricOptions(), metric, (value) => {
    metric = value;
    redraw();
  });
}
