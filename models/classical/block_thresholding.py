"""Time-frequency block thresholding (Yu, Mallat and Bacry 2008, IEEE Trans. Signal Processing 56(5)).

A macroblock of 8 frames and 16 bins is divided into blocks of L frames and W bins, in one of 15 ways. A block has one gain,
a = max(1 - lambda / m, 0), with the mean m of |Y|^2 / sigma^2 over it. lambda is what the mean of noise alone exceeds in one of a
thousand blocks. The division is the one of the least risk by Stein's unbiased estimate, which of a block of B bins is
B + (lambda^2 B - 2 lambda (B - 2)) / m for m >= lambda, and B (m - 1) below. Then comes the empirical Wiener filter
a' = p / (1 + p) of what the gains leave, p = |a Y|^2 / sigma^2.
"""

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.spectral_gain import SpectralGain, ToldNoise

FRAMES, BINS = 8, 16
"""Of a macroblock."""
DIVISIONS = tuple((frames, bins) for frames in (8, 4, 2) for bins in (16, 8, 4, 2, 1))
THRESHOLDS = {4: 4.7, 8: 3.5, 16: 2.5, 32: 2.0, 64: 1.8, 128: 1.5}
"""lambda by the number of bins. Bins side by side share noise; blocks one bin wide count twice (table I of the paper)."""


class BlockThresholding(SpectralGain):
    """Threshold blocks of bins whose sizes follow the sound: long ones for tones, short and broad ones for beginnings."""

    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return gains (N, frames, bins) from 0 to below 1; see `SpectralGain`."""
        posterior = power / noise_psd
        left = self.block_gains(posterior).square() * posterior
        return left / (1 + left)

    def block_gains(self, posterior: Tensor) -> Tensor:
        """Return the gains of blocks; the last values fill the last macroblocks.

        Args:
            posterior: |Y|^2 / sigma^2 (N, frames, bins).

        Returns:
            Gains (N, frames, bins) from 0 to below 1.
        """
        frames, bins = posterior.shape[1:]
        filled = functional.pad(posterior, (0, -bins % BINS, 0, -frames % FRAMES), mode="replicate")
        tried = [_of_division(filled, *division) for division in DIVISIONS]
        best = torch.stack([risk for _, risk in tried]).argmin(dim=0, keepdim=True)  # (1, N, macroblocks over time, over bins)
        gains = torch.stack([gain for gain, _ in tried]).gather(0, _spread(best, FRAMES, BINS))[0]
        return gains[:, :frames, :bins]


class BlockThresholdingOracle(ToldNoise, BlockThresholding):
    """Block thresholding that knows the noise spectrum: the bound for the blind one, not a restorer."""


def _of_division(posterior: Tensor, frames: int, bins: int) -> tuple[Tensor, Tensor]:
    """Return the gains (N, frames, bins) and the risks of macroblocks (N, macroblocks over time, over bins) of a division."""
    size = frames * bins
    threshold = THRESHOLDS[size if bins > 1 else 2 * size]
    mean = functional.avg_pool2d(posterior, (frames, bins))
    kept = mean >= threshold
    safe = torch.where(kept, mean, threshold)
    bias = (threshold**2 * size - 2 * threshold * (size - 2)) / safe
    risk = torch.where(kept, size + bias, size * (mean - 1))
    of_macroblock = functional.avg_pool2d(risk, (FRAMES // frames, BINS // bins), divisor_override=1)
    return _spread(1 - threshold / safe, frames, bins), of_macroblock


def _spread(blocks: Tensor, frames: int, bins: int) -> Tensor:
    """Repeat values of blocks (..., K, M) over all of their frames and bins, (..., K frames, M bins)."""
    return blocks.repeat_interleave(frames, dim=-2).repeat_interleave(bins, dim=-1)
