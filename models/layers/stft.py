"""Short-time spectra: the one transform between signals and frames of frequencies.

X[k, l] = sum over n of w[n] x[n + l H] exp(-2 pi i k n / N), un-normalized, for a window w of N samples and a hop of H. Whoever
needs another definition says in its docstring which, and why.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Edges = Literal["reflected", "silent", "bare"]
"""What lies before the first and after the last sample: its mirror image or silence, frame l being centered on sample l H; or
nothing, frame l beginning there and a last incomplete frame being left out."""


def filled_to_frame(signal: Tensor, frame_samples: int) -> Tensor:
    """Return a signal (..., T) that is at least a frame long, with silence at its end if need be."""
    return functional.pad(signal, (0, max(0, frame_samples - signal.shape[-1])))


def mirrored(signal: Tensor, before: int, after: int) -> Tensor:
    """Return a signal with its mirror images before and after it, over and over where it is short; torch's stop at its length.

    Args:
        signal: (..., T), T at least 1.
        before: samples to add at the start.
        after: samples to add at the end.

    Returns:
        (..., before + T + after).

    >>> mirrored(torch.tensor([1, 2, 3]), before=3, after=2)
    tensor([2, 3, 2, 1, 2, 3, 2, 1])
    """
    last = signal.shape[-1] - 1
    period = torch.full((1,), 2 * last, dtype=torch.int64, device=signal.device).clamp_min(1)  # a graph leaves it open
    place = torch.arange(-before, last + 1 + after, device=signal.device) % period
    return signal[..., torch.minimum(place, 2 * last - place).abs()]


def analyze(signal: Tensor, window: Tensor, hop_samples: int, edges: Edges = "reflected") -> Tensor:
    """Return the short-time spectra of signals.

    Args:
        signal: (N, T) in float32 or float64; at least a frame long if the edges are bare, above half of one if reflected.
        window: (n_fft,).
        hop_samples: from frame to frame.
        edges: what surrounds the signal.

    Returns:
        (N, n_fft / 2 + 1, frames), complex.

    Raises:
        RuntimeError: for a signal that is too short.

    >>> analyze(torch.ones(1, 4), torch.ones(4), hop_samples=4, edges="bare").real.flatten()
    tensor([4., 0., 0.])
    """
    spectrum: Tensor = torch.stft(
        signal,
        len(window),
        hop_samples,
        window=window,
        center=edges != "bare",
        pad_mode="reflect" if edges == "reflected" else "constant",
        return_complex=True,
    )
    return spectrum


def synthesize(spectrum: Tensor, window: Tensor, hop_samples: int, samples: int) -> Tensor:
    """Return the signals whose spectra come nearest to the given ones (Griffin and Lim 1984, eq. 6).

    Args:
        spectrum: (N, n_fft / 2 + 1, frames), complex, of frames centered on every hop_samples-th sample.
        window: (n_fft,), as for the analysis.
        hop_samples: from frame to frame.
        samples: length T of the signals.

    Returns:
        (N, T).

    Raises:
        RuntimeError: if the windows leave a sample out.
    """
    return torch.istft(spectrum, len(window), hop_samples, window=window, length=samples)


def overlap(frames: Tensor, hop_samples: int) -> Tensor:
    """Return the sums of frames that lie a hop apart.

    Args:
        frames: (N, L, n), n a multiple of the hop.
        hop_samples: H.

    Returns:
        (N, (L - 1) H + n).

    >>> overlap(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), hop_samples=1)
    tensor([[1., 5., 4.]])
    """
    parts = frames.unflatten(-1, (-1, hop_samples)).unbind(dim=2)  # (N, L, H) each
    laid = [functional.pad(part, (0, 0, at, len(parts) - 1 - at)) for at, part in enumerate(parts)]
    return torch.stack(laid).sum(dim=0).flatten(1)


def squared_magnitude(spectrum: Tensor) -> Tensor:
    """Return |X|^2 of complex values, without the square root of `abs`; of the same shape.

    >>> squared_magnitude(torch.tensor([3 + 4j]))
    tensor([25.])
    """
    return spectrum.real.square() + spectrum.imag.square()
