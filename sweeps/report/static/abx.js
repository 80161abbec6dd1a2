// An ABX trial: X is either A or B, which are two known versions; the listener says which.
"use strict";

function abxTrial(area, player, example, pair, title, done) {
  const [a, b] = shuffled(pair);
  const x = Math.random() < 0.5 ? a : b;
  const heard = new Set();

  let playing = null;
  const listen = async (button, name, id) => {
    playing = button;
    for (const other of area.querySelectorAll(".listen")) other.setAttribute("aria-pressed", String(other === button));
    await player.select(id);
    await player.play();
    if (playing !== button) return;
    button.classList.add("heard");
    heard.add(name);
    for (const choice of choices) choice.disabled = heard.size < 3;
  };
  const listenButton = (name, id) => {
    const button = html(
      "button",
      { type: "button", class: "listen", "aria-pressed": "false", "data-name": name, onclick: () => listen(button, name, id) },
      name,
    );
    return button;
  };
  const answer = (said) => {
    player.pause();
    done([{ example: example.index, a, b, x, answer: said }]);
  };
  const choices = [
    ["X is A", a],
    ["X is B", b],
  ].map(([text, said]) =>
    html("button", { type: "button", class: "primary", disabled: true, onclick: () => answer(said) }, text),
  );

  area.replaceChildren(
    html("h2", {}, title),
    html(
      "p",
      { class: "legend" },
      "X is the same as A or as B. Switch as often as you like; playing goes on at the same position.",
    ),
    html(
      "div",
      { class: "actions" },
      listenButton("A", a),
      listenButton("B", b),
      listenButton("X", x),
      html("button", { type: "button", onclick: () => player.pause() }, "Pause"),
    ),
    html("div", { class: "actions" }, ...choices),
    keyLegend([
      ["a", "A"],
      ["b", "B"],
      ["x", "X"],
      ["space", "pause"],
      ["1", "X is A"],
      ["2", "X is B"],
    ]),
  );
  const click = (name) => () => area.querySelector(`[data-name="${name}"]`).click();
  return {
    a: click("A"),
    b: click("B"),
    x: click("X"),
    " ": () => player.toggle(),
    1: () => choices[0].click(),
    2: () => choices[1].click(),
  };
}
