// Elements, numbers and the data of the page: what every other script uses.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const ROWS = new Map(DATA.rows.map((row) => [row.id, row]));
const GROUPED = new Intl.NumberFormat("en-US");
const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const html = (name, attributes = {}, ...children) => build(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => build(document.createElementNS(SVG, name), attributes, children);

function shown(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value).split(".").length > 2 ? String(value).split(".").pop() : String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return GROUPED.format(value + 0).replace("-", "−");
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  return size !== 0 && size < 1e-4 ? value.toExponential().replace("e-", "e−") : String(+value.toPrecision(3)).replace("-", "−");
}

// A labeled <select>; `change` is told the value at once and whenever it changes.
function chooser(parent, caption, options, chosen, change) {
  const entries = options.map(([value, text]) => html("option", { value, selected: value === chosen }, text));
  const select = html("select", { onchange: () => change(select.value) }, ...entries);
  parent.append(html("label", {}, caption, select));
  return select;
}

// What a metric, a cost or a curve is called, with its unit.
function wordsOf(name) {
  const [stage, ...rest] = name.split("/");
  if (!rest.length) return DATA.words[name] ?? name;
  const quantity = rest.join("/");
  return `${{ val: "validation", train: "training" }[stage] ?? stage}: ${DATA.words[quantity] ?? quantity.replaceAll("_", " ")}`;
}

const metricOptions = () => DATA.metrics.map(({ name, words }) => [name, words]);
const higherIsBetter = (metric) => DATA.metrics.find(({ name }) => name === metric).higher;
const leastSpan = (name) => DATA.leastSpans[name.split("/").pop()] ?? 0;
const labelOf = (id) => ({ clean: "clean", anchor: "anchor" })[id] ?? ROWS.get(id)?.label ?? id;
