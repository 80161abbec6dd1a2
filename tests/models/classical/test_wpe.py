"""Weighted prediction error: late reverberation goes, the rest stays, and without its package one sentence says so."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from torch import Tensor

from conf.compose import baselines
from models.classical import wpe
from models.classical.wpe import WPE

SAMPLE_RATE = 8000


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Put a stand-in in place of the package, which predicts nothing, and return what it is given."""
    given: list[np.ndarray] = []
    module = ModuleType("nara_wpe.wpe")
    module.wpe_v8 = lambda spectra, **settings: given.append((spectra, settings)) or spectra  # type: ignore[attr-defined,func-returns-value]
    monkeypatch.setattr(wpe, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "nara_wpe", ModuleType("nara_wpe"))
    monkeypatch.setitem(sys.modules, "nara_wpe.wpe", module)
    return given


def draw(seed: int, samples: int, channels: int = 1) -> Tensor:
    return torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(seed))


def test_without_the_package_a_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wpe, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"model=wpe needs the package nara-wpe: pip install '.\[dereverb\]'"):
        baselines(["wpe"], SAMPLE_RATE)


def test_package_gets_bins_channels_and_frames_and_what_it_leaves_comes_back(package: list[np.ndarray]) -> None:
    signal = draw(0, 12000, channels=2)
    restored = WPE(SAMPLE_RATE, taps=4, delay=2, iterations=1)(signal)
    ((spectra, settings),) = package
    assert spectra.shape == (129, 2, 12000 // 64 + 1)  # 32 ms at 8 kHz, a quarter of a frame from one to the next
    assert settings == {"taps": 4, "delay": 2, "iterations": 1}
    torch.testing.assert_close(restored, signal, atol=1e-5, rtol=0)


def test_what_is_too_short_for_the_taps_is_returned(package: list[np.ndarray]) -> None:
    signal = draw(1, 2000)
    assert torch.equal(WPE(SAMPLE_RATE)(signal), signal)
    assert package == []


def test_late_reverberation_is_taken_away_and_silence_stays_silent() -> None:
    pytest.importorskip("nara_wpe")
    place = torch.arange(32000)
    dry = draw(2, 32000) * (place % 4000 < 1200)
    echoes = [1.0, *([0.0] * 319), -0.6]  # every 40 ms, five frames: what the past predicts exactly
    wet = torch.from_numpy(lfilter([1.0], echoes, dry.numpy())).float()
    restored = WPE(SAMPLE_RATE)(wet)
    late = place % 4000 > 1600
    assert restored[..., late].square().sum() < 0.01 * wet[..., late].square().sum()
    assert (restored - dry).square().sum() < 0.1 * (wet - dry).square().sum()
    assert not WPE(SAMPLE_RATE)(torch.zeros(1, 1, 24000)).any()
