// What all charts share: scales, ticks, colors, tooltips, and drawing again when the page changes its width.
"use strict";

const known = (value) => typeof value === "number" && Number.isFinite(value);

function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) ticks.push(n * step);
  return ticks;
}

// A scale maps values to pixels; `log` where the values are positive and span more than a factor of 20; else it
// shows at least some span around them.
function numberScale(values, from, to, log = false, least = 0) {
  const finite = values.filter(known);
  let [low, high] = [Math.min(...finite), Math.max(...finite)];
  const logarithmic = log && low > 0 && high / low > 20;
  if (low === high)
    [low, high] = logarithmic ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const missing = logarithmic ? 0 : Math.max(0, least - (high - low)) / 2;
  [low, high] = [low - missing, high + missing];
  const f = logarithmic ? Math.log10 : (value) => value;
  const place = (value) => from + ((f(value) - f(low)) / (f(high) - f(low))) * (to - from);
  const ticks = (count) => {
    if (!logarithmic) return linearTicks(low, high, count);
    const powers = linearTicks(Math.floor(f(low)), Math.ceil(f(high)), count)
      .filter((n) => Number.isInteger(n))
      .map((n) => 10 ** n);
    const inside = powers.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    return inside.length > 1 ? inside : [low, high];
  };
  return { place, ticks };
}

// Numbers in falling order, then texts, then what some runs do not have.
function categories(values) {
  const rank = (value) => (known(value) ? 0 : (value ?? null) === null ? 2 : 1);
  const distinct = [...new Map(values.map((value) => [shown(value), value])).values()];
  return distinct.sort((one, other) => rank(one) - rank(other) || (known(one) ? other - one : 0)).map(shown);
}

function categoryScale(values, from, to) {
  const order = categories(values);
  const step = (to - from) / Math.max(1, order.length);
  return { place: (value) => from + (order.indexOf(shown(value)) + 0.5) * step, ticks: () => order, order };
}

// Few rows have colors of their own (Okabe and Ito's, told apart by color-blind eyes too); many are colored by their rank; no
// color is too dark or too light for either theme.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f"];
const STOPS = [
  [112, 82, 180],
  [59, 116, 172],
  [33, 150, 140],
  [94, 196, 98],
  [236, 200, 40],
];

function ramp(share) {
  const at = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
  const low = Math.min(Math.floor(at), STOPS.length - 2);
  return `rgb(${STOPS[low].map((value, i) => Math.round(value + (STOPS[low + 1][i] - value) * (at - low))).join(",")})`;
}

const LEARNED = DATA.rows.filter((row) => row.seeds > 0);

function rowColor(id) {
  const position = LEARNED.findIndex((row) => row.id === id);
  if (position < 0) return "var(--faint)";
  return LEARNED.length <= PALETTE.length ? PALETTE[position] : ramp(1 - position / (LEARNED.length - 1));
}

// What the colors mean of the rows that a chart shows; `lines` are [name, color] of its dashed lines.
function colorKey(ids, lines = []) {
  const dashes = lines.map(([name, color]) => html("span", { class: "dash", style: `--swatch:${color}` }, name));
  if (LEARNED.length > PALETTE.length) {
    return html(
      "div",
      { class: "key" },
      html("span", { style: `--swatch:${ramp(1)}` }, `best ${wordsOf(DATA.main)}`),
      html("span", { style: `--swatch:${ramp(0)}` }, `worst ${wordsOf(DATA.main)}`),
      ...dashes,
    );
  }
  return html(
    "div",
    { class: "key" },
    ...LEARNED.filter(({ id }) => ids.includes(id)).map((row) =>
      html("span", { style: `--swatch:${rowColor(row.id)}` }, row.label),
    ),
    ...dashes,
  );
}

const tip = document.getElementById("tip");

function tooltip(node, text) {
  const place = (event) => {
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 6)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 6)}px`;
  };
  node.addEventListener("pointerenter", (event) => {
    tip.textContent = text;
    tip.classList.add("on");
    place(event);
  });
  node.addEventListener("pointermove", place);
  node.addEventListener("pointerleave", () => tip.classList.remove("on"));
  node.append(svg("title", {}, text));
  return node;
}

// Fade all other lines of a chart while the pointer is on one.
function highlight(node, lines, line) {
  node.addEventListener("pointerenter", () => lines.forEach((other) => other.classList.toggle("faded", other !== line)));
  node.addEventListener("pointerleave", () => lines.forEach((other) => other.classList.remove("faded")));
}

// Call `draw(width)` for the element now and whenever its width changes.
function responsive(element, draw) {
  let width = 0;
  const redraw = () => {
    if (element.clientWidth) element.replaceChildren(...draw(element.clientWidth));
  };
  new ResizeObserver(() => {
    if (Math.abs(element.clientWidth - width) < 2) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
  return redraw;
}

// The name of an axis, over or under the drawing: it may be longer than a phone is wide.
const axisName = (text, place) => html("p", { class: `axis ${place}` }, text);

function xAxis(scale, top, bottom, count) {
  return scale
    .ticks(count)
    .flatMap((value) => [
      svg("line", { class: "grid", x1: scale.place(value), x2: scale.place(value), y1: top, y2: bottom }),
      svg("text", { x: scale.place(value), y: bottom + 16, "text-anchor": "middle" }, shown(value)),
    ]);
}

function yAxis(scale, left, right) {
  return scale
    .ticks(6)
    .flatMap((value) => [
      svg("line", { class: "grid", x1: left, x2: right, y1: scale.place(value), y2: scale.place(value) }),
      svg("text", { x: left - 6, y: scale.place(value) + 4, "text-anchor": "end" }, shown(value)),
    ]);
}
