"""A delay is found through noise and filters, and none is claimed where there is none or nothing can be told."""

import numpy as np
import pytest
from scipy import signal

from datamodules.alignment import clear_delay

RNG = np.random.default_rng(0)
CLEAN = signal.lfilter([1.0], [1.0, -0.95], RNG.standard_normal((2, 16_000)))  # falls towards high frequencies, as speech does
NOISE = RNG.standard_normal((2, 16_000))
LOW_PASS = signal.firwin(101, 0.25)


def noisy(snr_db: float) -> np.ndarray:
    return CLEAN + NOISE * CLEAN.std() / NOISE.std() * 10 ** (-snr_db / 20)


@pytest.mark.parametrize("delay", [2, -2, 31, -500, 4000])
@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_delay_is_found_through_noise(delay: int, snr_db: float) -> None:
    assert clear_delay(CLEAN, np.roll(noisy(snr_db), delay, axis=1)) == delay


def test_delay_is_found_through_a_filter_and_a_change_of_sign() -> None:
    filtered = signal.filtfilt(LOW_PASS, 1.0, CLEAN)
    assert clear_delay(CLEAN, np.roll(-0.1 * filtered, 40, axis=1)) == 40
    assert clear_delay(CLEAN, filtered) == 0


@pytest.mark.parametrize("delay", [0, 1, -1])
def test_what_is_allowed_is_no_delay(delay: int) -> None:
    assert clear_delay(CLEAN, np.roll(noisy(5.0), delay, axis=1)) == 0


def test_nothing_is_claimed_of_noise_alone_silence_and_single_samples() -> None:
    for other in (NOISE, np.zeros_like(CLEAN), np.full_like(CLEAN, 0.5)):
        assert clear_delay(CLEAN, other) == 0
    assert clear_delay(CLEAN[:, :1], CLEAN[:, :1]) == 0


def test_room_whose_direct_sound_is_in_place_is_not_late() -> None:
    decay = np.exp(-np.arange(4000) / 600)
    response = 0.1 * np.random.default_rng(1).standard_normal(4000) * decay
    response[0] = 1.0
    assert clear_delay(CLEAN, signal.fftconvolve(CLEAN, response[None], axes=1)[:, :16_000]) == 0
