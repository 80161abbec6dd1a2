// The sweep as a heat map: any two settings against any metric, averaged over the runs of a field.
"use strict";

if (SETTINGS.length > 1) {
  const withBoth = (one, other) => DATA.runs.filter((run) => [one, other].every((axis) => (axis.of(run) ?? null) !== null));

  // The two settings that most runs have, the first ones of several such pairs; the model itself is the last choice.
  const firstPair = () => {
    const axes = SETTINGS.filter(({ name }) => name !== "model" || SETTINGS.length < 3);
    const pairs = axes.flatMap((one, n) => axes.slice(n + 1).map((other) => [one, other]));
    const most = Math.max(...pairs.map((pair) => withBoth(...pair).length));
    return pairs.find((pair) => withBoth(...pair).length === most) ;
  };

  let [[down, across], metric] = [firstPair(), DATA.main];
  const runsWithBoth = () => withBoth(down, across);

  const ordered = (axis) => {
    const values = [...new Map(runsWithBoth().map((run) => [shown(axis.of(run)), axis.of(run)])).values()];
    return values.every(known) ? values.sort((a, b) => a - b) : values;
  };

  const fields = () =>
    ordered(down).flatMap((y, row) =>
      ordered(across).map((x, column) => {
        const runs = runsWithBoth().filter(
          (run) => shown(across.of(run)) === shown(x) && shown(down.of(run)) === shown(y) && known(run.means[metric]),
        );
        const mean = runs.length ? runs.reduce((sum, run) => sum + run.means[metric], 0) / runs.length : null;
        return { x, y, row, column, mean, runs };
      }),
    );

  const field = ({ x, y, mean, runs }, px, py, w, h, share, best) => {
    if (mean === null) return svg("rect", { x: px, y: py, width: w, height: h, fill: "var(--grid)" });
    const text = `${across.name}: ${shown(x)}\n${down.name}: ${shown(y)}\n${wordsOf(metric)}: ${shown(mean)} (${runs.length} run${runs.length > 1 ? "s" : ""})`;
    return tooltip(
      svg(
        "g",
        {},
        svg("rect", {
          x: px,
          y: py,
          width: w,
          height: h,
          fill: ramp(share),
          stroke: best ? "var(--ink)" : "none",
          "stroke-width": 3,
        }),
        svg(
          "text",
          { x: px + w / 2, y: py + h / 2 + 4, "text-anchor": "middle", style: `fill:${share > 0.55 ? "#111" : "#fff"}` },
          w > 34 ? shown(mean) : "",
        ),
      ),
      text,
    );
  };

  const draw = (width) => {
    const [columns, rows] = [ordered(across), ordered(down)];
    const left = Math.min(160, Math.max(46, ...rows.map((value) => shown(value).length * 7 + 12)));
    const [w, h, top] = [Math.min(150, (width - left - 6) / columns.length), 38, 26];
    const all = fields();
    if (!all.length) return [html("p", { class: "legend" }, `No run has both ${down.name} and ${across.name}.`)];
    const means = all.map(({ mean }) => mean).filter(known);
    const [low, high] = [Math.min(...means), Math.max(...means)];
    const sign = higherIsBetter(metric);
    const share = (mean) => (high > low ? (sign ? mean - low : high - mean) / (high - low) : 0.5);
    const cells = all.map((one) =>
      field(
        one,
        left + one.column * w + 1,
        top + one.row * h + 1,
        w - 2,
        h - 2,
        share(one.mean),
        high > low && one.mean === (sign ? high : low),
      ),
    );
    const bottom = top + rows.length * h;
    const texts = [
      svg("text", { x: 2, y: 14, class: "strong" }, `${down.name} ↓   ${across.name} →`),
      ...rows.map((value, row) => svg("text", { x: left - 6, y: top + (row + 0.5) * h + 4, "text-anchor": "end" }, shown(value))),
      ...columns.map((value, column) =>
        svg(
          "text",
          { x: left + (column + 0.5) * w, y: bottom + 16, "text-anchor": "middle" },
          w > 30 || column % 2 === 0 ? shown(value) : "",
        ),
      ),
    ];
    return [
      svg(
        "svg",
        { viewBox: `0 0 ${width} ${bottom + 22}`, height: bottom + 22, role: "img", "aria-label": `Heat map of ${wordsOf(metric)}` },
        ...cells,
        ...texts,
      ),
    ];
  };

  const redraw = responsive(document.getElementById("heat"), draw);
  const controls = document.getElementById("heat-controls");
  const keys = SETTINGS.map(({ name }) => [name, name]);
  const named = (name) => SETTINGS.find((axis) => axis.name === name);
  chooser(controls, "down", keys, down.name, (value) => {
    down = named(value);
    redraw();
  });
  chooser(controls, "across", keys, across.name, (value) => {
    across = named(value);
    redraw();
  });
  chooser(controls, "metric", metricOptions(), metric, (value) => {
    metric = value;
    redraw();
  });
}
