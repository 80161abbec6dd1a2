"""Running statistics against their recursions, and the same in blocks."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers.causal_features import CausalFeatures
from models.layers.running import RisingMinimum, RunningMean


def values(frames: int) -> Tensor:
    return torch.randn(2, frames, 3, generator=torch.Generator().manual_seed(0))


def weights(frames: int) -> Tensor:
    return (torch.rand(2, frames, 1, generator=torch.Generator().manual_seed(1)) > 0.3).float()


def recursive_mean(x: np.ndarray, w: np.ndarray, factor: float) -> np.ndarray:
    means, total, weight = np.zeros_like(x), np.zeros(3), 0.0
    for at in range(len(x)):
        total, weight = factor * total + w[at] * x[at], factor * weight + w[at, 0]
        means[at] = total / weight if weight else 0
    return means


def recursive_minimum(x: np.ndarray, rise: float) -> np.ndarray:
    minima, lowest = np.zeros_like(x), np.full(3, 1e3)
    for at in range(len(x)):
        lowest = np.minimum(x[at], lowest + rise)
        minima[at] = lowest
    return minima


@pytest.mark.parametrize("factor", [0.2, 0.9, 0.999])
@pytest.mark.parametrize("frames", [1, 64, 201])
def test_mean_equals_its_recursion(factor: float, frames: int) -> None:
    x, w = values(frames), weights(frames)
    means, _ = RunningMean(factor)(x, w, None)
    expected = [recursive_mean(*(each.double().numpy() for each in pair), factor) for pair in zip(x, w, strict=True)]
    np.testing.assert_allclose(means, np.stack(expected), atol=1e-5)


@pytest.mark.parametrize("rise", [0.001, 0.1, 3.0])
@pytest.mark.parametrize("frames", [1, 64, 201])
def test_minimum_equals_its_recursion(rise: float, frames: int) -> None:
    x = values(frames)
    minima, _ = RisingMinimum(rise)(x, None)
    np.testing.assert_allclose(minima, np.stack([recursive_minimum(each.double().numpy(), rise) for each in x]), atol=1e-5)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_statistics_go_on_from_block_to_block(block: int) -> None:
    x, w = values(201), weights(201)
    mean, minimum = RunningMean(0.95), RisingMinimum(0.01)
    mean_state = minimum_state = None
    means, minima = [], []
    for part, weight in zip(x.split(block, dim=1), w.split(block, dim=1), strict=True):
        now, mean_state = mean(part, weight, mean_state)
        means.append(now)
        now, minimum_state = minimum(part, minimum_state)
        minima.append(now)
    torch.testing.assert_close(torch.cat(means, dim=1), mean(x, w, None)[0])
    torch.testing.assert_close(torch.cat(minima, dim=1), minimum(x, None)[0])


def test_mean_of_the_first_frames_is_theirs_alone() -> None:
    means, _ = RunningMean(0.999)(torch.tensor([[[5.0], [7.0]]]), torch.ones(1, 2, 1), None)
    torch.testing.assert_close(means.flatten(), torch.tensor([5.0, 6.0]), atol=1e-3, rtol=0)


def test_floor_of_steady_noise_stays_when_a_tone_comes_and_goes() -> None:
    bins, frames = 32, 400
    noise = torch.randn(1, frames, bins, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    features = CausalFeatures(bins, 2 * bins, bins // 2, memory_frames=250.0)
    quiet = features(noise, None)[0][0, 0]  # (F, L), half the height above the floor
    noise[:, 300:330, 8:25] *= 100
    loud = features(noise, None)[0][0, 0]
    torch.testing.assert_close(loud[:, :300], quiet[:, :300])
    rise = 0.5 * np.log(100)
    assert (loud - quiet)[12:21, 300].mean() == pytest.approx(rise, abs=0.15)
    assert (loud - quiet)[12:21, 329].mean() > 0.9 * rise
    assert 0 < quiet[:, 200:].mean() < 1


def test_what_was_40_db_louder_is_soon_forgotten() -> None:
    bins, frames = 32, 600
    noise = torch.randn(1, frames, bins, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    features = CausalFeatures(bins, 2 * bins, bins // 2, memory_frames=250.0)
    steady = features(noise, None)[0][0, :3]
    noise[:, :300] *= 100
    after = features(noise, None)[0][0, :3]
    torch.testing.assert_close(after[:, :, 360:], steady[:, :, 360:], rtol=0, atol=0.4)
    torch.testing.assert_close(after[:2, :, 360:].mean(), steady[:2, :, 360:].mean(), rtol=0, atol=0.05)
