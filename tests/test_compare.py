"""The command line reports runs, refuses what cannot be compared, and says so in a sentence."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import compare
from lightning_modules import signals

ROOT = Path(__file__).parent.parent


def write_run(folder: Path, manifest: str = "f00d", snr_db: float = 5.0, value: float = 7.0) -> Path:
    folder.mkdir(parents=True)
    methods = {"corrupted": {"kind": "corrupted", "snr_db": snr_db}, "unet": {"kind": "learned", "snr_db": value}}
    result = {"metrics": {}, "methods": methods, "manifest_hash": manifest, "monitor": "val/snr_db", "seed": 0}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    choices = {"model": "unet", "data": "folder", "corruption": "noise"}
    (folder / "config.yaml").write_text(
        yaml.safe_dump({"choices": choices, "corruption": {"snr_db": snr_db}, "lr": value}), encoding="utf-8"
    )
    with (folder / "per_example.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["file", "index", "snr_db", "corrupted_snr_db"], ["a", 0, value, snr_db], ["b", 1, value, snr_db]]
        )
    return folder


def test_report_is_written_and_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "runs" / "a")
    write_run(tmp_path / "runs" / "b", value=4.0)
    assert compare.main([str(tmp_path / "runs"), "-o", str(tmp_path / "report")]) == 0
    output = capsys.readouterr().out
    assert "unet lr=7  7.00  to input +2.00" in output
    assert "unet lr=4  4.00 ▼" in output
    assert str(tmp_path / "report" / "index.html") in output
    assert (
        (tmp_path / "report" / "leaderboard.md")
        .read_text(encoding="utf-8")
        .startswith("| method | seeds | signal-to-noise ratio (dB) ↑ |")
    )


def test_mixed_manifests_are_refused_and_each_can_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "runs" / "a")
    write_run(tmp_path / "runs" / "b", manifest="beef", snr_db=10.0)
    command = [str(tmp_path / "runs"), "-o", str(tmp_path / "report")]
    assert compare.main(command) == 1
    error = capsys.readouterr().err
    assert "corruption.snr_db: 10.0, not 5.0" in error
    assert not (tmp_path / "report").exists()
    name = error.split("--manifest ")[1].split(",")[0]
    assert compare.main([*command, "--manifest", name]) == 0
    assert "1 run that was tested on other pairs is left out" in capsys.readouterr().err
    assert compare.main([*command, "--separately"]) == 0
    assert len(list((tmp_path / "report").glob("*/index.html"))) == 2


def test_interruption_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "end_process", lambda number: None)
    monkeypatch.setattr("lightning_modules.commands.compare.write_reports", lambda _: signal.raise_signal(signal.SIGTERM))
    assert compare.main([str(tmp_path), "-o", str(tmp_path / "report")]) == 143
    assert capsys.readouterr().err == "interrupted by SIGTERM; the report is not finished\n"


def test_nothing_to_compare_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main([str(tmp_path), "-o", str(tmp_path / "report")]) == 1
    assert "there is no finished run" in capsys.readouterr().err
    assert compare.main([str(tmp_path / "x"), "-o", str(tmp_path / "report")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_votes_need_one_set_of_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        compare.main([str(tmp_path), "-o", str(tmp_path / "report"), "--separately", "--votes", "a.json"])
    assert stop.value.code == 2
    assert "choose it with --manifest" in capsys.readouterr().err


def test_comparing_does_not_wait_for_torch(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a")
    program = f"""
import sys
import compare
compare.main([{str(tmp_path)!r}, "-o", {str(tmp_path / "report")!r}])
print(sorted({{"torch", "pytorch_lightning"}} & set(sys.modules)))
"""
    output = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert output.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["", "-o", "out"], ["runs", "-o", ""], ["runs", "-o", "out", "--manifest", ""]])
def test_argument_that_is_empty_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        compare.main(arguments)
    assert "must not be empty" in capsys.readouterr().err
