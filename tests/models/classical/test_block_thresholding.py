"""Block thresholding against a loop in NumPy, and its choice of blocks for tones and clicks."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from models.classical.block_thresholding import DIVISIONS, THRESHOLDS, BlockThresholding

NET = BlockThresholding(8000)


def looped(posterior: np.ndarray) -> np.ndarray:
    """Return the gains of (frames, bins), whole macroblocks, block by block."""
    gains = np.zeros_like(posterior)
    for top in range(0, posterior.shape[0], 8):
        for left in range(0, posterior.shape[1], 16):
            part = posterior[top : top + 8, left : left + 16]
            gains[top : top + 8, left : left + 16] = min(
                (_divided(part, *division) for division in DIVISIONS), key=lambda x: x[0]
            )[1]
    return gains


def _divided(part: np.ndarray, frames: int, bins: int) -> tuple[float, np.ndarray]:
    size, risk, gains = frames * bins, 0.0, np.zeros_like(part)
    level = THRESHOLDS[2 * size if bins == 1 else size]
    for row in range(0, 8, frames):
        for column in range(0, 16, bins):
            mean = part[row : row + frames, column : column + bins].mean()
            above = size + (level**2 * size - 2 * level * (size - 2)) / mean
            risk += above if mean >= level else size + size * (mean - 2)
            gains[row : row + frames, column : column + bins] = max(1 - level / mean, 0)
    return risk, gains


def test_gains_are_those_of_the_division_of_least_risk() -> None:
    posterior = np.random.default_rng(0).exponential(1.0, (24, 48))
    posterior[:, 20] += 40
    posterior[11:13, 16:40] += 12
    found = NET.block_gains(torch.from_numpy(posterior)[None])[0].numpy()
    np.testing.assert_allclose(found, looped(posterior), atol=1e-12)


def test_wiener_pass_follows_what_the_blocks_leave() -> None:
    power, noise = torch.rand(1, 16, 32, generator=torch.Generator().manual_seed(0)) * 9, torch.full((1, 1, 32), 0.5)
    left = NET.block_gains(power / 0.5) ** 2 * power / 0.5
    torch.testing.assert_close(NET.gains(power, noise), left / (1 + left))


def test_a_tone_is_kept_by_blocks_one_bin_wide_and_a_click_by_short_ones() -> None:
    posterior = torch.ones(1, 8, 32)
    posterior[:, :, 5] = 50.0
    posterior[:, 2:4, 16:] = 50.0
    kept = NET.block_gains(posterior)[0] > 0
    expected = torch.zeros(8, 32, dtype=torch.bool)
    expected[:, 5], expected[2:4, 16:] = True, True
    assert torch.equal(kept, expected)


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (17, 33)])
def test_incomplete_macroblocks_are_filled(shape: tuple[int, int]) -> None:
    assert (NET.block_gains(torch.full((2, *shape), 100.0)) > 0.9).all()
    assert (NET.block_gains(torch.ones(2, *shape)) == 0).all()


def test_thresholds_are_near_the_levels_that_noise_rarely_exceeds() -> None:
    quantiles = {size: chi2.ppf(0.999, size) / size for size in THRESHOLDS}
    assert {size: level - quantiles[size] for size, level in THRESHOLDS.items()} == pytest.approx(
        dict.fromkeys(THRESHOLDS, 0), abs=0.4
    )
