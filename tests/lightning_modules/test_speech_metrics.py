"""Speech metrics: where they are offered, and where they are defined."""

import logging

import pytest
import torch
from torch import Tensor

from lightning_modules import speech_metrics
from lightning_modules.metrics import TEST_METRICS, build_metrics, offered_metrics


def noise(seed: int, *shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_speech_metrics_are_offered_at_speech_rates_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_metrics, "package_available", lambda package: True)
    assert {"pesq_wb", "stoi"} <= set(offered_metrics(16000))
    assert set(offered_metrics(8000)) & {"pesq_wb", "stoi"} == {"stoi"}
    assert set(offered_metrics(44100)) & {"pesq_wb", "stoi"} == set()


def test_a_missing_package_leaves_its_metric_out_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    speech_metrics.package_available.cache_clear()
    monkeypatch.setattr(speech_metrics.importlib.util, "find_spec", lambda package: None)
    with caplog.at_level(logging.INFO):
        assert not set(build_metrics(TEST_METRICS, 16000)) & {"pesq_wb", "stoi"}
        build_metrics(TEST_METRICS, 16000)
    assert len([record for record in caplog.records if "pesq" in record.getMessage()]) == 1
    speech_metrics.package_available.cache_clear()


def test_stoi_of_the_reference_is_one_and_of_too_little_speech_undefined() -> None:
    pytest.importorskip("pystoi")
    clean = noise(0, 1, 1, 16000)
    assert speech_metrics.stoi(clean, clean, 16000).item() == pytest.approx(1.0, abs=1e-4)
    assert speech_metrics.stoi(clean[..., :1000], clean[..., :1000], 16000).isnan().all()


def test_pesq_of_silence_is_undefined() -> None:
    pytest.importorskip("pesq")
    assert speech_metrics.pesq_wb(torch.zeros(1, 1, 16000), torch.zeros(1, 1, 16000)).isnan().all()
