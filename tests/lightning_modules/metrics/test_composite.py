"""Segmental SNR, LLR, WSS and the composite measures against their definitions, frame by frame in NumPy and SciPy."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import torch
from torch import Tensor

from lightning_modules.metrics import predictors, speech
from lightning_modules.metrics.collection import build_metrics, update_all
from lightning_modules.metrics.predictors import llr, wss
from lightning_modules.metrics.resampling import at_speech_rate
from lightning_modules.metrics.snr import segsnr_db

RATE_HZ = 16000


def vowels(seed: int, seconds: float = 1.5) -> Tensor:
    """Make noise and pulses through resonances, with pauses, (1, 1, T)."""
    draw = np.random.default_rng(seed)
    samples = round(seconds * RATE_HZ)
    source = 0.05 * draw.standard_normal(samples)
    source[::133] += 1
    poles = [radius * np.exp(1j * angle) for radius, angle in ((0.97, 0.2), (0.97, -0.2), (0.9, 0.7), (0.9, -0.7))]
    shaped = scipy.signal.lfilter([1], np.poly(poles).real, source)
    shaped = shaped * (np.sin(2 * np.pi * 2 * np.arange(samples) / RATE_HZ) > -0.5)
    return torch.from_numpy(0.3 * shaped / np.abs(shaped).max()).float()[None, None]


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    clean = vowels(0)
    return clean + 0.01 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)), clean


def frames_of(signal: Tensor, rate_hz: int = RATE_HZ) -> list[np.ndarray]:
    samples = round(0.03 * rate_hz)
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, samples + 1) / (samples + 1)))
    values = signal[0, 0].double().numpy()
    return [values[start : start + samples] * window for start in range(0, len(values) - samples + 1, samples // 4)]


def mean_of_best(distances: list[float]) -> float:
    return float(np.mean(sorted(distances)[: round(0.95 * len(distances))]))


def predictor(frame: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the error filter of a frame, and its autocorrelation matrix."""
    lags = np.correlate(frame, frame, "full")[len(frame) - 1 :][: order + 1]
    lags = lags + 1e-12 * (np.arange(order + 1) == 0)
    return np.r_[1, -scipy.linalg.solve_toeplitz(lags[:-1], lags[1:])], scipy.linalg.toeplitz(lags)


