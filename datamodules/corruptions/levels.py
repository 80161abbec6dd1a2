"""Noise whose level is absolute, relative to full scale and not to the audio."""

from abc import abstractmethod

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.amplifier import hiss, hum
from datamodules.corruptions.noise import EXPONENTS, colored_noise, sum_of_powers, tpdf_noise
from datamodules.corruptions.settings import positive_range, range_within
from datamodules.draws import at_level, normal


class AtLevel(Corruption):
    """Add noise at a drawn level, `|level + deviation * N(0, 1)|` for each example."""

    def __init__(self, deviation: float, level: float) -> None:
        """Store the level.

        Args:
            deviation: standard deviation of the level, full scale 1.
            level: mean RMS level, full scale 1.
        """
        self._deviation = deviation
        self._level = level

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Add noise to a batch; see `Corruption`."""
        level = (self._level + self._deviation * normal((clean.shape[0], 1, 1), generator)).abs()
        noise = self._noise(clean, sample_rate, generator)
        return clean + at_level(noise, level.to(clean.device)).to(clean.dtype)

    @abstractmethod
    def _noise(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Make noise of any level, (B, C, T)."""


class LevelNoise(AtLevel):
    """Add noise of one color."""

    def __init__(self, color: str, deviation: float, level: float) -> None:
        """Store the color.

        Args:
            color: white, pink, brown or tpdf.
            deviation: as of `AtLevel`.
            level: as of `AtLevel`.
        """
        super().__init__(deviation, level)
        self._color = color

    def _noise(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        if self._color == "tpdf":
            return tpdf_noise(clean.shape, generator).to(clean.device)
        share = torch.tensor([float(color == self._color) for color in EXPONENTS], device=clean.device)
        return colored_noise(share.expand(clean.shape[0], -1), clean.shape, sample_rate, generator)


class LevelAmplifier(AtLevel):
    """Add what an amplifier adds: hum and hiss."""

    def __init__(self, hiss_share: float, deviation: float, level: float, mains_hz: float = 50.0) -> None:
        """Store what it is made of.

        Args:
            hiss_share: of the power; the rest is hum.
            deviation: as of `AtLevel`.
            level: as of `AtLevel`.
            mains_hz: frequency of the mains in Hz.

        Raises:
            ValueError: if the share is not within 0 to 1, or the frequency not above 0.
        """
        super().__init__(deviation, level)
        self._hiss_share = range_within(hiss_share, "hiss_share", 0.0, 1.0)[0]
        self._mains_hz = positive_range(mains_hz, "mains_hz")[0]

    def _noise(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        share = torch.full((clean.shape[0],), self._hiss_share, device=clean.device)
        mains_hz = torch.full((clean.shape[0],), self._mains_hz)
        return sum_of_powers(
            [
                (hum(mains_hz, clean, sample_rate, generator), 1 - share),
                (hiss(clean, sample_rate, generator), share),
            ]
        )
