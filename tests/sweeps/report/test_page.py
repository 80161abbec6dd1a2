"""The pages hold what they show, safely, and large sounds lie beside them."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sweeps.report import page
from sweeps.report.report import write_report
from sweeps.report.runs import find_runs

Make = Callable[..., Path]
SCRIPTS = Path(page.__file__).parent / "static"


class Elements(HTMLParser):
    """Collect the address of everything that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [str(value) for name, value in attrs if name == "src" or (name == "href" and tag != "a")]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[], Path]:
    """Return a function that reports all runs made so far, and gives the folder."""

    def report() -> Path:
        runs, skipped = find_runs([tmp_path / "runs"])
        return write_report(runs, "e1", tmp_path / "report", [], skipped).folder

    return report


def data_of(path: Path) -> dict[str, object]:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert found is not None
    return json.loads(found[1])


def test_small_report_is_one_file_that_loads_nothing(make_run: Make, write: Callable[[], Path]) -> None:
    make_run("a", examples=1)
    folder = write()
    assert sorted(path.name for path in folder.iterdir()) == ["blind.html", "index.html", "leaderboard.csv", "leaderboard.md"]
    for name in ("index.html", "blind.html"):
        elements = Elements()
        elements.feed((folder / name).read_text(encoding="utf-8"))
        assert elements.loaded == []
        assert "http" not in (folder / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


def test_large_sounds_lie_beside_the_page_and_old_ones_go(
    make_run: Make, write: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a", examples=2)
    monkeypatch.setattr(page, "INLINE_CHARACTERS", 1000)
    old, foreign = Path("audio/0123456789ab.js"), Path("audio/notes.js")
    folder = write()
    for path in (old, foreign):
        (folder / path).write_text("", encoding="utf-8")
    write()
    assert not (folder / old).exists()
    assert (folder / foreign).exists()
    clips = {version["clip"] for example in data_of(folder / "index.html")["examples"] for version in example["versions"]}  # type: ignore[attr-defined]
    assert {path.stem for path in (folder / "audio").glob("*.js")} == clips | {"notes"}
    assert (
        next((folder / "audio").glob(f"{min(clips)}.js")).read_text(encoding="utf-8").startswith(f'clarionClip("{min(clips)}","')
    )
    assert "application/base64" not in (folder / "index.html").read_text(encoding="utf-8")


def test_names_cannot_break_out_of_the_page(make_run: Make, write: Callable[[], Path]) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    make_run("a", config={"choices": {"model": evil, "data": evil, "corruption": "noise"}})
    folder = write()
    assert "<img" not in (folder / "index.html").read_text(encoding="utf-8")
    rows = data_of(folder / "index.html")["rows"]
    assert any(row["label"] == evil for row in rows)  # type: ignore[attr-defined]


def test_data_hold_curves_settings_and_scores_of_every_run(make_run: Make, write: Callable[[], Path]) -> None:
    for number, lr in enumerate((0.1, 0.2)):
        folder = make_run(f"run{number}", lr=lr, examples=1)
        (folder / "csv").mkdir()
        (folder / "csv" / "metrics.csv").write_text(
            "step,val/lsd,val/corrupted_lsd\n10,2.5,3\n20,1.23456789,3\n", encoding="utf-8"
        )
    data = data_of(write() / "index.html")
    runs, rows, examples = data["runs"], data["rows"], data["examples"]
    assert [run["settings"] for run in runs] == [{"model.optimizer.lr": 0.1}, {"model.optimizer.lr": 0.2}]  # type: ignore[attr-defined]
    assert [run["curves"] for run in runs] == [{"val/lsd": [[10, 2.5], [20, 1.2346]]}] * 2  # type: ignore[attr-defined]
    assert data["keys"] == [{"key": "model.optimizer.lr", "short": "lr"}]
    assert [row["label"] for row in rows] == ["corrupted", "unet lr=0.1", "unet lr=0.2", "wiener"]  # type: ignore[attr-defined]
    assert [version["id"] for version in examples[0]["versions"]] == [  # type: ignore[index]
        "corrupted",
        rows[1]["id"],  # type: ignore[index]
        rows[2]["id"],  # type: ignore[index]
        "clean",
        "anchor",
    ]


def test_seed_is_repeated_and_not_swept(make_run: Make, write: Callable[[], Path]) -> None:
    for seed in (0, 1):
        make_run(f"run{seed}", seed=seed)
    assert data_of(write() / "index.html")["keys"] == []


def test_columns_are_headed_in_words_with_units_and_direction(make_run: Make, write: Callable[[], Path]) -> None:
    make_run("a")
    head = (write() / "index.html").read_text(encoding="utf-8").split("<thead>")[1].split("</thead>")[0]
    told = " ".join(re.sub("<[^>]*>", "", head).split())
    assert "scale-invariant signal-to-distortion ratio (dB) ↑ log-spectral distance ↓ parameters ↓ training time (s) ↓" in told


def test_blind_page_does_not_carry_the_runs(make_run: Make, write: Callable[[], Path]) -> None:
    make_run("a", examples=1)
    assert data_of(write() / "blind.html")["runs"] == []


def test_every_script_and_style_is_part_of_a_page() -> None:
    used = {f"{name}.js" for names in page.SCRIPTS.values() for name in names} | {f"{name}.css" for name in page.STYLES}
    assert used == {path.name for path in SCRIPTS.iterdir()}
    assert all(len(path.read_text(encoding="utf-8").splitlines()) < 300 for path in SCRIPTS.iterdir())


def test_example_outside_the_tested_pairs_has_no_scores(make_run: Make, write: Callable[[], Path]) -> None:
    make_run("a", si_sdr_db=(7.0, 7.0), input_db=(5.0, 5.0), examples=3)
    examples = data_of(write() / "index.html")["examples"]
    assert [bool(example["versions"][0]["scores"]) for example in examples] == [True, True, False]  # type: ignore[attr-defined]
