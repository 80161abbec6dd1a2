"""Many pairs at a time, in processes of their own: what a package does to one of them, and to its process, costs one value."""

import math
from pathlib import Path

import numpy as np
import pytest

from lightning_modules.metrics.perceptual.pool import DIED, ScoringPool
from lightning_modules.metrics.perceptual.scoring import Question, offered

RATE_HZ = 8000
PACKAGE = """
import os

def mos_from_signals(clean, restored):
    level = round(float(abs(restored).max()), 3)
    if level > 0.85:
        os._exit(1)
    if level > 0.75:
        raise RuntimeError("too\\nloud")
    return float("nan") if level > 0.65 else 1 + level
"""
"""Fails in all the ways in which a package can, by the level of the signal."""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zimtohrli.py").write_text(PACKAGE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def at_level(level: float, rate_hz: int = 48000, seconds: float = 0.5) -> Question:
    signal = np.full((2, int(seconds * rate_hz)), level, dtype=np.float32)
    return Question("zimtohrli", "music", signal, np.ones_like(signal), rate_hz)


def test_answers_come_in_order_and_every_failure_is_one_missing_value() -> None:
    levels, told = [0.1, 0.9, 0.8, 0.2, 0.7, 0.3], []
    with ScoringPool(2) as pool:
        answers = pool.answers([at_level(level) for level in levels], lambda: told.append(1))
        again = pool.answers([at_level(0.4)], lambda: None)
    assert [round(answer.value, 3) for answer in (*answers[::3], answers[5], *again)] == [1.1, 1.2, 1.3, 1.4]
    assert [answer.reason for answer in answers] == [
        None,
        DIED.reason,
        "RuntimeError: too loud",
        None,
        "the package gives no number",
        None,
    ]
    assert all(math.isnan(answers[place].value) for place in (1, 2, 4))
    assert len(told) == len(levels)


def test_package_is_not_asked_about_what_would_harm_it() -> None:
    with ScoringPool(1) as pool:
        short, broken = pool.answers([at_level(0.1, seconds=0.49), at_level(math.inf)], lambda: None)
    assert (short.reason, broken.reason) == ("ValueError: shorter than 0.5 s", "ValueError: a sample is not finite")


def test_what_is_not_installed_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"zimtohrli": object(), "speechmos": object()}
    monkeypatch.setattr("lightning_modules.metrics.perceptual.scoring.find_spec", found.get)
    assert (offered("music"), offered("speech")) == (("zimtohrli",), ("zimtohrli",))
    found["onnxruntime"] = object()
    assert (offered("music"), offered("speech")) == (("zimtohrli",), ("zimtohrli", "dnsmos"))
