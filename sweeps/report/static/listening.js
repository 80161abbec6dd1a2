// The listening desk: examples, versions, transport, spectrograms, keyboard.
"use strict";

if (DATA.examples.length) {
  const section = document.getElementById("listening");
  const player = new Player(DATA.examples[0].rate);
  const pictures = new Map(); // "example clip" -> columns of the spectrogram
  let [example, wanted, metric] = [DATA.examples[0], "corrupted", DATA.main];

  const controls = section.querySelector(".controls");
  const list = html("ul", { class: "versions", "aria-label": "Versions" });
  const play = html("button", { type: "button", class: "play", onclick: () => player.toggle() }, "Play");
  const slider = html("input", {
    type: "range",
    min: 0,
    max: 1000,
    value: 0,
    "aria-label": "Position",
    oninput: () => player.seek((slider.value / 1000) * example.seconds),
  });
  const time = html("small", {});
  const message = html("p", { class: "note", role: "alert", hidden: true });
  const figures = html("div", {});
  const keys = html("p", { class: "legend" });
  keys.innerHTML =
    "<kbd>space</kbd> play · <kbd>↑</kbd> <kbd>↓</kbd> version · <kbd>x</kbd> corrupted · <kbd>c</kbd> clean · <kbd>1</kbd>–<kbd>9</kbd> methods · <kbd>←</kbd> <kbd>→</kbd> half a second · <kbd>[</kbd> <kbd>]</kbd> example. All versions have one loudness (ITU-R BS.1770).";
  section
    .querySelector(".deck")
    .append(html("div", {}, list), html("div", {}, html("div", { class: "transport" }, play, slider, time), message, figures));
  section.append(keys);

  const audible = () => example.versions.filter(({ id }) => id !== "anchor");
  const buttons = () => [...list.querySelectorAll("button")];

  const choose = async (id) => {
    wanted = id;
    for (const button of buttons()) button.setAttribute("aria-pressed", String(button.dataset.id === id));
    buttons()
      .find((button) => button.dataset.id === id)
      ?.scrollIntoView({ block: "nearest" });
    message.hidden = true;
    try {
      await player.select(id);
      await drawAll();
    } catch (error) {
      message.textContent = error.message;
      message.hidden = false;
    }
  };

  const open = async (index) => {
    const resume = player.playing;
    example = DATA.examples[index];
    picker.value = String(index);
    player.open(example);
    fillList();
    await choose(audible().some(({ id }) => id === wanted) ? wanted : "corrupted");
    if (resume) await player.play();
  };

  const fillList = () =>
    list.replaceChildren(
      ...audible().map(({ id, scores }) => {
        const score = scores[metric] === undefined ? "" : shown(scores[metric]);
        const press = () => choose(id);
        return html(
          "li",
          {},
          html(
            "button",
            { type: "button", "data-id": id, "aria-pressed": String(id === wanted), onclick: press },
            labelOf(id),
            html("b", {}, score),
          ),
        );
      }),
    );

  // The spectrograms of the corrupted, the chosen and the clean version, one above the other.
  const drawAll = async () => {
    const ids = [...new Set(["corrupted", wanted, "clean"])];
    const shot = example;
    const drawn = await Promise.all(
      ids.map((id) =>
        columnsOf(
          shot,
          shot.versions.find((one) => one.id === id),
        ),
      ),
    );
    if (shot !== example || !ids.includes(wanted)) return;
    const top = loudest(drawn[drawn.length - 1]);
    figures.replaceChildren(...ids.map((id, n) => figure(id, drawn[n], top)));
  };

  const columnsOf = async (shot, version) => {
    const key = `${shot.index} ${version.clip}`;
    if (!pictures.has(key)) {
      const buffer = await player.buffer(version);
      pictures.set(key, powers(buffer.getChannelData(0), version.gain, 400));
    }
    return pictures.get(key);
  };

  const figure = (id, columns, top) => {
    const canvas = html("canvas", { "aria-label": `Spectrogram of ${labelOf(id)}` });
    paint(canvas, columns, top);
    const jump = (event) => {
      const box = canvas.getBoundingClientRect();
      player.seek(((event.clientX - box.left) / box.width) * example.seconds);
      if (id !== wanted) choose(id);
    };
    return html(
      "figure",
      { class: `picture${id === wanted ? " on" : ""}`, onclick: jump },
      canvas,
      html("figcaption", {}, labelOf(id)),
      html("figcaption", { class: "rate" }, `${shown(example.rate / 2000)} kHz`),
      html("i", {}),
    );
  };

  const step = (by) => {
    const ids = audible().map(({ id }) => id);
    return choose(ids[(ids.indexOf(wanted) + by + ids.length) % ids.length]);
  };
  const move = (by) => open((DATA.examples.indexOf(example) + by + DATA.examples.length) % DATA.examples.length);
  const method = (n) =>
    audible()
      .map(({ id }) => id)
      .filter((id) => id !== "corrupted" && id !== "clean")[n];

  const KEYS = {
    " ": () => player.toggle(),
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    x: () => choose("corrupted"),
    c: () => choose("clean"),
    ArrowLeft: () => player.seek(player.position - 0.5),
    ArrowRight: () => player.seek(player.position + 0.5),
    "[": () => move(-1),
    "]": () => move(1),
  };
  const pressed = (event) => {
    const inside = section.contains(document.activeElement) || (document.activeElement === document.body && isVisible());
    if (typing(event) || !inside || (event.target === slider && event.key.startsWith("Arrow"))) return;
    const action =
      KEYS[event.key] ?? (/^[1-9]$/.test(event.key) && method(event.key - 1) ? () => choose(method(event.key - 1)) : null);
    if (!action) return;
    event.preventDefault();
    action();
  };
  const isVisible = () => {
    const box = section.getBoundingClientRect();
    return box.top < innerHeight * 0.8 && box.bottom > innerHeight * 0.2;
  };
  document.addEventListener("keydown", pressed);
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target.matches("#listening button")) event.preventDefault();
  });

  const tick = () => {
    const share = player.position / example.seconds;
    if (document.activeElement !== slider || player.playing) slider.value = String(Math.round(share * 1000));
    time.textContent = `${player.position.toFixed(1)} / ${example.seconds.toFixed(1)} s`;
    for (const line of figures.querySelectorAll("i")) line.style.left = `${100 * share}%`;
    if (player.playing) requestAnimationFrame(tick);
  };
  player.onchange = () => {
    play.textContent = player.playing ? "Pause" : "Play";
    requestAnimationFrame(tick);
  };

  const picker = chooser(
    controls,
    "example",
    DATA.examples.map((one, n) => [String(n), `${one.index}: ${one.file}`]),
    "0",
    (value) => open(Number(value)),
  );
  chooser(controls, "score", metricOptions(), metric, (value) => {
    metric = value;
    fillList();
  });
  window.clarionPlayer = player;
  // The sounds of the first example are loaded when the desk comes into view, so that the page opens at once.
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    open(0);
  });
  seen.observe(section);
}
