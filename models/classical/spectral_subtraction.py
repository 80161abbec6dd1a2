"""Subtraction of the power of the noise (Boll 1979; Berouti, Schwartz and Makhoul 1979; Yu, Mallat and Bacry 2008, section II).

a = max(1 - lambda (sigma^2 / |Y|^2)^beta, floor)^exponent of every bin by itself, which leaves musical noise. beta = exponent = 1
and lambda = 1 is the empirical Wiener filter, beta = 1 and exponent = 1/2 the subtraction of powers, beta = 1/2 and exponent = 1
that of magnitudes, which is soft thresholding.
"""

import torch
from torch import Tensor

from models.classical.spectral_gain import SpectralGain, ToldNoise

EMPTY = 1e-20
"""Posterior signal-to-noise ratio at which a bin counts as silent."""


class SpectralSubtraction(SpectralGain):
    """Subtract a multiple of the noise.

    Args:
        sample_rate: rate of the signals in Hz.
        over_subtraction: lambda, how much of the noise is subtracted.
        beta: power of the ratio of noise to signal.
        exponent: power of what is left.
        floor: lowest gain, from 0 to 1.

    Raises:
        ValueError: if the rate allows no frame.
    """

    def __init__(
        self, sample_rate: int, over_subtraction: float = 5.0, beta: float = 1.0, exponent: float = 1.0, floor: float = 0.05
    ) -> None:
        super().__init__(sample_rate)
        self.over_subtraction, self.beta, self.exponent, self.floor = over_subtraction, beta, exponent, floor

    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return gains (N, frames, bins) from the floor to 1; see `SpectralGain`."""
        posterior = (power / noise_psd).clamp(min=EMPTY)
        left = 1 - self.subtracted(power, noise_psd) * posterior**-self.beta
        return (left.clamp(min=0) ** self.exponent).clamp(min=self.floor)

    def subtracted(self, power: Tensor, noise_psd: Tensor) -> Tensor | float:
        """Return lambda, of all frames or of each, (N, frames, 1)."""
        return self.over_subtraction


class SpectralSubtractionOracle(ToldNoise, SpectralSubtraction):
    """Spectral subtraction that knows the noise spectrum: the bound for the blind one, not a restorer."""


class BeroutiSubtraction(SpectralSubtraction):
    """Subtract the more, the louder the noise of a frame is: lambda = 4 - 0.15 SNR, from -5 to 20 dB (Berouti et al., fig. 2).

    The power is subtracted (exponent = 1/2); the SNR is that of the noisy frame to the noise.

    Args:
        sample_rate: rate of the signals in Hz.
        floor: lowest power that is left, as a share of the power of the noise.
    """

    def __init__(self, sample_rate: int, floor: float = 0.01) -> None:
        super().__init__(sample_rate, exponent=0.5, floor=0.0)
        self.noise_floor = floor

    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return gains (N, frames, bins) from 0 to 1; see `SpectralGain`."""
        floor = (self.noise_floor * noise_psd / power.clamp(min=EMPTY)).clamp(max=1).sqrt()
        return torch.maximum(super().gains(power, noise_psd), floor)

    def subtracted(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return lambda (N, frames, 1)."""
        ratio = power.sum(-1, keepdim=True) / noise_psd.sum(-1, keepdim=True)
        return 4 - 0.15 * (10 * torch.log10(ratio.clamp(min=EMPTY))).clamp(-5, 20)
