"""Gains from a prior signal-to-noise ratio that follows the restored sound (Ephraim and Malah 1984, eq. 51).

xi[l] = alpha |a[l-1] Y[l-1]|^2 / sigma^2 + (1 - alpha) max(|Y[l]|^2 / sigma^2 - 1, 0): a memory that leaves no musical noise.
"""

from abc import abstractmethod

import torch
from torch import Tensor

from models.classical.spectral_gain import SpectralGain


class DecisionDirected(SpectralGain):
    """A rule from the prior and the posterior signal-to-noise ratio of a frame to its gains.

    Args:
        sample_rate: rate of the signals in Hz.
        alpha: weight of the previous frame in the prior SNR, from 0 to below 1; near 1 there is no musical noise.
        prior_snr_floor_db: lowest prior SNR, which limits the attenuation.

    Raises:
        ValueError: if the rate allows no frame or alpha is out of range.
    """

    def __init__(self, sample_rate: int, alpha: float = 0.98, prior_snr_floor_db: float = -25.0) -> None:
        super().__init__(sample_rate)
        if not 0 <= alpha < 1:
            raise ValueError(f"alpha must be from 0 to below 1, got {alpha}")
        self.alpha = alpha
        self.prior_snr_floor = 10 ** (prior_snr_floor_db / 10)

    @abstractmethod
    def gain(self, prior: Tensor, posterior: Tensor) -> Tensor:
        """Return the gains of a frame, at least 0.

        Args:
            prior: expected |S|^2 / sigma^2, above 0 (N, bins).
            posterior: |Y|^2 / sigma^2 (N, bins).

        Returns:
            (N, bins).
        """

    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return gains (N, frames, bins); the recursion runs over frames, for all bins at once; see `SpectralGain`."""
        posterior = power / noise_psd
        instant = (posterior - 1).clamp(min=0)
        gains = torch.empty_like(power)
        prior = instant[:, 0]
        for frame in range(power.shape[1]):
            gain = self.gain(prior.clamp(min=self.prior_snr_floor), posterior[:, frame])
            gains[:, frame] = gain
            following = instant[:, min(frame + 1, power.shape[1] - 1)]
            prior = self.alpha * gain.square() * posterior[:, frame] + (1 - self.alpha) * following
        return gains
