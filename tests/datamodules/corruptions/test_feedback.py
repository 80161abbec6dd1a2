"""The loop of a microphone and its loudspeaker answers as the recursive filter that it is."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from datamodules.corruptions.feedback import QUALITY, Feedback
from datamodules.corruptions.pipeline import Pipeline

RATE_HZ = 8000


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def expected(audio: np.ndarray, delay: int, gain: float, frequency_hz: float) -> np.ndarray:
    """Filter by A / (A - g z^-D N), N / A the band-pass."""
    angle = 2 * math.pi * frequency_hz / RATE_HZ
    width = math.sin(angle) / (2 * QUALITY)
    poles = np.array([1 + width, -2 * math.cos(angle), 1 - width])
    loop = np.zeros(delay + 3)
    loop[delay:] = gain * np.array([width, 0, -width])
    filtered: np.ndarray = signal.lfilter(poles, np.pad(poles, (0, delay)) - loop, audio)
    return filtered


@pytest.mark.parametrize(("delay_ms", "gain_db", "frequency_hz"), [(5, -3, 1000), (20, -0.5, 400)])
def test_step_is_the_recursive_filter(delay_ms: float, gain_db: float, frequency_hz: float) -> None:
    audio = torch.randn(2, 2, 8000, generator=seeded())
    ringing = Pipeline(f"feedback {delay_ms} {gain_db} {frequency_hz}")(audio, RATE_HZ, seeded())
    wanted = expected(audio.numpy(), round(delay_ms * RATE_HZ / 1000), 10 ** (gain_db / 20), frequency_hz)
    assert np.abs(ringing.numpy() - wanted).max() < 2e-3 * np.abs(wanted).max()


def test_direct_sound_keeps_its_place_and_level() -> None:
    impulse = torch.zeros(8, 1, 4000)
    impulse[..., 0] = 1
    ringing = Feedback()(impulse, RATE_HZ, seeded())
    assert torch.allclose(ringing[..., 0], torch.ones(8, 1), atol=1e-3)
    assert (ringing[..., 1:20].abs() < 1e-3).all()


def test_ringing_is_loudest_near_its_frequency() -> None:
    impulse = torch.zeros(1, 1, 8000)
    impulse[..., 0] = 1
    spectrum = torch.fft.rfft(Feedback(4, -0.5, 1000)(impulse, RATE_HZ, seeded()))[0, 0].abs()
    assert abs(int(spectrum.argmax()) - 1000) < 60


def test_loop_that_would_not_stop_ringing_is_refused() -> None:
    with pytest.raises(ValueError, match="loop_gain_db=0 is not within -120 to -0.1"):
        Feedback(loop_gain_db=0)
