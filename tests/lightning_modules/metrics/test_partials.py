"""Partials above the cut-off: tones that come back as tones, and noise that is none."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor

from benchmarks.metrics_order import oracle_order
from lightning_modules.metrics.collection import MeanOverExamples, build_metrics
from lightning_modules.metrics.lsd import HANN_2048, power_spectrogram
from lightning_modules.metrics.partials import lasting, partials_db

RATE_HZ, CUTOFF_HZ = 16000, 4000.0
METRIC = partials_db(RATE_HZ, CUTOFF_HZ)


def noise(seed: int, samples: int = 2 * RATE_HZ) -> Tensor:
    return torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(seed))


def tones(*frequencies_hz: float, amplitude: float = 0.05) -> Tensor:
    """Return a sum of sines over very quiet noise, (1, 1, 2 s)."""
    seconds = torch.arange(2 * RATE_HZ) / RATE_HZ
    return sum(amplitude * torch.sin(2 * torch.pi * hz * seconds) for hz in frequencies_hz) + 1e-4 * noise(0)


def harmonics(first_hz: float) -> Tensor:
    """Return a plucked string, (2 s,)."""
    seconds = torch.arange(2 * RATE_HZ) / RATE_HZ
    orders = range(1, int(7600 / first_hz))
    waves = (0.2 / order * torch.sin(2 * torch.pi * order * first_hz * seconds + order**2) for order in orders)
    return sum(waves) * torch.exp(-seconds) + 1e-4 * noise(0)[0, 0]


def by_definition(restored: Tensor, clean: Tensor) -> float:
    """Follow peaks one by one, in NumPy and SciPy."""
    first = math.ceil(CUTOFF_HZ * 2048 / RATE_HZ)
    powers = [power_spectrogram(signal, HANN_2048)[0, 0].double().numpy() for signal in (restored, clean)]
    floor = np.maximum(powers[1].max(axis=0) * 1e-6, 1e-8)
    tone, clear = [], None
    for power in (np.maximum(power, floor) for power in powers):
        around = scipy.ndimage.median_filter(power, (31, 1), mode="mirror")
        peak = power == scipy.ndimage.maximum_filter(power, (5, 1), mode="nearest")
        tone.append(np.where(peak, np.maximum(power - 10**0.6 * around, 0), 0)[first:])
        clear = (peak & (power > 10**1.2 * around))[first:]
    errors = []
    for bin_, frame in zip(*np.nonzero(clear), strict=True):
        if chain(clear, bin_, frame, 1) + chain(clear, bin_, frame, -1) - 1 >= 8:
            found = tone[0][max(bin_ - 1, 0) : bin_ + 2, frame].max()
            errors.append(min(abs(10 * np.log10(max(found, 1e-30) / tone[1][bin_, frame])), 40))
    return float(np.mean(errors)) if errors else math.nan


def chain(clear: np.ndarray, bin_: int, frame: int, step: int) -> int:
    """Return of how many frames the longest chain from a peak on is."""
    reached, length = {bin_}, 0
    while reached and 0 <= frame < clear.shape[1]:
        length, frame = length + 1, frame + step
        near = {one + move for one in reached for move in (-1, 0, 1)}
        inside = 0 <= frame < clear.shape[1]
        reached = {one for one in near if inside and 0 <= one < len(clear) and clear[one, frame]}
    return length


@pytest.mark.parametrize("level", [0.003, 0.03])
def test_error_is_that_of_the_definition(level: float) -> None:
    clean = harmonics(440.0)[None, None]
    restored = 0.7 * clean + level * noise(1)
    expected = by_definition(restored, clean)
    assert 1 < expected < 40
    assert METRIC(restored, clean).item() == pytest.approx(expected, abs=0.02)


def test_a_level_error_is_told_in_decibels_whichever_its_sign() -> None:
    clean = tones(5000, 6000)
    assert METRIC(clean, clean).item() == 0
    for gain in (0.5, 2.0):
        assert METRIC(gain * clean, clean).item() == pytest.approx(20 * math.log10(2), abs=0.05)


def test_one_of_two_partials_is_half_of_the_worst_and_a_wrong_frequency_is_none() -> None:
    clean = tones(5000, 6000)
    assert METRIC(tones(5000), clean).item() == pytest.approx(20, abs=0.5)
    assert METRIC(tones(5030, 6030), clean).item() == 40
    assert METRIC(1e-4 * noise(0), clean).item() == 40


@pytest.mark.parametrize("first_hz", [261.63, 440.0])
def test_more_of_the_truth_is_better_and_noise_of_the_true_envelope_is_bad(first_hz: float) -> None:
    clean = harmonics(first_hz)
    order = oracle_order(clean, RATE_HZ, int(2 * CUTOFF_HZ))
    errors = {name: METRIC(signal[None, None], clean[None, None]).item() for name, signal in order.items()}
    assert errors["input"] == 40 > errors["noise_fill"] > errors["magnitude"] > errors["clean"] == 0
    assert errors["envelope"] > 30 and errors["magnitude"] < 6


def test_vibrato_is_followed_and_a_short_tone_is_no_partial() -> None:
    seconds = torch.arange(2 * RATE_HZ) / RATE_HZ
    vibrato = 0.1 * torch.sin(2 * torch.pi * 5000 * seconds + 2 * torch.sin(2 * torch.pi * 5 * seconds))[None, None]
    assert METRIC(0.5 * vibrato, vibrato).item() == pytest.approx(6, abs=0.3)
    short = tones(5000) * (seconds < 0.15)
    assert METRIC(short, short).isnan().all()


@pytest.mark.parametrize("clean", [noise(2), tones(1000), 0 * noise(2), tones(5000)[..., :3000]])
def test_nothing_tonal_above_the_cutoff_is_no_value(clean: Tensor) -> None:
    assert METRIC(clean, clean).isnan().all()
    assert METRIC(torch.full_like(clean, torch.nan), clean).isnan().all()


def test_what_has_no_value_is_left_out_of_the_mean_and_nothing_is_asked_without_a_cutoff() -> None:
    metric = build_metrics(["partials_db"], RATE_HZ, CUTOFF_HZ)["partials_db"]
    assert isinstance(metric, MeanOverExamples) and not metric.higher_is_better
    clean = torch.cat([tones(5000, 6000), noise(2)])
    metric.update(metric.function(0.5 * clean, clean))
    assert metric.compute().item() == pytest.approx(6.02, abs=0.05)
    assert build_metrics(["partials_db"], RATE_HZ) == {}


def test_peaks_of_a_chain_may_move_by_one_bin_a_frame() -> None:
    slow, fast = torch.zeros(2, 1, 1, 16, 8, dtype=torch.bool)
    for frame in range(8):
        slow[..., frame, frame] = fast[..., 2 * frame, frame] = True
    assert torch.equal(lasting(slow), slow)
    assert not lasting(fast).any()


def test_long_recordings_are_taken_in_parts_without_seams() -> None:
    clean = torch.cat(10 * [harmonics(440.0)])[None, None]
    restored = 0.7 * clean + 0.003 * noise(1, clean.shape[-1])
    assert METRIC(restored, clean).item() == pytest.approx(by_definition(restored, clean), abs=0.02)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("first_hz", [35.0, 41.2, 82.4])
def test_low_pitches_have_a_value_at_every_rate(first_hz: float, rate_hz: int) -> None:
    """The lowest strings of a bass and of a guitar have partials as close as that."""
    seconds = torch.arange(2 * rate_hz, dtype=torch.float64) / rate_hz
    orders = range(1, int(3500 / first_hz))
    waves = sum(0.02 * torch.sin(2 * torch.pi * order * first_hz * seconds + order**2) for order in orders)
    clean = waves.float()[None, None] + 1e-4 * noise(0, len(seconds))
    assert partials_db(rate_hz, 1000.0)(0.5 * clean, clean).item() == pytest.approx(6.02, abs=0.2)
