// The blind test from its setup over its trials to the file of answers.
"use strict";

const MOST_METHODS = 6; // chosen at first: nobody rates fifty versions at once
const LARGEST_TRIAL = 12; // versions, the hidden reference and the anchor among them, as BS.1534-3 advises
const ABX_TRIALS = 12;

function shuffled(values) {
  const order = [...values];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function keyLegend(keys) {
  const parts = keys.flatMap(([key, meaning]) => [html("kbd", {}, key), ` ${meaning} · `]);
  parts.push(String(parts.pop()).replace(" · ", ""));
  return html("p", { class: "legend" }, ...parts);
}

{
  const [setup, area, results] = ["setup", "trial", "results"].map((id) => document.getElementById(id));
  const form = setup.querySelector("form");
  const player = new Player(DATA.examples[0]?.rate ?? 48000);
  const heard = DATA.rows.filter((row) => DATA.examples.some((example) => example.versions.some(({ id }) => id === row.id)));
  let shortcuts = {};

  const check = (row, n) =>
    html(
      "label",
      {},
      html("input", { type: "checkbox", name: "condition", value: row.id, checked: n <= MOST_METHODS && row.kind !== "oracle" }),
      ` ${row.label}`,
    );
  const sideOptions = (chosen) =>
    [...heard.map((row) => [row.id, row.label]), ["clean", "clean"]].map(([value, text]) =>
      html("option", { value, selected: value === chosen }, text),
    );
  const radio = (value, text, checked) =>
    html("label", {}, html("input", { type: "radio", name: "test", value, checked }), ` ${text}`);

  const about = html("p", { class: "about", role: "status" });
  form.append(
    html(
      "fieldset",
      {},
      html("legend", {}, "Test"),
      radio("mushra", "MUSHRA: rate every version from 0 to 100 against the clean one", true),
      radio("abx", "ABX: tell two versions apart", false),
    ),
    about,
    html(
      "fieldset",
      {},
      html("legend", {}, "You"),
      html("label", {}, "name, if you like ", html("input", { type: "text", name: "listener", maxlength: 60 })),
    ),
    html(
      "details",
      {},
      html("summary", {}, "For who prepares the test: choose the versions (shows their names)"),
      html(
        "fieldset",
        { "data-for": "mushra" },
        html("legend", {}, "Versions (the hidden reference and the anchor join them)"),
        ...heard.map(check),
      ),
      html(
        "fieldset",
        { "data-for": "abx", hidden: true },
        html("legend", {}, "Versions"),
        html(
          "label",
          {},
          "one ",
          html("select", { name: "one" }, ...sideOptions(heard.find(({ kind }) => kind === "learned")?.id ?? "corrupted")),
        ),
        html("label", {}, "other ", html("select", { name: "other" }, ...sideOptions("clean"))),
      ),
    ),
    html(
      "div",
      { class: "actions" },
      html("button", { type: "submit", class: "primary" }, "Start"),
      html("small", { role: "alert", id: "problem" }),
    ),
  );
  form.addEventListener("change", () => {
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== form.elements.test.value;
    tell();
  });

  // What is compared, and the examples that have all of it.
  const chosen = (test) => {
    const wanted = [...form.querySelectorAll("[name=condition]:checked")].map(({ value }) => value);
    const pair = [form.elements.one.value, form.elements.other.value];
    const needed = test === "mushra" ? wanted : pair;
    const fits = (example) => needed.every((id) => example.versions.some((version) => version.id === id));
    return { wanted, pair, examples: DATA.examples.filter(fits) };
  };

  // Say beforehand how many trials there are, how long they take, and where the answers go.
  const tell = () => {
    const test = form.elements.test.value;
    const { wanted, examples } = chosen(test);
    const abx = test === "abx";
    const trials = abx && examples.length ? Math.max(ABX_TRIALS, examples.length) : examples.length;
    const listens = abx ? 4 : 1.5 * (wanted.length + 2); // times a clip is played in a trial
    const mean = examples.reduce((sum, { seconds }) => sum + seconds, 0) / Math.max(1, examples.length);
    const minutes = Math.max(1, Math.round((trials * (listens * (mean + 1) + 5)) / 60));
    const each = abx ? "three sounds each" : `${wanted.length + 2} versions to rate in each`;
    about.textContent =
      `${trials} trial${trials === 1 ? "" : "s"}, ${each}, about ${minutes} minute${minutes === 1 ? "" : "s"}. ` +
      "Use headphones in a quiet place. Which method is which is shown when you are done. Nothing is sent: your answers stay on this " +
      "page until you save them as a file at the end, for whoever asked you.";
  };

  // The trials of a test: functions that show one and tell `done` its votes.
  const plan = (test) => {
    const { wanted, pair, examples: all } = chosen(test);
    const examples = shuffled(all);
    const problems = [
      [test === "mushra" && !wanted.length, "choose at least one version"],
      [test === "mushra" && wanted.length > LARGEST_TRIAL - 2, `choose at most ${LARGEST_TRIAL - 2} versions`],
      [test === "abx" && pair[0] === pair[1], "choose two different versions"],
      [!examples.length, "no example has all of these versions"],
    ];
    const problem = problems.find(([there]) => there)?.[1];
    document.getElementById("problem").textContent = problem ?? "";
    if (problem) return [];
    if (test === "mushra")
      return examples.map(
        (example) => (title, done) => mushraTrial(area, player, opened(example), ["clean", "anchor", ...wanted], title, done),
      );
    const count = Math.max(ABX_TRIALS, examples.length);
    return Array.from({ length: count }, (_, n) => examples[n % examples.length]).map(
      (example) => (title, done) => abxTrial(area, player, opened(example), pair, title, done),
    );
  };
  const opened = (example) => {
    player.open(example);
    return example;
  };

  const run = (test) => {
    const trials = plan(test);
    if (!trials.length) return;
    const session = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const ballot = {
      evaluation: DATA.evaluation,
      session,
      listener: form.elements.listener.value.trim(),
      test,
      started: new Date().toISOString(),
      votes: [],
    };
    const show = (number) => {
      if (number === trials.length) return finish(ballot);
      shortcuts = trials[number](`Trial ${number + 1} of ${trials.length}`, (votes) => {
        ballot.votes.push(...votes);
        show(number + 1);
      });
      return undefined;
    };
    [setup.hidden, area.hidden] = [true, false];
    addEventListener("beforeunload", warn);
    show(0);
  };
  const warn = (event) => event.preventDefault();

  const finish = (ballot) => {
    ballot.finished = new Date().toISOString();
    shortcuts = {};
    [area.hidden, results.hidden] = [true, false];
    document.getElementById("save-json").onclick = () => save(ballot, "json", JSON.stringify(ballot, null, 1));
    document.getElementById("save-csv").onclick = () => save(ballot, "csv", asCsv(ballot));
    document.getElementById("summary").replaceChildren(summary(ballot));
  };

  const asCsv = ({ votes, evaluation, session, listener, test }) => {
    const rows = votes.map((vote) => ({ evaluation, session, listener, test, ...vote }));
    const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
    return [Object.keys(rows[0]), ...rows.map(Object.values)].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  };

  const save = ({ test, session }, suffix, text) => {
    removeEventListener("beforeunload", warn);
    const link = html("a", {
      href: URL.createObjectURL(new Blob([text], { type: suffix === "csv" ? "text/csv" : "application/json" })),
      download: `votes-${test}-${session}.${suffix}`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const summary = ({ test, votes }) => {
    if (test === "abx") {
      const right = votes.filter(({ x, answer }) => x === answer).length;
      return html("p", {}, `${right} of ${votes.length} right; guessing gives ${votes.length / 2} on average.`);
    }
    const mean = (id) => {
      const own = votes.filter(({ condition }) => condition === id);
      return own.reduce((sum, { score }) => sum + score, 0) / own.length;
    };
    const rows = [...new Set(votes.map(({ condition }) => condition))].sort((one, other) => mean(other) - mean(one));
    return html(
      "table",
      { class: "small" },
      html(
        "tbody",
        {},
        ...rows.map((id) => html("tr", {}, html("th", { scope: "row" }, labelOf(id)), html("td", {}, mean(id).toFixed(1)))),
      ),
    );
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form.elements.test.value);
  });
  document.addEventListener("keydown", (event) => {
    const action = typing(event) || event.repeat ? null : shortcuts[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  tell();
  window.clarionPlayer = player;
}
