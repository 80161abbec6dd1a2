"""Noise told from sound by nonnegative matrix factorization (Lee and Seung 1999; Schmidt, Larsen and Hsiao 2007).

The magnitudes of the frames, over the deviation of the noise, are factored: |Y| / sigma ~ H W + c. c = sqrt(pi) / 2 is the mean
magnitude of Gaussian noise, a component that is known and stays; W are spectra of the sound, learned from the recording itself,
and H says when and how loud they are. Both follow the multiplicative rules of the generalized Kullback-Leibler divergence. The
gain is that of a Wiener filter, (H W)^2 / ((H W)^2 + c^2).
"""

import math

import torch
from torch import Tensor

from models.classical.spectral_gain import SpectralGain
from models.layers.counts import check_count

NOISE = math.sqrt(math.pi) / 2
SEED, LEAST_START = 0, 0.1
TINY = 1e-12


class NMF(SpectralGain):
    """Model the frames of a segment as few spectra that come and go, in noise whose spectrum is estimated.

    Args:
        sample_rate: rate of the signals in Hz.
        components: spectra of the sound.
        iterations: of the rules.

    Raises:
        ValueError: if the rate allows no frame.
        SettingError: if there is no such factorization.
    """

    def __init__(self, sample_rate: int, components: int = 32, iterations: int = 50) -> None:
        super().__init__(sample_rate)
        check_count("@components", components)
        check_count("@iterations", iterations)
        self.components, self.iterations = components, iterations

    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return gains (N, frames, bins) from 0 to below 1; see `SpectralGain`."""
        levels, spectra = factored((power / noise_psd).sqrt(), NOISE, self.components, self.iterations)
        sound = (levels @ spectra).square()
        return sound / (sound + NOISE**2)


def factored(values: Tensor, offset: float, components: int, iterations: int) -> tuple[Tensor, Tensor]:
    """Return levels H (N, frames, components) and spectra W (N, components, bins) of which H W + offset is near to values.

    They start at random, from the same draw every time.

    Args:
        values: at least 0 (N, frames, bins).
        offset: known part of every value, above 0.
        components: number of spectra.
        iterations: of the rules; none makes the divergence larger.
    """
    generator = torch.Generator().manual_seed(SEED)
    shapes = (values.shape[1], components), (components, values.shape[2])
    starts = (torch.rand(shape, generator=generator) + LEAST_START for shape in shapes)
    levels, spectra = (start.to(values).repeat(len(values), 1, 1) for start in starts)
    for _ in range(iterations):
        levels = levels * (values / (levels @ spectra + offset) @ spectra.mT) / (spectra.sum(-1)[:, None] + TINY)
        spectra = spectra * (levels.mT @ (values / (levels @ spectra + offset))) / (levels.sum(1)[..., None] + TINY)
    return levels, spectra
