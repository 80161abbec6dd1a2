"""Decision-directed Wiener filter for stationary noise (Scalart and Filho 1996; Ephraim and Malah 1984, eq. 51).

a = xi / (1 + xi), xi[l] = alpha |a[l-1] Y[l-1]|^2 / sigma^2 + (1 - alpha) max(|Y[l]|^2 / sigma^2 - 1, 0), on 50 ms frames with
half overlap, square-root Hann windows for analysis and synthesis.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.noise_psd import SILENCE, estimate_noise_psd
from models.layers import stft
from models.restorer import SegmentedRestorer, segments_of

FRAME_SECONDS = 0.05
FEWEST_FRAMES = 10  # full ones; from fewer, noise cannot be told from sound
EDGE_FRAMES = 2  # at each end, part of them padding


class DecisionDirectedFilter(SegmentedRestorer):
    """Short-time Wiener filter with a given noise spectrum, of a segment of a long signal at a time."""

    identity_at_start = False
    window: Tensor

    def __init__(self, sample_rate: int, alpha: float = 0.98, prior_snr_floor_db: float = -25.0) -> None:
        """Check the settings and build the window.

        Args:
            sample_rate: rate of the signals in Hz.
            alpha: weight of the previous frame in the prior SNR, from 0 to below 1; near 1 there is no musical noise.
            prior_snr_floor_db: lowest prior SNR, which limits the attenuation.

        Raises:
            ValueError: if the rate allows no frame or alpha is out of range.
        """
        hop_samples = round(sample_rate * FRAME_SECONDS / 2)
        if hop_samples < 32:
            raise ValueError(f"sample_rate must be at least 1280 Hz, got {sample_rate}")
        if not 0 <= alpha < 1:
            raise ValueError(f"alpha must be from 0 to below 1, got {alpha}")
        super().__init__(segments_of(sample_rate, hop_samples))
        self.hop_samples = hop_samples
        self.alpha = alpha
        self.prior_snr_floor = 10 ** (prior_snr_floor_db / 10)
        self.register_buffer("window", torch.hann_window(2 * self.hop_samples).sqrt(), persistent=False)

    def analyze(self, signal: Tensor) -> Tensor:
        """Return the spectra (B * C, frames, bins) of a signal (B, C, T), padded so that every sample lies in two frames."""
        flat = signal.float().flatten(0, 1)
        flat = functional.pad(flat, (0, -flat.shape[-1] % self.hop_samples))
        return stft.analyze(flat, self.window, self.hop_samples, edges="silent").mT.contiguous()  # as the recursion reads them

    def synthesize(self, spectra: Tensor, like: Tensor) -> Tensor:
        """Overlap and add spectra (B * C, frames, bins) to a signal of the shape (B, C, T) and dtype of `like`.

        Two squared windows add up to one as they are; the shared synthesis would divide by their sum, and round it.
        """
        hop = self.hop_samples
        frames: Tensor = torch.fft.irfft(spectra, n=2 * hop) * self.window
        halves = frames[:, 1:, :hop] + frames[:, :-1, hop:]
        return halves.flatten(1)[:, : like.shape[-1]].reshape(like.shape).to(like.dtype)

    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return the Wiener gains; the recursion runs over frames, for all signals and bins at once.

        Args:
            power: power of the noisy spectra (N, frames, bins).
            noise_psd: mean power of the noise (N, 1, bins), above 0.

        Returns:
            Gains (N, frames, bins) from 0 to 1.
        """
        posterior = power / noise_psd
        instant = (posterior - 1).clamp(min=0)
        gains = torch.empty_like(power)
        prior = instant[:, 0]
        for frame in range(power.shape[1]):
            prior = prior.clamp(min=self.prior_snr_floor)
            gains[:, frame] = gain = prior / (1 + prior)
            following = instant[:, min(frame + 1, power.shape[1] - 1)]
            prior = self.alpha * gain.square() * posterior[:, frame] + (1 - self.alpha) * following
        return gains


class Wiener(DecisionDirectedFilter):
    """Decision-directed Wiener filter whose noise spectrum is estimated from the signal itself, anew in every segment."""

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Remove stationary noise.

        Args:
            corrupted: noisy signal (B, C, T); channels are treated one by one.

        Returns:
            Signal (B, C, T); too short a signal to tell noise from sound is returned as it is.
        """
        spectra = self.analyze(corrupted)
        power = stft.squared_magnitude(spectra)
        full = power[:, EDGE_FRAMES:-EDGE_FRAMES]
        if full.shape[1] < FEWEST_FRAMES:
            return corrupted.clone()
        return self.synthesize(self.gains(power, estimate_noise_psd(full)) * spectra, corrupted)


class WienerOracle(DecisionDirectedFilter):
    """Decision-directed Wiener filter that knows the noise spectrum: the bound for the blind one, not a restorer."""

    @property
    def reach_samples(self) -> float:
        """The noise of the whole signal."""
        return math.inf

    def restore_with_clean(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Filter with the mean spectrum of the true noise.

        Args:
            corrupted: noisy signal (B, C, T).
            clean: the same signal without noise (B, C, T).

        Returns:
            Signal (B, C, T).
        """
        spectra = self.analyze(corrupted)
        power = stft.squared_magnitude(spectra)
        noise = stft.squared_magnitude(self.analyze(corrupted.float() - clean.float()))
        noise_psd = noise.mean(dim=1, keepdim=True).clamp(min=SILENCE)
        return self.synthesize(self.gains(power, noise_psd) * spectra, corrupted)
