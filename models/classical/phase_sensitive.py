"""The oracle of every method that lays a real gain on a spectrum: the phase-sensitive mask (Erdogan et al. 2015).

m[k, l] = |S| / |Y| cos(angle S - angle Y) = Re(S Y*) / |Y|^2, truncated to [0, 1], on Hann windows. Of all gains in that range it
leaves the smallest squared error in every bin, so that a higher SNR needs another phase, or another transform.
"""

import math

import torch
from torch import Tensor

from models.layers import stft
from models.restorer import Restorer


class PhaseSensitiveMaskOracle(Restorer):
    """Scale every bin of the corrupted spectrum by the best gain from 0 to 1: a bound, not a restorer."""

    identity_at_start = False
    level_free = True
    window: Tensor

    def __init__(self, fft_samples: int = 2048, hop_samples: int = 512) -> None:
        """Build the window.

        Args:
            fft_samples: length of a frame.
            hop_samples: distance of two frames, at most half of one.

        Raises:
            ValueError: if frames would leave samples out.
        """
        super().__init__()
        if not 0 < hop_samples <= fft_samples // 2:
            raise ValueError(f"hop_samples={hop_samples} must be from 1 to half of fft_samples={fft_samples}")
        self.hop_samples = hop_samples
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)

    @property
    def reach_samples(self) -> float:
        """The clean signal, which nothing else has."""
        return math.inf

    def restore_with_clean(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Lay the mask on the spectrum of each channel.

        Args:
            corrupted: signal (B, C, T).
            clean: the same signal without damage (B, C, T).

        Returns:
            Signal (B, C, T).
        """
        spectrum, target = (
            stft.analyze(signal.float().flatten(0, 1), self.window, self.hop_samples, edges="silent")
            for signal in (corrupted, clean)
        )
        power = stft.squared_magnitude(spectrum)
        product = spectrum.real * target.real + spectrum.imag * target.imag
        mask = torch.where(power > 0, product / power, 0.0).clamp(0, 1)
        restored = stft.synthesize(mask * spectrum, self.window, self.hop_samples, corrupted.shape[-1])
        return restored.reshape(corrupted.shape).to(corrupted.dtype)
