"""Speech metrics: where they are offered, and where they are defined."""

import logging

import numpy as np
import pytest
import soxr
import torch
from torch import Tensor

from lightning_modules.metrics import availability
from lightning_modules.metrics import speech as speech_metrics
from lightning_modules.metrics.availability import offered_metrics
from lightning_modules.metrics.collection import build_metrics
from lightning_modules.metrics.registry import computed_in


def noise(seed: int, *shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("sample_rate", "offered"),
    [(7999, set()), (8000, {"stoi"}), (15999, {"stoi"}), (16000, {"pesq_wb", "stoi"}), (192000, {"pesq_wb", "stoi"})],
)
def test_speech_metrics_are_offered_where_the_rate_holds_what_they_listen_to(
    monkeypatch: pytest.MonkeyPatch, sample_rate: int, offered: set[str]
) -> None:
    monkeypatch.setattr(availability, "package_available", lambda package: True)
    assert set(offered_metrics(sample_rate)) & {"pesq_wb", "stoi"} == offered


def test_metrics_that_the_rate_leaves_out_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    availability.rate_allows.cache_clear()
    with caplog.at_level(logging.INFO):
        offered_metrics(6000)
        offered_metrics(6000)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "left out at 6000 Hz, as it takes data.sample_rate=8000 or more: llr, wss, stoi, estoi",
        "left out at 6000 Hz, as it takes data.sample_rate=16000 or more: pesq_wb, csig, cbak, covl",
    ]


@pytest.mark.parametrize("sample_rate", [22050, 47999, 48000])
def test_score_does_not_depend_on_the_rate_of_the_same_audio(sample_rate: int) -> None:
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    time = np.arange(32000) / 16000
    clean = 0.1 * np.random.default_rng(0).standard_normal(32000) * (1 + np.sin(2 * np.pi * 4 * time))
    pair = clean + 0.03 * np.random.default_rng(1).standard_normal(32000), clean
    low = [torch.from_numpy(signal).float()[None, None] for signal in pair]
    high = [torch.from_numpy(soxr.resample(signal, 16000, sample_rate)).float()[None, None] for signal in pair]
    for score, tolerance in ((speech_metrics.pesq_wb, 0.05), (speech_metrics.stoi, 0.005)):
        assert 0.1 < score(*low, 16000).item() < 4
        assert score(*high, sample_rate).item() == pytest.approx(score(*low, 16000).item(), abs=tolerance)


def test_a_missing_package_leaves_its_metric_out_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    availability.package_available.cache_clear()
    monkeypatch.setattr(availability.importlib.util, "find_spec", lambda package: None)
    with caplog.at_level(logging.INFO):
        assert not set(build_metrics(computed_in("test"), 16000)) & {"pesq_wb", "stoi"}
        build_metrics(computed_in("test"), 16000)
    assert len([record for record in caplog.records if "pesq" in record.getMessage()]) == 1
    availability.package_available.cache_clear()


def test_stoi_of_the_reference_is_one_and_of_too_little_speech_undefined() -> None:
    pytest.importorskip("pystoi")
    clean = noise(0, 1, 1, 16000)
    assert speech_metrics.stoi(clean, clean, 16000).item() == pytest.approx(1.0, abs=1e-4)
    assert speech_metrics.stoi(clean[..., :1000], clean[..., :1000], 16000).isnan().all()


def test_pesq_of_silence_is_undefined() -> None:
    pytest.importorskip("pesq")
    assert speech_metrics.pesq_wb(torch.zeros(1, 1, 16000), torch.zeros(1, 1, 16000)).isnan().all()


def syllables(seed: int, seconds: float = 3.0) -> Tensor:
    time = torch.arange(round(16000 * seconds)) / 16000
    return noise(seed, 1, 1, len(time)) * (1 + torch.sin(2 * torch.pi * 4 * time))


def test_extended_stoi_is_that_of_the_package() -> None:
    pystoi = pytest.importorskip("pystoi")
    clean = syllables(0)
    restored = clean + syllables(1).flip(-1) / 2
    expected = pystoi.stoi(clean[0, 0].numpy(), restored[0, 0].numpy(), 16000, extended=True)
    assert speech_metrics.estoi(restored, clean, 16000).item() == pytest.approx(expected, abs=1e-6)
    assert abs(speech_metrics.stoi(restored, clean, 16000).item() - expected) > 0.05
