"""Additive noise: white, pink, brown, triangular (TPDF) and recorded, alone or mixed, at a drawn signal-to-noise ratio.

White, pink and brown noise have power spectra proportional to f^0, f^-1 and f^-2 (0, -3.01 and -6.02 dB per octave).
"""

import copy
import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import fast_even_length
from datamodules.corruptions.recorded.recordings import NoiseRecordings
from datamodules.draws import (
    Range,
    as_range,
    at_level,
    choices,
    random_bytes,
    scale_to_snr,
    symmetric_uniform,
    uniform,
)
from datamodules.splits import Split

EXPONENTS = {"white": 0, "pink": 1, "brown": 2}
COLORS = (*EXPONENTS, "tpdf", "recorded")
AUDIBLE_FROM_HZ = 20.0


class Noise(Corruption):
    """Add noise of a drawn color at a drawn signal-to-noise ratio.

    Each example draws one entry of `colors`, and all its channels share color and level, with independent noise. In an entry
    such as `white+recorded` the named colors are mixed with random proportions of power, all mixtures equally likely.
    """

    def __init__(
        self,
        colors: str | Sequence[str] = ("white",),
        snr_db: Range = (0.0, 20.0),
        noise_root: str | None = None,
        noise_split: str | None = "matching",
    ) -> None:
        """Store what is drawn from.

        Args:
            colors: colors, or mixtures of colors joined by `+`, of which each example draws one: white, pink, brown, tpdf
                and recorded.
            snr_db: ratio of clean to noise power over channels and time in dB, both without their means, as a number or
                `[low, high]`.
            noise_root: folder of the recordings, needed by `recorded`.
            noise_split: of a folder whose MANIFEST.csv has a column `split`, `matching` uses in each split of the clean audio
                the recordings of the same split; `train`, `val` or `test` those of this split; None all of them.

        Raises:
            ValueError: if a color is unknown, a range is not one, or the recordings are missing.
        """
        entries = [colors] if isinstance(colors, str) else list(colors)
        self._mixtures = tuple(_parse_mixture(entry) for entry in entries)
        if not self._mixtures:
            raise ValueError(f"colors is empty: give at least one of {', '.join(COLORS)}")
        self._snr_db = as_range(snr_db, "snr_db")
        self._recordings: NoiseRecordings | None = None
        if any("recorded" in mixture for mixture in self._mixtures):
            self._recordings = _open_recordings(noise_root, noise_split)

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per recording that could not be used."""
        return [] if self._recordings is None else self._recordings.skipped

    def for_split(self, split: Split) -> "Noise":
        """Return the noise for one split of the clean audio; see `Corruption.for_split`."""
        if self._recordings is None:
            return self
        chosen = copy.copy(self)
        chosen._recordings = self._recordings.for_split(split)
        return chosen

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Add noise to a batch; the level of the clean audio in it is unchanged, and silence stays silent.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: only source of randomness.

        Returns:
            Noisy audio, (B, C, T).
        """
        shares = self._draw_shares(clean.shape[0], generator)
        noise = self._mix(shares.to(clean.device), clean, sample_rate, generator).to(clean.dtype)
        return scale_to_snr(clean, noise, uniform(*self._snr_db, (clean.shape[0],), generator)).add_(clean)

    def _draw_shares(self, batch: int, generator: torch.Generator) -> Tensor:
        """Draw the share of each color in each example's noise power, (B, len(COLORS)), uniform on the mixture's simplex."""
        used = torch.tensor([[color in mixture for color in COLORS] for mixture in self._mixtures], device=generator.device)
        mixture = choices(len(self._mixtures), (batch,), generator)
        exponential = -torch.log(uniform(1e-6, 1.0, (batch, len(COLORS)), generator))
        return torch.nn.functional.normalize((exponential + 1e-6) * used[mixture], p=1.0, dim=1)

    def _mix(self, shares: Tensor, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Sum the used kinds of noise, each with the power of its share, (B, C, T)."""
        spectral, tpdf, recorded = shares[:, : len(EXPONENTS)], shares[:, -2], shares[:, -1]
        parts = []
        if any(color in mixture for mixture in self._mixtures for color in EXPONENTS):
            noise = colored_noise(spectral, clean.shape, sample_rate, generator)
            parts.append((noise, spectral.sum(dim=1)))
        if any("tpdf" in mixture for mixture in self._mixtures):
            parts.append((tpdf_noise(clean.shape, generator).to(clean.device), tpdf))
        if self._recordings is not None:
            parts.append((self._recordings.draw(recorded > 0, clean.shape, sample_rate, generator).to(clean.device), recorded))
        return parts[0][0] if len(parts) == 1 else sum_of_powers(parts)


def sum_of_powers(parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Add signals after giving each the asked mean power.

    Args:
        parts: pairs of a signal, (B, C, T), and its power, (B,).

    Returns:
        The sum, (B, C, T). A silent signal becomes zero.
    """
    return torch.stack([at_level(noise, power.sqrt().view(-1, 1, 1)) for noise, power in parts]).sum(dim=0)


def colored_noise(shares: Tensor, shape: Sequence[int], sample_rate: int, generator: torch.Generator) -> Tensor:
    """Make noise whose power spectrum is a weighted sum of the white, pink and brown ones.

    Independent noises add in power, so a mixture needs only one spectrum. Its bins are random bytes, ten times cheaper than
    normal numbers: every sample of the noise is a sum over all bins and therefore normal whatever their distribution.

    Args:
        shares: shares of power of white, pink and brown noise, (B, 3), on the device of the result.
        shape: (B, C, T).
        sample_rate: rate in Hz.
        generator: only source of randomness.

    Returns:
        Noise of arbitrary level, (B, C, T).
    """
    batch, channels, length = shape
    period = fast_even_length(length)
    shape = (batch, channels, period // 2 + 1, 2)
    bins = random_bytes(math.prod(shape), generator).to(shares.device).add(0.5).view(shape)  # Centered: bytes begin at -128.
    gains = (shares @ color_powers(period, sample_rate).to(shares.device)).sqrt_().unsqueeze(1)  # (B, 1, F)
    noise: Tensor = torch.fft.irfft(torch.view_as_complex(bins).mul_(gains), n=period)
    return noise[..., :length]


@functools.lru_cache(maxsize=4)
def color_powers(period: int, sample_rate: int) -> Tensor:
    """Tabulate the power spectra of white, pink and brown noise, each with sum 1.

    Pink and brown noise have nothing below 20 Hz: their power there would dominate unheard and would grow with the window.

    Args:
        period: length of the transform in samples, even.
        sample_rate: rate in Hz.

    Returns:
        Power in each bin, (3, period / 2 + 1).
    """
    frequency_hz = torch.arange(period // 2 + 1) * (sample_rate / period)
    relative = frequency_hz.clamp_min(AUDIBLE_FROM_HZ) / AUDIBLE_FROM_HZ
    exponents = torch.tensor([[float(exponent)] for exponent in EXPONENTS.values()])
    audible = (frequency_hz >= AUDIBLE_FROM_HZ) | (exponents == 0)
    return torch.nn.functional.normalize(relative**-exponents * audible, p=1.0, dim=1)


def tpdf_noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Make white noise of triangular density on (-2, 2), the sum of two uniform variables, as used for dither.

    Args:
        shape: (B, C, T).
        generator: only source of randomness.

    Returns:
        Noise of variance 2/3, (B, C, T), on the generator's device.
    """
    return symmetric_uniform((2, *shape), generator).sum(dim=0)


def _parse_mixture(entry: str) -> frozenset[str]:
    """Split an entry such as `white+pink` into known colors."""
    names = [name.strip() for name in entry.split("+")]
    for name in names:
        if name not in COLORS:
            raise ValueError(f"unknown noise {name!r} in colors entry {entry!r}; known: {', '.join(COLORS)}")
    return frozenset(names)


def _open_recordings(noise_root: str | None, noise_split: str | None) -> NoiseRecordings:
    """List the recordings, or say that their folder is missing from the configuration."""
    if noise_root is None:
        raise ValueError("colors names 'recorded' but noise_root is not set: give the folder of the recordings")
    return NoiseRecordings(noise_root, noise_split)
