"""Total variation of spectra whose phases are turned back, against a dual solver in NumPy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.classical.total_variation import TotalVariation, least_variation, turns
from models.layers.setting_error import SettingError

Complex = NDArray[np.complex128]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex64)


def by_its_dual(noisy: Complex, turned: Complex, weight: float) -> Complex:
    """Return the minimum (frames, bins) by accelerated projected descent of the dual, y - L* z with |z| <= weight."""
    back = lambda dual: np.pad(turned * dual, ((1, 0), (0, 0))) - np.pad(dual, ((0, 1), (0, 0)))  # noqa: E731
    dual = ahead = np.zeros_like(turned)
    for step in range(4000):
        found = noisy - back(ahead)
        moved = ahead + 0.25 * (turned.conj() * found[1:] - found[:-1])
        moved = moved / np.maximum(np.abs(moved) / weight, 1)
        ahead, dual = moved + step / (step + 3) * (moved - dual), moved
    return np.asarray(noisy - back(dual))


@pytest.mark.parametrize("weight", [0.5, 2.0, 5.0])
def test_what_is_found_is_the_minimum(weight: float) -> None:
    noisy, turned = 3 * draw(1, 60, 5), torch.sgn(draw(1, 59, 5, seed=1))
    wanted = by_its_dual(noisy[0].numpy().astype(complex), turned[0].numpy().astype(complex), weight)
    np.testing.assert_allclose(least_variation(noisy, turned, weight, steps=2000)[0].numpy(), wanted, atol=0.01)
    assert np.abs(least_variation(noisy, turned, weight)[0].numpy() - wanted).max() < 0.2


def test_two_frames_come_together_by_the_weight_until_they_meet() -> None:
    turned = torch.tensor([[[1j]]])
    apart = torch.tensor([[[3.0], [13.0j]]], dtype=torch.complex64)  # 3 and, turned back, 13
    expected = torch.tensor([[[5.0], [11.0j]]], dtype=torch.complex64)
    torch.testing.assert_close(least_variation(apart, turned, 2.0, 2000), expected, atol=5e-3, rtol=0)
    torch.testing.assert_close(least_variation(apart, turned, 20.0, 2000)[0, :, 0], torch.tensor([8.0, 8.0j]), atol=5e-3, rtol=0)


def test_phases_turn_as_the_frequency_says_and_silence_does_not() -> None:
    net, hz = TotalVariation(8000), 1234.0
    sine = torch.sin(2 * torch.pi * hz * torch.arange(8000) / 8000)[None, None]
    at = round(hz / 20)
    found = turns(net.analyze(sine))[0, 4:-4, at]
    expected = torch.polar(torch.tensor(1.0), torch.tensor(2 * torch.pi * hz * net.hop_samples / 8000))
    torch.testing.assert_close(found, expected.expand_as(found), atol=2e-3, rtol=0)
    assert torch.equal(turns(torch.zeros(1, 9, 5, dtype=torch.complex64)), torch.ones(1, 8, 5, dtype=torch.complex64))


def test_a_steady_tone_stays_and_noise_goes() -> None:
    steady = 5 * torch.polar(torch.ones(1, 80, 3), 1.3 * torch.arange(80.0)[None, :, None].expand(1, 80, 3))
    torch.testing.assert_close(least_variation(steady, turns(steady), 2.0), steady, atol=1e-3, rtol=0)
    noise = draw(1, 200, 30)
    assert least_variation(noise, turns(noise), 2.0).abs().square().mean() < 0.25 * noise.abs().square().mean()


def test_no_smoothness_is_refused_by_its_key() -> None:
    with pytest.raises(SettingError, match="smoothness=0 must be above 0"):
        TotalVariation(8000, smoothness=0)
