"""The pages work from a disk in a real browser: charts, listening without gaps, votes, downloads, phones, and fifty runs."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compare
from sweeps.report import page

Make = Callable[..., Path]
pytestmark = pytest.mark.slow

PRESSED = "document.querySelector('.versions [aria-pressed=true]')"
RECORD = """
window.heard = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target === this.context.destination && !(this instanceof ScriptProcessorNode)) {
    if (!this.context.tape) {
      this.context.tape = this.context.createScriptProcessor(1024, 1, 1);
      this.context.tape.onaudioprocess = (event) => window.heard.push(...event.inputBuffer.getChannelData(0));
      this.context.tape.connect(this.context.destination);
    }
    connect.call(this, this.context.tape);
  }
  return connect.call(this, target, ...rest);
};
"""


@pytest.fixture
def report(make_run: Make, tmp_path: Path) -> Path:
    """Report a sweep of two rates and two seeds, with its sounds beside the page."""
    for number in range(4):
        rate, seed = (0.1, 0.2)[number // 2], number % 2
        folder = make_run(f"run{number}", [7.0 + number] * 6, seed=seed, lr=rate, examples=2)
        (folder / "csv").mkdir()
        (folder / "csv" / "metrics.csv").write_text("step,val/si_sdr_db\n10,5\n20,6.5\n30,7\n", encoding="utf-8")
    assert compare.main([str(tmp_path / "runs"), "-o", str(tmp_path / "report")]) == 0
    return tmp_path / "report"


@pytest.fixture
def large_report(report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the report once more with its sounds beside the page."""
    monkeypatch.setattr(page, "INLINE_CHARACTERS", 0)
    assert compare.main([str(tmp_path / "runs"), "-o", str(report)]) == 0
    return report


def test_charts_are_drawn_without_an_error(browser: Any, report: Path) -> None:
    browser.open(report / "index.html")
    charts = {"intervals": "circle", "parallel": "polyline", "curves": "polyline", "pareto": "circle"}
    for section, marks in charts.items():
        browser.wait(f"document.querySelectorAll('#{section} svg {marks}').length >= 2")
    browser.click(".board thead th:nth-child(1) button")
    names = "[...document.querySelectorAll('.board tbody th')].map(e => e.firstChild.textContent.trim())"
    assert browser.evaluate(names) == ["wiener", "unet lr=0.2", "unet lr=0.1", "corrupted"]
    assert browser.errors == []


def test_axis_of_scores_shows_at_least_what_can_be_heard(browser: Any, make_run: Make, tmp_path: Path) -> None:
    for number in range(2):
        make_run(f"run{number}", [5.0 + number / 1000] * 6, seed=0, lr=0.1 + number)
    assert compare.main([str(tmp_path / "runs"), "-o", str(tmp_path / "report")]) == 0
    browser.open(tmp_path / "report" / "index.html")
    pixels = "(() => { const scale = numberScale([5, 5.001], 0, 1000, false, leastSpan('val/si_sdr_db'));"
    assert browser.evaluate(f"{pixels} return scale.place(5.001) - scale.place(5); }})()") < 1.001
    assert browser.evaluate("leastSpan('train/loss')") == 0


