"""Models of hearing at the end of a test: a column for each that is installed, over some of the pairs, else nothing."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.settings import EvaluateSettings
from datamodules.restoration import RestorationDataModule
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.metrics.registry import computed_in
from lightning_modules.runs import perceiving
from lightning_modules.runs.evaluation import restore_example

Config = Callable[..., EvaluateSettings]
RATED = "def mos_from_signals(clean, restored):\n    return 5 - float(abs(clean - restored).max())\n"
REFUSED = "def mos_from_signals(clean, restored):\n    raise RuntimeError('no')\n"
TRIED = ("model=cubic_spline", "baselines=[sinc]", "examples=0", "test_perceptual_pairs=2")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a package that is the only one installed."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "zimtohrli.py").write_text(RATED, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(perceiving, "offered", lambda kind: ("zimtohrli",))
    return folder / "zimtohrli.py"


def test_every_row_has_a_column_over_the_asked_number_of_pairs(
    evaluate_config: Config, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = evaluate(evaluate_config(*TRIED))
    assert result["problems"] == [] and result["pairs"] > 2
    assert result["perceptual"] == {"kind": "music", "pairs": 2, "pairs_without_value": {}}
    assert all(1 < row["zimtohrli"] < 5 for row in result["methods"].values())
    assert result["metrics"]["test/zimtohrli"] == result["methods"]["method"]["zimtohrli"]
    out = capsys.readouterr().out
    assert "perceptual metrics for music (zimtohrli): 2 of the test pairs\n" in out and "zimtohrli ↑" in out


def test_values_of_pairs_are_kept_with_the_recordings(evaluate_config: Config, package: Path, tmp_path: Path) -> None:
    methods = evaluate(evaluate_config(*TRIED))["methods"]
    with (tmp_path / "evaluation" / "perceptual.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 and all(line["file"] and line["index"] for line in lines)
    for name, column in (("method", "zimtohrli"), ("corrupted", "corrupted_zimtohrli")):
        assert sum(float(line[column]) for line in lines) / 2 == pytest.approx(methods[name]["zimtohrli"])


def test_oracle_is_heard_too(evaluate_config: Config, package: Path) -> None:
    methods = evaluate(evaluate_config("model=wiener_oracle", "baselines=[]", "examples=0"))["methods"]
    assert methods["method"]["zimtohrli"] > methods["corrupted"]["zimtohrli"]


def test_pair_that_a_package_cannot_score_is_counted(
    evaluate_config: Config, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package.write_text(REFUSED, encoding="utf-8")
    result = evaluate(evaluate_config(*TRIED))
    assert result["problems"] == []
    assert result["perceptual"]["pairs_without_value"] == {"zimtohrli": {"corrupted": 2, "sinc": 2, "method": 2}}
    assert all(math.isnan(row["zimtohrli"]) for row in result["methods"].values())
    assert "zimtohrli has no value for 2 of 2 pairs of sinc: RuntimeError: no\n" in capsys.readouterr().out


def test_method_that_fails_on_a_pair_costs_no_other_its_value(
    evaluate_config: Config, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restored(module: object, pairs: object, index: int) -> object:
        if type(module.net).__name__ == "Sinc":
            raise KeyError("broken")
        return restore_example(module, pairs, index)

    monkeypatch.setattr(perceiving, "restore_example", restored)
    result = evaluate(evaluate_config(*TRIED))
    assert result["problems"] == ["perceptual metrics of sinc: KeyError: 'broken'"]
    assert [name for name, row in result["methods"].items() if "zimtohrli" in row] == ["corrupted", "method"]


@pytest.mark.parametrize("installed", [True, False])
def test_without_packages_or_pairs_nothing_is_said(
    evaluate_config: Config, package: Path, installed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not installed:
        monkeypatch.setattr(perceiving, "offered", lambda kind: ())
    result = evaluate(evaluate_config(*TRIED, f"test_perceptual_pairs={0 if installed else 2}"))
    assert result["problems"] == [] and "perceptual" not in result
    assert not any(set(computed_in("perceptual")) & set(row) for row in result["methods"].values())
    assert "perceptual" not in capsys.readouterr().out


def test_kind_is_what_the_data_say_unless_it_is_given(
    evaluate_config: Config, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RestorationDataModule, "kind", "speech")
    assert evaluate(evaluate_config(*TRIED))["perceptual"]["kind"] == "speech"
    assert evaluate(evaluate_config(*TRIED, "test_perceptual_kind=music"))["perceptual"]["kind"] == "music"
