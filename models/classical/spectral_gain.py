"""What filters of short-time spectra share: frames, gains of every bin, and a noise spectrum that is estimated or told.

50 ms frames with half overlap, square-root Hann windows for analysis and synthesis. Most methods are a rule from the power of the
noisy spectra and the mean power of the noise to gains; the phase stays that of the input.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.noise_psd import SILENCE, estimate_noise_psd
from models.layers import stft
from models.restorer import SegmentedRestorer, segments_of

FRAME_SECONDS = 0.05
FEWEST_FRAMES = 10  # full ones; from fewer, noise cannot be told from sound
EDGE_FRAMES = 2  # at each end, part of them padding


class SpectralFilter(SegmentedRestorer):
    """Filter the spectrum of a segment of a long signal at a time, each with a noise spectrum of its own.

    Args:
        sample_rate: rate of the signals in Hz.

    Raises:
        ValueError: if the rate allows no frame.
    """

    identity_at_start = False
    window: Tensor

    def __init__(self, sample_rate: int) -> None:
        hop_samples = round(sample_rate * FRAME_SECONDS / 2)
        if hop_samples < 32:
            raise ValueError(f"sample_rate must be at least 1280 Hz, got {sample_rate}")
        super().__init__(segments_of(sample_rate, hop_samples))
        self.hop_samples = hop_samples
        self.register_buffer("window", torch.hann_window(2 * hop_samples).sqrt(), persistent=False)

    @abstractmethod
    def filtered(self, spectra: Tensor, noise_psd: Tensor) -> Tensor:
        """Return spectra (N, frames, bins) with less noise.

        Args:
            spectra: noisy (N, frames, bins).
            noise_psd: mean power of the noise (N, 1, bins), above 0.
        """

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Remove stationary noise whose spectrum is estimated from the signal.

        Args:
            corrupted: noisy signal (B, C, T); channels are treated one by one.

        Returns:
            Signal (B, C, T); too short a signal to tell noise from sound is returned as it is.
        """
        spectra = self.analyze(corrupted)
        full = spectra[:, EDGE_FRAMES:-EDGE_FRAMES]
        if full.shape[1] < FEWEST_FRAMES:
            return corrupted.clone()
        return self.synthesize(self.filtered(spectra, estimate_noise_psd(stft.squared_magnitude(full))), corrupted)

    def analyze(self, signal: Tensor) -> Tensor:
        """Return the spectra (B * C, frames, bins) of a signal (B, C, T), padded so that every sample lies in two frames."""
        flat = signal.float().flatten(0, 1)
        flat = functional.pad(flat, (0, -flat.shape[-1] % self.hop_samples))
        return stft.analyze(flat, self.window, self.hop_samples, edges="silent").mT.contiguous()  # as recursions read them

    def synthesize(self, spectra: Tensor, like: Tensor) -> Tensor:
        """Overlap and add spectra (B * C, frames, bins) to a signal of the shape (B, C, T) and dtype of `like`.

        Two squared windows add up to one as they are; the shared synthesis would divide by their sum, and round it.
        """
        hop = self.hop_samples
        frames: Tensor = torch.fft.irfft(spectra, n=2 * hop) * self.window
        halves = frames[:, 1:, :hop] + frames[:, :-1, hop:]
        return halves.flatten(1)[:, : like.shape[-1]].reshape(like.shape).to(like.dtype)


class SpectralGain(SpectralFilter):
    """Lay real gains on spectra. The arguments are those of `SpectralFilter`."""

    def filtered(self, spectra: Tensor, noise_psd: Tensor) -> Tensor:
        """Return spectra (N, frames, bins) times their gains; see `SpectralFilter`."""
        return self.gains(stft.squared_magnitude(spectra), noise_psd) * spectra

    @abstractmethod
    def gains(self, power: Tensor, noise_psd: Tensor) -> Tensor:
        """Return the gains.

        Args:
            power: power of the noisy spectra (N, frames, bins).
            noise_psd: mean power of the noise (N, 1, bins), above 0.

        Returns:
            Gains (N, frames, bins), at least 0.
        """


class ToldNoise(SpectralFilter):
    """The oracle of a filter, which a class derives from this and from the filter: it is told the noise of the whole signal."""

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
        noise = stft.squared_magnitude(self.analyze(corrupted.float() - clean.float()))
        noise_psd = noise.mean(dim=1, keepdim=True).clamp(min=SILENCE)
        return self.synthesize(self.filtered(spectra, noise_psd), corrupted)
