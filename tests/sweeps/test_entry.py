"""Before Hydra: a sentence in place of its errors."""

import sys

import pytest

from sweeps import extras
from sweeps.entry import enter


def test_missing_package_is_an_error_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(extras, "_is_installed", lambda plugin: False)
    monkeypatch.setattr(sys, "argv", ["train.py", "-m", "hydra/launcher=ray"])
    assert enter(lambda: pytest.fail("started all the same")) == 1
    assert capsys.readouterr().err.startswith("error: hydra/launcher=ray needs packages that are not installed")


def test_interruption_between_jobs_has_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert enter(interrupted) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_exit_code_of_the_script_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> None:
        sys.exit(143)

    monkeypatch.setattr(sys, "argv", ["train.py"])
    with pytest.raises(SystemExit, match="143"):
        enter(script)
