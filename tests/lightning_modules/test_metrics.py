"""The metrics against values known in closed form, an independent computation and torchmetrics."""

import logging
import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

from lightning_modules import speech_metrics
from lightning_modules.lsd import HANN_2048, lsd, lsd_bilat, lsd_hf, lsd_kuleshov, lsd_lf, lsd_mugan, power_spectrogram
from lightning_modules.metrics import (
    HIGHER_IS_BETTER,
    TEST_METRICS,
    VALIDATION_METRICS,
    MeanOverExamples,
    build_metrics,
    check_monitor,
    update_all,
)
from lightning_modules.metrics import offered_metrics as metrics_at
from lightning_modules.snr import si_sdr_db, snr_db

SAMPLE_RATE = 16000
SIGNAL_METRICS = [name for name in TEST_METRICS if name not in ("pesq_wb", "stoi")]


def noise(seed: int, *shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_hand(restored: Tensor, clean: Tensor, log_floor: float = 1e-8) -> float:
    """LSD of one channel by the definition, with NumPy alone."""
    frames = []
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    for signal in (restored, clean):
        padded = np.pad(signal.numpy().astype(np.float64), 1024, mode="reflect")
        starts = range(0, len(padded) - 2048 + 1, 512)
        power = np.array([np.abs(np.fft.rfft(padded[start : start + 2048] * window)) ** 2 for start in starts])
        frames.append(np.log10(np.maximum(power, log_floor)))
    return float(np.mean(np.sqrt(np.mean((frames[0] - frames[1]) ** 2, axis=1))))


def test_snr_of_half_amplitude_is_four_in_power() -> None:
    clean = noise(0, 3, 2, 500)
    torch.testing.assert_close(snr_db(clean / 2, clean), torch.full((3,), 10 * math.log10(4)))


def test_snr_of_a_mix_at_ten_decibels_is_ten() -> None:
    clean, error = noise(0, 1, 1, 1000), noise(1, 1, 1, 1000)
    error = error * (clean.norm() / error.norm()) / math.sqrt(10)
    assert snr_db(clean + error, clean).item() == pytest.approx(10.0, abs=1e-4)


@pytest.mark.parametrize("metric", [snr_db, si_sdr_db])
def test_limits_are_finite(metric) -> None:
    sound, silence = noise(0, 1, 1, 300), torch.zeros(1, 1, 300)
    assert metric(sound, sound).item() == 100.0
    assert metric(silence, silence).item() == 100.0
    assert metric(sound, silence).item() == -100.0
    assert metric(torch.full_like(sound, torch.nan), sound).item() == -100.0
    assert metric(torch.full_like(sound, torch.inf), sound).item() == -100.0


def test_silence_as_an_estimate_has_zero_snr_and_the_worst_si_sdr() -> None:
    clean = noise(0, 1, 1, 300)
    assert snr_db(torch.zeros_like(clean), clean).item() == pytest.approx(0.0, abs=1e-5)
    assert si_sdr_db(torch.zeros_like(clean), clean).item() == -100.0


def test_si_sdr_ignores_the_gain() -> None:
    clean = noise(0, 2, 1, 4000)
    restored = clean + noise(1, 2, 1, 4000) / 3
    torch.testing.assert_close(si_sdr_db(0.01 * restored, clean), si_sdr_db(restored, clean), atol=1e-4, rtol=0)
    assert (snr_db(0.01 * restored, clean) < 0.2).all()


def test_si_sdr_agrees_with_torchmetrics() -> None:
    clean = noise(0, 4, 1, 4000)
    restored = clean + noise(1, 4, 1, 4000) / 2
    expected = scale_invariant_signal_distortion_ratio(restored, clean)[:, 0]
    torch.testing.assert_close(si_sdr_db(restored, clean), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("metric", [lsd, lsd_bilat, lsd_mugan, lsd_lf(SAMPLE_RATE, 4000), lsd_hf(SAMPLE_RATE, 4000)])
def test_lsd_of_half_amplitude_is_the_log_of_four(metric) -> None:
    clean = noise(0, 2, 2, 8192)
    assert (metric(clean, clean) == 0).all()
    torch.testing.assert_close(metric(clean / 2, clean), torch.full((2,), math.log10(4)), atol=1e-4, rtol=0)


def test_lsd_kuleshov_is_on_the_natural_scale() -> None:
    clean = noise(0, 1, 1, 8192)
    assert lsd_kuleshov(clean / 2, clean).item() == pytest.approx(math.log(4), abs=1e-4)


def test_lsd_kuleshov_takes_the_mean_over_time_inside_the_root_and_is_capped() -> None:
    restored, clean = torch.tensor([[[[1.0, 1.0], [1.0, 1.0]]]]), torch.tensor([[[[1.0, math.e**2], [1.0, 1.0]]]])
    assert lsd_kuleshov.from_powers(restored, clean).item() == pytest.approx((math.sqrt(2) + 0) / 2)
    assert lsd.from_powers(restored, clean).item() == pytest.approx((0 + math.sqrt(2)) / 2 / math.log(10))
    assert lsd_kuleshov.from_powers(1e-30 * restored, 1e9 * clean).item() == 10.0


def test_lsd_of_independent_noise_draws_is_the_constant_of_theory() -> None:
    assert lsd(noise(0, 1, 1, 200_000), noise(1, 1, 1, 200_000)).item() == pytest.approx(0.789, abs=0.01)


def test_lsd_agrees_with_the_definition_in_numpy() -> None:
    restored, clean = noise(0, 1, 1, 10_000), 0.3 * noise(1, 1, 1, 10_000)
    clean[..., 4000:] = 0  # digital silence: the floor takes part
    assert lsd(restored, clean).item() == pytest.approx(by_hand(restored[0, 0], clean[0, 0]), abs=2e-4)


def test_lsd_bands_see_only_their_side_of_the_cutoff() -> None:
    time = torch.arange(16384) / SAMPLE_RATE
    clean = noise(0, 1, 1, 16384)
    high = clean + torch.sin(2 * torch.pi * 6000 * time)
    assert lsd_lf(SAMPLE_RATE, 3000)(high, clean).item() < 0.1
    assert lsd_hf(SAMPLE_RATE, 3000)(high, clean).item() > 0.3


def test_lsd_bands_recombine_to_the_whole() -> None:
    restored, clean = torch.rand(1, 1, 1025, 1), torch.rand(1, 1, 1025, 1)
    low, high = lsd_lf(SAMPLE_RATE, 4000).from_powers(restored, clean), lsd_hf(SAMPLE_RATE, 4000).from_powers(restored, clean)
    whole = lsd.from_powers(restored, clean)
    torch.testing.assert_close((512 * low**2 + 513 * high**2) / 1025, whole**2)


def test_swapped_arguments_change_snr_but_not_lsd() -> None:
    restored, clean = noise(0, 1, 1, 8000), 2 * noise(1, 1, 1, 8000)
    assert abs(snr_db(restored, clean) - snr_db(clean, restored)).item() > 1
    torch.testing.assert_close(lsd(restored, clean), lsd(clean, restored))


@pytest.mark.parametrize("length", [1, 2, 100, 1024, 1025, 2047, 2048, 5000])
@pytest.mark.parametrize("name", SIGNAL_METRICS)
def test_every_length_has_a_finite_value(name: str, length: int) -> None:
    metric = build_metrics([name], SAMPLE_RATE, 4000)[name].function
    for restored, clean in [
        (noise(0, 2, 1, length), noise(1, 2, 1, length)),
        (torch.zeros(2, 1, length), noise(1, 2, 1, length)),
    ]:
        assert metric(restored, clean).shape == (2,)
        assert torch.isfinite(metric(restored, clean)).all()
        assert torch.isfinite(metric(clean, restored)).all()


@pytest.mark.parametrize("name", SIGNAL_METRICS)
def test_a_batch_equals_its_examples_and_inputs_stay_unchanged(name: str) -> None:
    metric = build_metrics([name], SAMPLE_RATE, 4000)[name].function
    restored, clean = noise(0, 3, 2, 6000), noise(1, 3, 2, 6000)
    before = restored.clone(), clean.clone()
    alone = torch.cat([metric(restored[i : i + 1], clean[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(metric(restored, clean), alone, atol=1e-5, rtol=1e-5)
    assert torch.equal(restored, before[0]) and torch.equal(clean, before[1])


def test_spectrograms_are_float32_under_autocast() -> None:
    signal = noise(0, 1, 1, 4096)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(power_spectrogram(signal, HANN_2048), power_spectrogram(signal, HANN_2048).float())
        value = lsd(signal / 2, signal)
    assert value.item() == pytest.approx(math.log10(4), abs=1e-4)


def test_a_restoration_with_nan_has_infinite_lsd() -> None:
    clean = noise(0, 2, 1, 4096)
    broken = clean.clone()
    broken[1, 0, 7] = torch.nan
    assert lsd(broken, clean).tolist() == [0.0, math.inf]


def test_mean_weighs_every_example_alike() -> None:
    metric = MeanOverExamples(snr_db, higher_is_better=True)
    metric.update(torch.tensor([1.0, 2.0, 3.0]))
    metric.update(torch.tensor([10.0]))
    assert metric.compute().item() == 4.0
    metric.reset()
    metric.update(torch.tensor([5.0, math.nan]))
    assert metric.compute().item() == 5.0


def test_mean_over_processes_adds_sums_and_counts() -> None:
    metric = MeanOverExamples(snr_db, higher_is_better=True)
    assert {name: reduce.__name__ for name, reduce in metric._reductions.items()} == {
        "value_sum": "dim_zero_sum",
        "count": "dim_zero_sum",
    }


def test_update_all_shares_spectrograms_without_changing_values(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = build_metrics(SIGNAL_METRICS, SAMPLE_RATE, 4000)
    restored, clean = noise(0, 2, 1, 5000), noise(1, 2, 1, 5000)
    expected = {name: metric.function(restored, clean) for name, metric in metrics.items()}
    framings = []
    monkeypatch.setattr(
        "lightning_modules.metrics.power_spectrogram",
        lambda signal, framing: framings.append(framing) or power_spectrogram(signal, framing),
    )
    values = update_all(metrics, restored, clean)
    assert len(framings) == 2 * len(set(framings)) == 6
    for name, value in values.items():
        torch.testing.assert_close(value, expected[name])
        torch.testing.assert_close(metrics[name].compute(), value.mean())


def test_factory_keeps_order_direction_and_refuses_unknown_names() -> None:
    metrics = build_metrics(VALIDATION_METRICS, SAMPLE_RATE, 4000)
    assert tuple(metrics) == VALIDATION_METRICS
    assert all(metric.higher_is_better == HIGHER_IS_BETTER[name] for name, metric in metrics.items())
    with pytest.raises(ValueError, match=r"unknown metrics \['snr'\]; known: snr_db"):
        build_metrics(["snr"], SAMPLE_RATE)


@pytest.mark.parametrize("cutoff_hz", [None, 8000.0, 9000.0])
def test_without_band_limit_the_bands_split_at_half_nyquist(cutoff_hz: float | None) -> None:
    metrics = build_metrics(["lsd_lf", "lsd_hf"], SAMPLE_RATE, cutoff_hz)
    assert metrics["lsd_lf"].function == lsd_lf(SAMPLE_RATE, 4000)
    assert metrics["lsd_hf"].function == lsd_hf(SAMPLE_RATE, 4000)


def test_speech_metrics_are_offered_at_speech_rates_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_metrics, "package_available", lambda package: True)
    assert {"pesq_wb", "stoi"} <= set(metrics_at(16000))
    assert set(metrics_at(8000)) & {"pesq_wb", "stoi"} == {"stoi"}
    assert set(metrics_at(44100)) & {"pesq_wb", "stoi"} == set()


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


def test_monitor_must_exist_and_point_the_right_way() -> None:
    check_monitor("val/si_sdr_db", "max")
    check_monitor("val/lsd", "min")
    with pytest.raises(ValueError, match="val/sisdr"):
        check_monitor("val/sisdr", "max")
    with pytest.raises(ValueError, match="mode=min"):
        check_monitor("val/lsd", "max")
