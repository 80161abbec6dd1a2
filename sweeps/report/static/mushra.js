// A MUSHRA trial (ITU-R BS.1534-3): the open reference, and in random order the hidden reference, the anchor and the methods,
// each to be heard and rated from 0 to 100.
"use strict";

function mushraTrial(area, player, example, conditions, title, done) {
  const order = shuffled(conditions);
  const rated = new Map();
  const heard = new Set();
  let playing = null;

  const listen = async (button, id) => {
    playing = button;
    for (const other of area.querySelectorAll(".listen")) other.setAttribute("aria-pressed", String(other === button));
    await player.select(id);
    await player.play();
    if (playing !== button) return;
    button.classList.add("heard");
    if (button.dataset.position) heard.add(Number(button.dataset.position));
    update();
  };
  const listenButton = (name, id, position) => {
    const button = html(
      "button",
      { type: "button", class: "listen", "aria-pressed": "false", "data-position": position, onclick: () => listen(button, id) },
      name,
    );
    return button;
  };

  const row = (id, position) => {
    const name = String.fromCharCode(65 + position);
    const value = html("output", {}, "–");
    const rate = () => {
      rated.set(position, Number(slider.value));
      value.textContent = slider.value;
      update();
    };
    const slider = html("input", {
      type: "range",
      min: 0,
      max: 100,
      value: 0,
      "aria-label": `Quality of ${name}`,
      oninput: rate,
      onpointerup: rate,
      onkeyup: (event) => event.key !== "Tab" && rate(),
    });
    return html("div", { class: "stimulus" }, listenButton(name, id, String(position)), slider, value);
  };

  const next = html("button", { type: "button", class: "primary", disabled: true, onclick: () => finish() }, "Next");
  const missing = html("small", {});
  const update = () => {
    const left = order.length - order.filter((_, position) => heard.has(position) && rated.has(position)).length;
    next.disabled = left > 0;
    missing.textContent = left ? `${left} still to be heard and rated` : "";
  };
  const finish = () => {
    player.pause();
    done(order.map((condition, position) => ({ example: example.index, condition, score: rated.get(position), position })));
  };

  const pause = html("button", { type: "button", onclick: () => player.pause() }, "Pause");
  area.replaceChildren(
    html("h2", {}, title),
    html(
      "p",
      { class: "legend" },
      "How near is each version to the reference? One of them is the reference itself. All have one loudness.",
    ),
    html("div", { class: "actions" }, listenButton("Reference", "clean", null), pause),
    html(
      "div",
      { class: "scale", "aria-hidden": "true" },
      ...["bad", "poor", "fair", "good", "excellent"].map((word) => html("span", {}, word)),
    ),
    ...order.map(row),
    html("div", { class: "actions" }, next, missing),
    keyLegend([
      ["r", "reference"],
      ["a", "first version, and so on"],
      ["space", "pause"],
      ["n", "next"],
    ]),
  );
  update();
  return {
    r: () => area.querySelector(".actions .listen").click(),
    " ": () => player.toggle(),
    n: () => next.click(),
    ...Object.fromEntries(
      order.map((_, position) => [
        String.fromCharCode(97 + position),
        () => area.querySelector(`[data-position="${position}"]`).click(),
      ]),
    ),
  };
}