def test_sweep_of_two_models_shows_settings_that_runs_share(browser: Any, make_run: Make, tmp_path: Path) -> None:
    names = {"unet": ("lr", "weight"), "rnn": ("steps", "cells")}
    for name, (first, second) in names.items():
        for number, (x, y) in enumerate([(0.5, 1), (2, 1), (0.5, 3), (2, 3)][: 4 if name == "unet" else 3]):
            values = {"choices": {"model": name, "data": "folder", "corruption": "noise"}, "model": {first: x, second: y}}
            make_run(f"{name}{number}", [7.0 + x - y / 9] * 6, config=values)
    assert compare.main([str(tmp_path / "runs"), "-o", str(tmp_path / "report")]) == 0
    browser.open(tmp_path / "report" / "index.html")
    browser.wait("document.querySelectorAll('#heat svg rect').length === 4")
    chosen = "[...document.querySelectorAll('#heat-controls select')].slice(0, 2).map(e => e.value)"
    assert browser.evaluate(chosen) == ["lr", "weight"]
    second_axis = "[...document.querySelectorAll('#parallel svg text.halo')].slice(2, 5)"
    by_height = f"{second_axis}.sort((a, b) => a.getAttribute('y') - b.getAttribute('y'))"
    texts = browser.evaluate(f"{by_height}.map(e => e.textContent)")
    assert texts == ["3", "1", "–"], "numbers fall from the top, and what a run does not have comes last"
    assert browser.evaluate("document.querySelector('#parallel svg text.strong').textContent") == "model"
    assert browser.errors == []


OVERLAPS = """(() => { const found = [];
for (const drawing of document.querySelectorAll("svg")) {
  const outer = drawing.getBoundingClientRect();
  const written = [...drawing.querySelectorAll("text")].filter((e) => e.textContent);
  const texts = written.map((e) => [e.textContent, e.getBoundingClientRect()]);
  texts.forEach(([name, a], n) => {
    if (a.right > outer.right + 1 || a.left < outer.left - 1) found.push(`${name} is cut`);
    for (const [other, b] of texts.slice(n + 1))
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2)
        found.push(`${name} on ${other}`);
  });
}
return found; })()"""


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_no_text_of_a_chart_lies_on_another_or_is_cut(browser: Any, report: Path, width: int) -> None:
    browser.resize(width, 900)
    browser.open(report / "index.html")
    browser.wait("document.querySelectorAll('#pareto svg circle').length >= 2")
    assert browser.evaluate(OVERLAPS) == []


def test_listener_learns_how_long_it_takes_and_no_name_before_the_end(browser: Any, report: Path) -> None:
    browser.open(report / "blind.html")
    shown = browser.evaluate("document.body.innerText")
    assert "2 trials, 5 versions to rate in each, about 1 minute." in shown
    assert "Nothing is sent" in shown and "save them as a file" in shown
    assert "unet" not in shown and "corrupted" not in shown
    browser.click("[value=abx]")
    assert "12 trials, three sounds each, about 3 minutes." in browser.evaluate("document.body.innerText")
    browser.click("summary")
    assert "unet lr=0.1" in browser.evaluate("document.body.innerText")


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(browser: Any, report: Path, width: int) -> None:
    browser.resize(width, 900)
    for name in ("index.html", "blind.html"):
        browser.open(report / name)
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.click("[value=abx]")
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.click("[value=mushra]")
    browser.click("#setup button")
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def deepest_dip(signal: np.ndarray) -> float:
    """Return the least level of 5 ms relative to the quieter of what goes before and what comes after it."""
    levels = np.sqrt(np.mean(signal.reshape(-1, 40) ** 2, axis=1))
    around = [min(np.median(levels[n - 4 : n]), np.median(levels[n + 1 : n + 5])) for n in range(4, len(levels) - 4)]
    return float(np.min(levels[4:-4] / around))


def test_versions_are_switched_by_keyboard_at_the_same_position_without_a_gap(browser: Any, large_report: Path) -> None:
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=RECORD)
    browser.open(large_report / "index.html")
    browser.evaluate("document.getElementById('listening').scrollIntoView()")
    browser.wait("document.querySelectorAll('#listening canvas').length === 2")
    assert browser.evaluate(f"{PRESSED}.dataset.id") == "corrupted"
    browser.press(" ")
    browser.wait("clarionPlayer.playing")
    browser.wait("heard.length > 6000")
    switches = {"c": "clean", "1": "unet lr=0.2", "ArrowDown": "unet lr=0.1", "x": "corrupted", "ArrowUp": "clean"}
    for key, name in switches.items():
        before, started = browser.evaluate("[clarionPlayer.position, clarionPlayer.context.currentTime]")
        browser.press(key)
        browser.wait(f"{PRESSED}.textContent.startsWith('{name}')")
        browser.wait(f"clarionPlayer.current.id === {PRESSED}.dataset.id")
        after, ended = browser.evaluate("[clarionPlayer.position, clarionPlayer.context.currentTime]")
        assert (after - before) % 1.0 == pytest.approx((ended - started) % 1.0, abs=0.02)
    browser.wait("heard.length > 16000")
    browser.press(" ")
    browser.wait("!clarionPlayer.playing")
    heard = np.array(browser.evaluate("heard"))
    first = int(np.argmax(np.abs(heard) > 1e-3))
    assert deepest_dip(heard[first + 400 : first + 14400]) > 0.6
    assert browser.errors == []