def klatt_levels(frame: np.ndarray) -> np.ndarray:
    n_fft = 1024
    power = np.abs(np.fft.fft(frame, n_fft)[: n_fft // 2]) ** 2
    levels = []
    for center, width in zip(predictors.CENTERS_HZ, predictors.WIDTHS_HZ, strict=True):
        bins = np.arange(n_fft // 2) - math.floor(center * n_fft / RATE_HZ)
        weights = 70 / width * np.exp(-11 * (bins / (width * n_fft / RATE_HZ)) ** 2)
        levels.append(10 * np.log10(max(power @ (weights * (weights > math.exp(-30 / 4.606))), 1e-10)))
    return np.array(levels)


def klatt_weights(levels: np.ndarray) -> np.ndarray:
    weights = []
    for band in range(24):
        nearest = band
        if levels[band + 1] > levels[band]:
            while nearest < 24 and levels[nearest + 1] > levels[nearest]:
                nearest += 1
            nearest -= 1
        else:
            while nearest >= 0 and levels[nearest + 1] <= levels[nearest]:
                nearest -= 1
            nearest += 1
        weights.append(20 / (20 + levels.max() - levels[band]) / (1 + levels[nearest] - levels[band]))
    return np.array(weights)


def klatt_distance(restored: np.ndarray, clean: np.ndarray) -> float:
    levels = klatt_levels(restored), klatt_levels(clean)
    weights = (klatt_weights(levels[0]) + klatt_weights(levels[1])) / 2
    return float(weights @ (np.diff(levels[0]) - np.diff(levels[1])) ** 2 / weights.sum())


def test_segmental_snr_is_the_mean_of_limited_frames(pair: tuple[Tensor, Tensor]) -> None:
    noisy = pair[1] + 5 * (pair[0] - pair[1])
    restored, clean = (signal - signal.mean() for signal in (noisy, pair[1]))
    values = [
        np.clip(10 * np.log10(np.sum(y**2) / np.sum((y - x) ** 2)), -10, 35)
        for x, y in zip(frames_of(restored), frames_of(clean), strict=True)
    ]
    assert segsnr_db(noisy, pair[1], RATE_HZ).item() == pytest.approx(np.mean(values), abs=1e-3)
    assert min(values) == -10


def test_segmental_snr_is_within_its_limits() -> None:
    clean = vowels(0)
    assert segsnr_db(clean, clean, RATE_HZ).item() == 35
    assert segsnr_db(-10 * clean, clean, RATE_HZ).item() < -5
    assert segsnr_db(clean * (1 + 10 ** (-20 / 20)), clean, RATE_HZ).item() == pytest.approx(20, abs=5)


def test_log_likelihood_ratio_agrees_with_levinson(pair: tuple[Tensor, Tensor]) -> None:
    values = []
    for x, y in zip(frames_of(pair[0]), frames_of(pair[1]), strict=True):
        (of_x, _), (of_y, matrix) = predictor(x, 16), predictor(y, 16)
        values.append(math.log(of_x @ matrix @ of_x / (of_y @ matrix @ of_y)))
    assert llr(*pair, RATE_HZ).item() == pytest.approx(mean_of_best(values), rel=1e-3)


def test_log_likelihood_ratio_does_not_hear_a_gain(pair: tuple[Tensor, Tensor]) -> None:
    assert llr(0.1 * pair[1], pair[1], RATE_HZ).item() < 1e-3
    assert llr(*pair, RATE_HZ).item() > 0.1


def test_weighted_slope_distance_agrees_with_the_definition(pair: tuple[Tensor, Tensor]) -> None:
    values = [klatt_distance(x, y) for x, y in zip(frames_of(pair[0]), frames_of(pair[1]), strict=True)]
    assert wss(*pair, RATE_HZ).item() == pytest.approx(mean_of_best(values), rel=1e-3)


def test_higher_rates_are_judged_as_at_16_khz(pair: tuple[Tensor, Tensor]) -> None:
    high = [torch.nn.functional.interpolate(signal, scale_factor=3, mode="linear") for signal in pair]
    low = [at_speech_rate(signal, 48000) for signal in high]
    assert low[0][0].shape == pair[0].shape and low[0][1] == RATE_HZ
    for measure in (llr, wss):
        assert measure(*high, 48000).item() == pytest.approx(measure(low[0][0], low[1][0], RATE_HZ).item(), rel=1e-5)


def test_composite_measures_are_the_published_regressions(pair: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pesq")
    values = update_all(build_metrics(["pesq_wb", "llr", "wss", "segsnr_db", "csig", "cbak", "covl"], RATE_HZ), *pair)
    pesq, ratio, slope, segmental = (values[name].item() for name in ("pesq_wb", "llr", "wss", "segsnr_db"))
    csig = 3.093 - 1.029 * ratio + 0.603 * pesq - 0.009 * slope
    cbak = 1.634 + 0.478 * pesq - 0.007 * slope + 0.063 * segmental
    covl = 1.594 + 0.805 * pesq - 0.512 * ratio - 0.007 * slope
    expected = [min(max(value, 1), 5) for value in (csig, cbak, covl)]
    assert [values[name].item() for name in ("csig", "cbak", "covl")] == pytest.approx(expected, rel=1e-5)
    alone = [build_metrics([name], RATE_HZ)[name].function(*pair).item() for name in ("csig", "cbak", "covl")]
    assert alone == pytest.approx(expected, rel=1e-5)


def test_parts_of_composite_measures_are_computed_once(pair: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pesq")
    calls = []
    monkeypatch.setattr(speech, "_pesq_of_one", lambda clean, restored, sample_rate: calls.append(sample_rate) or 2.0)
    update_all(build_metrics(["pesq_wb", "llr", "wss", "segsnr_db", "csig", "cbak", "covl"], RATE_HZ), *pair)
    assert len(calls) == 1
