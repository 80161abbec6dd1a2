"""Targets are exact, on the way from the corrupted to the clean signal, and as far from it as published."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.losses.targets import RisingBand, clean_always, find_step_weights, make_targets, schedule
from lightning_modules.metrics.snr import snr_db

RATE_HZ = 16000


def pair(samples: int = 4000) -> tuple[Tensor, Tensor]:
    clean, disturbance = torch.randn(2, 3, 1, samples, generator=torch.Generator().manual_seed(0))
    return clean, clean + disturbance


@pytest.mark.parametrize(("step", "gain_db"), [(10, 0.09), (25, 0.56), (50, 2.50), (71, 6.09), (90, 14.42), (95, 20.22)])
def test_scheduled_target_is_as_much_cleaner_as_published(step: int, gain_db: float) -> None:
    clean, corrupted = pair()
    gain = snr_db(schedule(clean, corrupted, step / 100), clean) - snr_db(corrupted, clean)
    assert gain.mean().item() == pytest.approx(gain_db, abs=0.01)


@pytest.mark.parametrize("step", range(9))
def test_scheduled_target_is_the_corrupted_signal_less_a_share_of_the_noise(step: int) -> None:
    clean, corrupted = pair()
    expected = corrupted - (step / 8) ** 2 * (corrupted - clean)
    torch.testing.assert_close(schedule(clean, corrupted, step / 8), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["schedule", "clean", "band"])
def test_last_target_is_the_clean_signal_and_inputs_stay_as_they_are(name: str) -> None:
    clean, corrupted = pair()
    before = clean.clone(), corrupted.clone()
    target = make_targets(name, RATE_HZ, 0.0)(clean, corrupted, 1.0)
    torch.testing.assert_close(target, clean, rtol=0, atol=1e-5)
    assert torch.equal(before[0], clean) and torch.equal(before[1], corrupted)


def test_clean_target_is_the_same_at_every_step() -> None:
    clean, corrupted = pair()
    assert clean_always(clean, corrupted, 0.1) is clean


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.75])
def test_band_limited_signal_gains_the_band_up_to_the_cutoff(progress: float) -> None:
    targets = RisingBand(RATE_HZ, 2000.0)
    clean, _ = pair(16000)
    spectrum = torch.fft.rfft(clean)
    frequency = torch.fft.rfftfreq(16000, 1 / RATE_HZ)
    corrupted = torch.fft.irfft(spectrum * (frequency < 2000), 16000)
    found = torch.fft.rfft(targets(clean, corrupted, progress)).abs().square().mean(dim=(0, 1))
    whole = spectrum.abs().square().mean(dim=(0, 1))
    cutoff = 2000 + progress * 6000
    below, above = frequency < cutoff, frequency > cutoff + 300
    assert (found[below].sum() / whole[below].sum()).item() == pytest.approx(1.0, abs=0.01)
    assert (found[above].sum() / whole[above].sum()).item() < 0.002


def test_band_rises_from_start_to_nyquist() -> None:
    targets = RisingBand(RATE_HZ, 2000.0)
    assert [targets.cutoff_hz(progress) for progress in (0, 0.5, 1)] == [2000, 5000, 8000]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("equal", [1, 1, 1, 1]),
        ("relative", [100, 16, 256 / 81, 1]),
        ("late", [1 / 256, 1 / 16, 81 / 256, 1]),
        ("last", [0, 0, 0, 1]),
    ],
)
def test_weights_of_four_steps(name: str, expected: list[float]) -> None:
    weight = find_step_weights(name)
    assert [weight(step / 4) for step in (1, 2, 3, 4)] == pytest.approx(expected)


def test_squared_error_of_the_schedule_gives_the_first_half_three_percent() -> None:
    weight = find_step_weights("late")
    shares = np.array([weight(step / 100) for step in range(1, 101)])
    assert shares.sum() == pytest.approx(20.50, abs=0.01)
    assert shares[:50].sum() / shares.sum() == pytest.approx(0.032, abs=0.001)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_targets("magic", RATE_HZ, 0.0), "model.targets=magic; known: schedule, clean, band"),
        (lambda: find_step_weights("heavy"), "model.step_weights=heavy; known: equal, relative, late, last"),
        (lambda: RisingBand(RATE_HZ, 8000.0), "model.band_start_hz=8000.0 must lie between 0 and 8000 Hz"),
    ],
)
def test_unknown_name_or_band_is_refused_by_its_key(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