def test_another_example_and_position_are_opened_by_keyboard(browser: Any, report: Path) -> None:
    browser.open(report / "index.html")
    browser.evaluate("document.getElementById('listening').scrollIntoView()")
    browser.wait("document.querySelectorAll('#listening canvas').length === 2")
    browser.press("]")
    browser.wait("document.querySelector('#listening select').value === '1'")
    browser.wait("clarionPlayer.current?.id === 'corrupted'")
    browser.press("ArrowRight")
    assert browser.evaluate("clarionPlayer.position") == 0.5
    browser.press("c")
    browser.wait("clarionPlayer.current.id === 'clean'")
    browser.wait("document.querySelectorAll('#listening canvas').length === 2")
    pixels = "[...document.querySelector('canvas').getContext('2d').getImageData(200, 0, 1, 512).data]"
    column = np.array(browser.evaluate(pixels)).reshape(512, 4)[::-1, :3].sum(axis=1)
    assert abs(int(np.argmax(column)) - 880 / (8000 / 1024)) <= 2  # example 1 is a tone of 880 Hz


def test_missing_sounds_are_explained(browser: Any, large_report: Path) -> None:
    for path in (large_report / "audio").glob("*.js"):
        path.unlink()
    browser.open(large_report / "index.html")
    browser.evaluate("document.getElementById('listening').scrollIntoView()")
    browser.wait("document.querySelector('#listening [role=alert]').textContent.includes('keep the folder audio/ beside')")


def rate_all(browser: Any, trials: int) -> None:
    """Hear every version of every trial and rate the first one 0, the second 10, and so on."""
    for number in range(1, trials + 1):
        browser.wait(f"document.querySelector('#trial h2').textContent === 'Trial {number} of {trials}'")
        assert browser.evaluate("[...document.querySelectorAll('.primary')].find(e => e.textContent === 'Next').disabled")
        count = browser.evaluate("document.querySelectorAll('.stimulus').length")
        for position in range(count):
            browser.click(f"[data-position='{position}']")
            browser.wait(f"document.querySelector(`.heard[data-position='{position}']`) && clarionPlayer.playing")
            browser.evaluate(
                f"(() => {{ const s = document.querySelectorAll('.stimulus input')[{position}]; s.value = {10 * position};"
                " s.dispatchEvent(new Event('input')); })()"
            )
        browser.wait("![...document.querySelectorAll('.primary')].find(e => e.textContent === 'Next').disabled")
        browser.press("n")


