"""Noise with even spectra: how even, and that it has no seam."""

import pytest
import torch
from torch import Tensor

from models.layers import stft
from models.layers.even_noise import even_noise

FRAMES = (64, 128, 256, 512)
PERIOD = 8000


def deviation_db(noise: Tensor, frame_samples: int) -> float:
    spectra = stft.analyze(noise, torch.hann_window(frame_samples), frame_samples // 4, edges="bare")
    return float((20 * spectra[:, 2:-2].abs().log10()).std())


@pytest.mark.parametrize("frame_samples", FRAMES)
def test_log_magnitudes_deviate_less_than_those_of_chance_at_every_resolution(frame_samples: int) -> None:
    gaussian = torch.randn(1, PERIOD, generator=torch.Generator().manual_seed(1))
    assert deviation_db(gaussian, frame_samples) > 5.3
    noise = even_noise(1, PERIOD, FRAMES)
    assert all(deviation_db(noise[:, start:], frame_samples) < 4.0 for start in (0, 8, 37))


def test_noise_goes_on_from_its_end_to_its_beginning() -> None:
    noise = even_noise(1, PERIOD, FRAMES)
    seam = torch.cat([noise[:, -1000:], noise[:, :1000]], dim=-1)
    assert all(deviation_db(seam, frame_samples) < 4.3 for frame_samples in FRAMES)


def test_noise_is_white_of_unit_variance_with_a_stream_for_each_channel() -> None:
    noise = even_noise(2, PERIOD, FRAMES)
    torch.testing.assert_close(noise.square().mean(dim=-1), torch.ones(2))
    halves = stft.squared_magnitude(torch.fft.rfft(noise)).unflatten(-1, (-1, 4001)).squeeze(-2)
    parts = torch.stack([part.mean(dim=-1) for part in halves[..., 1:].chunk(8, dim=-1)])
    torch.testing.assert_close(parts / parts.mean(), torch.ones(8, 2), atol=0.15, rtol=0)
    assert torch.corrcoef(noise)[0, 1].abs() < 0.05
    assert torch.equal(noise, even_noise(2, PERIOD, FRAMES))
