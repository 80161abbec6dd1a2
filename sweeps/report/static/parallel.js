// The sweep as parallel coordinates: a line per run through its settings to what it scored.
"use strict";

const MOST_AXES = 8;
const TICK_PIXELS = 15;
const SETTINGS = DATA.keys.map(({ key, short }) => ({ name: short, of: (run) => run.settings[key] }));

if (SETTINGS.length) {
  const section = document.getElementById("sweep");
  let metric = DATA.main;

  const axisOf = ({ name, of }, x, top, bottom) => {
    const values = DATA.runs.map(of);
    const numeric = values.every(known);
    const scale = numeric ? numberScale(values, bottom, top, true) : categoryScale(values, top, bottom);
    const few = [...new Set(values)].sort((one, other) => scale.place(one) - scale.place(other));
    const apart = few.every((value, n) => n === 0 || scale.place(value) - scale.place(few[n - 1]) >= TICK_PIXELS);
    return { name, of, x, place: scale.place, ticks: numeric && few.length <= 6 && apart ? few : scale.ticks(5), numeric };
  };

  const drawAxis = (axis, top, bottom, last, width) => {
    const end = axis.x > width - 60;
    const size = Math.max(6, Math.floor(width / (Math.min(SETTINGS.length, MOST_AXES) + 1) / 7.2));
    const text = axis.name.length > size ? `${axis.name.slice(0, size - 1)}…` : axis.name;
    return [
      svg("line", { class: "axis", x1: axis.x, x2: axis.x, y1: top, y2: bottom }),
      svg(
        "text",
        { x: axis.x, y: top - 26, class: "strong", "text-anchor": axis.x < 40 ? "start" : "middle" },
        last ? "" : text,
      ),
      ...axis.ticks.map((value) =>
        svg(
          "text",
          { class: "halo", x: axis.x + (end ? -6 : 6), y: axis.place(value) - 6, "text-anchor": end ? "end" : "start" },
          shown(value),
        ),
      ),
    ];
  };

  const draw = (width) => {
    const [top, bottom, left] = [46, 304, 12];
    const all = [...SETTINGS.slice(0, MOST_AXES), { name: wordsOf(metric), of: (run) => run.means[metric] }];
    const step = (width - 2 * left) / (all.length - 1);
    const axes = all.map((axis, position) => axisOf(axis, left + position * step, top, bottom));
    const scores = DATA.runs.map((run) => run.means[metric]).filter(known);
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
    const runs = DATA.runs.filter((run) => known(run.means[metric]));
    const lines = runs.map((run) => {
      const points = axes.map((axis) => `${axis.x},${axis.place(axis.of(run))}`).join(" ");
      const color = ramp(higherIsBetter(metric) ? share(run.means[metric]) : 1 - share(run.means[metric]));
      const text = [run.name, ...all.map((axis) => `${axis.name}: ${shown(axis.of(run))}`)].join("\n");
      return tooltip(
        svg(
          "g",
          {},
          svg("polyline", { points, fill: "none", stroke: color, "stroke-width": 2 }),
          svg("polyline", { points, class: "hit" }),
        ),
        text,
      );
    });
    lines.forEach((line) => highlight(line, lines, line));
    const frame = axes.flatMap((axis, position) => drawAxis(axis, top, bottom, position === all.length - 1, width));
    return [
      axisName(wordsOf(metric), "right"),
      svg(
        "svg",
        {
          viewBox: `0 0 ${width} ${bottom + 14}`,
          height: bottom + 14,
          role: "img",
          "aria-label": "Parallel coordinates of the sweep",
        },
        ...lines,
        ...frame,
      ),
    ];
  };

  const redraw = responsive(document.getElementById("parallel"), draw);
  chooser(section.querySelector(".controls"), "metric", metricOptions(), metric, (value) => {
    metric = value;
    redraw();
  });
}
