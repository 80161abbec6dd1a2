"""Spectrograms as real tensors, and the overlapping patches they are cut into and put together from.

A patch is 16 x 16 bins and frames, and patches start on every 8th of both. Their sum under a separable periodic Hann window is
the spectrogram itself: w(n) + w(n + 8) = sin^2(pi n / 16) + cos^2(pi n / 16) = 1. One row of patches beyond every border makes
that true up to the last bin and frame.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import stft

PATCH = 16
STRIDE = PATCH // 2


class ComplexSpectrum(nn.Module):
    """The short-time spectrum as two real channels, a linear map that is undone exactly.

    The Nyquist bin, real like that of 0 Hz, travels as the imaginary part of that one, so that fft_samples / 2 rows hold
    everything. White noise of variance 1 has variance 1 in both channels (2 in the first row).

    Args:
        fft_samples: of the Hann window.
        hop_samples: from frame to frame.
    """

    channels = 2
    window: Tensor

    def __init__(self, fft_samples: int, hop_samples: int) -> None:
        super().__init__()
        self.fft_samples, self.hop_samples = fft_samples, hop_samples
        window = torch.hann_window(fft_samples)
        self.register_buffer("window", window, persistent=False)
        self.scale = float(window.square().sum() / 2) ** -0.5

    def analyze(self, signal: Tensor) -> Tensor:
        """Map (N, T) to (N, 2, fft_samples / 2, L), the frames L being filled up with silence to a multiple of 8."""
        spectrum = self.scale * self._transform(signal)
        nyquist, imaginary = spectrum.real[:, -1:], spectrum.imag[:, 1:-1]
        return torch.stack([spectrum.real[:, :-1], torch.cat([nyquist, imaginary], dim=1)], dim=1)

    def synthesize(self, spectrum: Tensor, signal: Tensor) -> Tensor:
        """Map (N, 2, fft_samples / 2, L) to a signal (N, T) as long as the one that was analyzed."""
        real, imaginary = spectrum.unbind(dim=1)
        edge = torch.zeros_like(imaginary[:, :1])
        whole = torch.complex(torch.cat([real, imaginary[:, :1]], dim=1), torch.cat([edge, imaginary[:, 1:], edge], dim=1))
        return self._invert(whole / self.scale, signal.shape[-1])

    def _transform(self, signal: Tensor) -> Tensor:
        filled = functional.pad(signal, (0, -(signal.shape[-1] + self.hop_samples) % (STRIDE * self.hop_samples)))
        return stft.analyze(filled, self.window, self.hop_samples, edges="silent")

    def _invert(self, spectrum: Tensor, samples: int) -> Tensor:
        length = (spectrum.shape[-1] - 1) * self.hop_samples
        return stft.synthesize(spectrum, self.window, self.hop_samples, length)[:, :samples]


class MagnitudeSpectrum(ComplexSpectrum):
    """The magnitude of the short-time spectrum as one channel, without the Nyquist bin: the ablation of the phase.

    Magnitudes do not add, |S + N| != |S| + |N|: what is taken away is a signed difference of magnitudes, and the phase stays.
    """

    channels = 1

    def analyze(self, signal: Tensor) -> Tensor:
        """Map (N, T) to (N, 1, fft_samples / 2, L)."""
        magnitude: Tensor = self.scale * self._transform(signal)[:, :-1].abs()
        return magnitude[:, None]

    def synthesize(self, spectrum: Tensor, signal: Tensor) -> Tensor:
        """Map a signed magnitude (N, 1, fft_samples / 2, L) to a signal (N, T) with the phase of the one that was analyzed."""
        phase = torch.sgn(self._transform(signal))
        return self._invert(functional.pad(spectrum[:, 0], (0, 0, 0, 1)) * phase / self.scale, signal.shape[-1])


REPRESENTATIONS: dict[str, type[ComplexSpectrum]] = {"complex": ComplexSpectrum, "magnitude": MagnitudeSpectrum}


def patch_window(device: torch.device | None = None) -> Tensor:
    """Return the separable periodic Hann window of a patch, (16, 16)."""
    window = torch.hann_window(PATCH, device=device)
    return window[:, None] * window


def rectangle(device: torch.device | None = None) -> Tensor:
    """Return the window under which patches are added up as they are, (16, 16): four of them at every place."""
    return torch.ones(PATCH, PATCH, device=device)


def cut(spectrum: Tensor) -> Tensor:
    """Cut a spectrogram into overlapping patches.

    Args:
        spectrum: (N, C, F, L), F and L multiples of 8.

    Returns:
        (N, C * 256, F / 8 + 1, L / 8 + 1), a patch's values in the order channel, bin, frame.
    """
    rows, columns = spectrum.shape[-2] // STRIDE + 1, spectrum.shape[-1] // STRIDE + 1
    patches = functional.unfold(spectrum, PATCH, padding=STRIDE, stride=STRIDE)
    unfolded: Tensor = patches.unflatten(-1, (rows, columns))
    return unfolded


def assembly_kernel(values: Tensor, window: Tensor) -> Tensor:
    """Return the kernel with which a 2 x 2 convolution adds windowed patches up, block of 8 x 8 by block.

    Block (p, q) is covered by four patches: (p, q), (p - 1, q), (p, q - 1) and (p - 1, q - 1), by a quarter of each. What
    turns a state into a patch is folded into the kernel.

    Args:
        values: (C * 256, D) a patch's values from a state of D channels.
        window: (16, 16) of a patch.

    Returns:
        (C * 64, D, 2, 2), for `assemble`.
    """
    quarters = values.reshape(-1, 2, STRIDE, 2, STRIDE, values.shape[-1])  # (C, 2, 8, 2, 8, D)
    windowed = quarters * window.reshape(2, STRIDE, 2, STRIDE, 1)
    return windowed.flip(1, 3).permute(0, 2, 4, 5, 1, 3).flatten(0, 2)


def assemble(state: Tensor, kernel: Tensor) -> Tensor:
    """Add up the windowed patches of a state.

    Args:
        state: (N, D, F / 8 + 1, L / 8 + 1).
        kernel: (C * 64, D, 2, 2) from `assembly_kernel`.

    Returns:
        (N, C, F, L).
    """
    return functional.pixel_shuffle(functional.conv2d(state, kernel), STRIDE)