def test_mushra_votes_are_cast_saved_and_merged(
    browser: Any, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.open(report / "blind.html")
    browser.evaluate("document.querySelector('[name=listener]').value = 'Ann, \"B\"'")
    browser.click("#setup button")
    text = browser.evaluate("document.getElementById('trial').textContent")
    assert "unet" not in text and "clean" not in text
    rate_all(browser, trials=2)
    browser.wait("!document.getElementById('results').hidden")
    browser.click("#save-json")
    browser.click("#save-csv")
    saved, table = browser.downloaded("json"), browser.downloaded("csv")
    ballot = json.loads(saved.read_text(encoding="utf-8"))
    assert (ballot["test"], ballot["listener"], len(ballot["votes"])) == ("mushra", 'Ann, "B"', 10)
    assert {vote["condition"] for vote in ballot["votes"]} >= {"clean", "anchor", "corrupted"}
    assert sorted(vote["score"] for vote in ballot["votes"]) == sorted([0, 10, 20, 30, 40] * 2)
    with table.open(newline="", encoding="utf-8") as file:
        assert [row["condition"] for row in csv.DictReader(file)] == [vote["condition"] for vote in ballot["votes"]]
    assert compare.main([str(tmp_path / "runs"), "-o", str(report), "--votes", str(saved), str(table)]) == 0
    scores = [vote["score"] for vote in ballot["votes"] if vote["condition"] == "corrupted"]
    line = next(
        line for line in (report / "leaderboard.md").read_text(encoding="utf-8").splitlines() if line.startswith("| corrupted")
    )
    assert f"{np.mean(scores):.1f}" in line and "(2) |" in line
    assert "rated the hidden reference below 90" in capsys.readouterr().err
    assert browser.errors == []


def test_abx_answers_are_given_by_keyboard_saved_and_merged(browser: Any, report: Path, tmp_path: Path) -> None:
    browser.open(report / "blind.html")
    browser.click("[value=abx]")
    browser.click("#setup button")
    for number in range(1, 13):
        browser.wait(f"document.querySelector('#trial h2').textContent === 'Trial {number} of 12'")
        for key in "abx":
            browser.press(key)
            browser.wait(f"document.querySelector('.heard[data-name={key.upper()}]') && clarionPlayer.playing")
        browser.wait("!document.querySelector('#trial .primary').disabled")
        browser.press("1")
    browser.wait("!document.getElementById('results').hidden")
    browser.click("#save-json")
    votes = json.loads(browser.downloaded("json").read_text(encoding="utf-8"))["votes"]
    assert all(vote["answer"] == vote["a"] and {vote["a"], vote["b"]} >= {"clean", vote["x"]} for vote in votes)
    assert {vote["x"] == vote["a"] for vote in votes} == {True, False}  # X is drawn; twelve alike have a chance of 1 in 2048
    assert compare.main([str(tmp_path / "runs"), "-o", str(report), "--votes", str(browser.downloaded("json"))]) == 0
    right = sum(vote["x"] == vote["answer"] for vote in votes)
    assert f"| {right} of 12 |" in (report / "leaderboard.md").read_text(encoding="utf-8")


def test_fifty_runs_with_ten_examples_open_in_three_seconds(browser: Any, make_run: Make, tmp_path: Path) -> None:
    for number in range(50):
        folder = make_run(f"run{number}", [5.0 + number / 10] * 6, seed=number, lr=0.1 + number, examples=10)
        (folder / "csv").mkdir()
        lines = [f"{step},{step / 100}" for step in range(1000)]
        (folder / "csv" / "metrics.csv").write_text("\n".join(["step,train/loss", *lines]) + "\n", encoding="utf-8")
    assert compare.main([str(tmp_path / "runs"), "-o", str(tmp_path / "report")]) == 0
    assert len(list((tmp_path / "report" / "audio").glob("*.js"))) == 50 * 10 + 3 * 10
    assert browser.open(tmp_path / "report" / "index.html") < 3
    assert browser.evaluate("document.querySelectorAll('.board tbody tr').length") == 52
    assert browser.evaluate("document.querySelectorAll('#curves svg polyline').length") >= 50
    assert browser.errors == []


def test_names_on_a_phone_cover_the_line_that_they_cross(browser: Any, report: Path) -> None:
    browser.resize(360, 900)
    browser.open(report / "index.html")
    browser.wait("document.querySelectorAll('#intervals text.strong').length >= 2")
    style = "getComputedStyle(document.querySelector('#intervals text.strong'))"
    card = "getComputedStyle(document.querySelector('#intervals')).backgroundColor"
    assert browser.evaluate(f"[{style}.paintOrder, {style}.stroke === {card}]") == ["stroke", True]
