"""Short-time spectra by products with matrices of cosines and sines: real tensors, and lengths that are known late."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.exporting.refusal import NotExportableError


class MatrixTransform(nn.Module):
    """The transform of `models.layers.stft`, real and imaginary parts apart.

    X[k, l] = sum over n of w[n] x[n + l H] (cos(2 pi k n / N) - i sin(2 pi k n / N)). The matrices are looked up in a table of N
    values when the graph is opened, so that a file does not hold N^2 of them.

    Args:
        window: (N,) the window.
        hop_samples: H.

    Raises:
        NotExportableError: if the hop does not go into the window.
    """

    window: Tensor
    cosines: Tensor
    sines: Tensor

    def __init__(self, window: Tensor, hop_samples: int) -> None:
        super().__init__()
        self.fft_samples, self.hop_samples = len(window), hop_samples
        if self.fft_samples % hop_samples:
            raise NotExportableError(f"hop_samples={hop_samples} does not go into fft_samples={self.fft_samples}")
        angles = torch.arange(self.fft_samples, dtype=torch.float64) * (2 * math.pi / self.fft_samples)
        self.register_buffer("window", window.clone())
        self.register_buffer("cosines", angles.cos().float())
        self.register_buffer("sines", angles.sin().float())

    @property
    def bins(self) -> int:
        """F, from 0 Hz to half the rate."""
        return self.fft_samples // 2 + 1

    def analyze(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Return the spectra of signals with silence around them, frame l being centered on sample l H.

        Args:
            signal: (N, T), T a multiple of the hop.

        Returns:
            Two of (N, F, T / H + 1).
        """
        half = self.fft_samples // 2
        return self.of_signal(functional.pad(signal, (half, half)))

    def of_signal(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Return the spectra of signals, frame l beginning at sample l H.

        Args:
            signal: (N, T), T a multiple of the hop and at least a frame.

        Returns:
            Two of (N, F, (T - n) / H + 1).
        """
        real, imaginary = self.of_frames(self.frames(signal))
        return real.mT, imaginary.mT

    def frames(self, signal: Tensor) -> Tensor:
        """Cut signals (N, T), T a multiple of the hop, into frames (N, L, n) a hop apart."""
        hops = signal.reshape(signal.shape[0], -1, self.hop_samples)
        several = self.fft_samples // self.hop_samples
        count = hops.shape[1] - several + 1
        return torch.cat([hops[:, at : at + count] for at in range(several)], dim=-1)

    def of_frames(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the spectra, two of (N, L, F), of frames (N, L, n)."""
        cosine, sine = self._matrices()
        windowed = frames * self.window
        return windowed @ cosine, -(windowed @ sine)

    def _matrices(self) -> tuple[Tensor, Tensor]:
        turns = torch.arange(self.fft_samples)[:, None] * torch.arange(self.bins) % self.fft_samples  # (n, F)
        return self.cosines[turns], self.sines[turns]

    def to_frames(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Return the frames (N, L, n), without a window, of spectra, two of (N, L, F)."""
        cosine, sine = self._matrices()
        counted = torch.full((self.bins,), 2.0)
        counted[0] = counted[-1] = 1.0
        counted = counted / self.fft_samples
        frames: Tensor = (real * counted) @ cosine.mT - (imaginary * counted) @ sine.mT
        return frames

    def synthesize(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Return the signals (N, (L - 1) H) nearest to spectra, two of (N, F, L), centered as `analyze` has them."""
        frames = self.to_frames(real.mT, imaginary.mT) * self.window
        weights = self.window.square().expand(1, frames.shape[1], self.fft_samples)
        half = self.fft_samples // 2
        samples = (frames.shape[1] - 1) * self.hop_samples
        return (self.overlap(frames) / self.overlap(weights).clamp_min(1e-11))[:, half : half + samples]

    def overlap(self, frames: Tensor) -> Tensor:
        """Return the sums (N, (L - 1) H + n) of frames (N, L, n) that lie a hop apart."""
        several = self.fft_samples // self.hop_samples
        parts = frames.split(self.hop_samples, dim=-1)  # (N, L, H) each
        laid = [functional.pad(part, (0, 0, at, several - 1 - at)) for at, part in enumerate(parts)]
        return torch.stack(laid).sum(dim=0).flatten(1)
