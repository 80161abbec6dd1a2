"""Dynamic range compression without make-up gain: what is loud gets quieter, what is quiet stays as it is.

The static curve is that of Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design" (2012), Eq. (2): above the
threshold T the level x becomes T + (x - T) / R. The level is measured in a window around each sample, so nothing is late.
"""

import torch
from torch import Tensor
from torch.nn import functional

from datamodules.corruptions import Corruption
from datamodules.corruptions.settings import range_within
from datamodules.draws import Range, uniform

WINDOW_S = 0.02
"""Half the length of the triangle in which the power of a moment is averaged."""
LEAST_POWER = 1e-20


class Compression(Corruption):
    """Compress each example above a threshold that follows its loudest moment; all channels get the same gain."""

    def __init__(self, threshold_db: Range = (10.0, 30.0), ratio: Range = (2.0, 8.0)) -> None:
        """Check the ranges.

        Args:
            threshold_db: how far the threshold lies below the level of the loudest moment in dB.
            ratio: decibels above the threshold for each that is left of them.

        Raises:
            ValueError: if a range is not one, a threshold is negative, or a ratio is below 1.
        """
        self._threshold_db = range_within(threshold_db, "threshold_db", 0.0, 120.0)
        self._ratio = range_within(ratio, "ratio", 1.0, 1000.0)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the compressed batch; see `Corruption`."""
        threshold_db = uniform(*self._threshold_db, (clean.shape[0], 1, 1), generator).to(clean.device)
        ratio = uniform(*self._ratio, (clean.shape[0], 1, 1), generator).to(clean.device)
        level_db = 10 * torch.log10(momentary_power(clean, sample_rate).clamp_min(LEAST_POWER))
        above_db = (level_db - level_db.amax(dim=2, keepdim=True) + threshold_db).clamp_min(0)
        return clean * (10 ** (above_db * (1 / ratio - 1) / 20)).to(clean.dtype)


def momentary_power(audio: Tensor, sample_rate: int) -> Tensor:
    """Average the power of all channels around each sample, by two moving means after each other.

    Args:
        audio: (B, C, T).
        sample_rate: its rate in Hz.

    Returns:
        Mean square, (B, 1, T), in at least single precision.
    """
    power = audio.to(torch.promote_types(audio.dtype, torch.float32)).square().mean(dim=1, keepdim=True)
    reach = round(WINDOW_S * sample_rate / 2)
    for _ in range(2):
        power = functional.avg_pool1d(power, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    return power
