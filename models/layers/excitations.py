"""What a lost band is filled with: sounds of the right fine structure and of level 1 everywhere, which wait for an envelope."""

import torch
from torch import Tensor
from torch.nn import functional

from models.layers.stft import squared_magnitude

BINS_AROUND, FRAMES_AROUND = 8, 2
"""To either side, over which magnitudes are smoothed; powers of two."""
SHIFT_BINS = 4
"""Bands are shifted by multiples of it: with four hops to a window these leave the phases of all frames as they are."""


def whitened(spectrum: Tensor, least: Tensor) -> Tensor:
    """Divide spectra by their magnitude, smoothed over neighboring bins and frames.

    Args:
        spectrum: (..., F, L), complex.
        least: power that counts as none, (..., 1, L).

    Returns:
        (..., F, L), of mean power 1 where there is more than that.
    """
    power = mean_around(mean_around(squared_magnitude(spectrum).mT, BINS_AROUND).mT, FRAMES_AROUND)
    return spectrum * (power + least).rsqrt()


def mean_around(values: Tensor, around: int) -> Tensor:
    """Return moving means over the last dimension; at the ends, of the values that there are.

    Sums of two, four, eight values come from sums of half as many.

    Args:
        values: (..., L).
        around: values to either side of a mean's place, a power of two.

    Returns:
        (..., L).

    >>> mean_around(torch.tensor([0.0, 3.0, 0.0, 0.0]), 1)
    tensor([1.5000, 1.0000, 1.0000, 0.0000])
    """
    return _sum_around(values, around) / _sum_around(values.new_ones(values.shape[-1]), around)


def _sum_around(values: Tensor, around: int) -> Tensor:
    padded = sums = functional.pad(values, (around, around))
    width = 1
    while width < 2 * around:
        sums = sums[..., :-width] + sums[..., width:]
        width *= 2
    return sums[..., :-1] + padded[..., width:]


def shifted_up(spectrum: Tensor, edge_bin: Tensor, times: int) -> Tensor:
    """Shift what lies below an edge up by a multiple of the edge, rounded to four bins.

    Args:
        spectrum: (N, F, L), complex, of windows that are four hops long.
        edge_bin: of each, (N,), need not be whole.
        times: by how many edges.

    Returns:
        (N, F, L), with silence elsewhere.

    >>> ramp = torch.arange(12.0)[None, :, None].to(torch.complex64)
    >>> shifted_up(ramp, torch.tensor([4.2]), 1).real.flatten()
    tensor([0., 0., 0., 0., 0., 1., 2., 3., 4., 0., 0., 0.])
    """
    bins = torch.arange(spectrum.shape[1], device=spectrum.device)
    shift = (times * edge_bin / SHIFT_BINS).round().long() * SHIFT_BINS
    source = bins - shift[:, None]  # (N, F)
    given = (source >= 0) & (source <= edge_bin[:, None])
    taken = spectrum.gather(1, source.clamp(0)[..., None].expand_as(spectrum))
    return taken * given[..., None]


def above(signal: Tensor, edge_hz: Tensor, fade_hz: float, sample_rate: int, padding_samples: int) -> Tensor:
    """Keep what lies above an edge: nothing up to it, all from a fade on, a raised cosine between, in zero phase.

    Args:
        signal: (N, T).
        edge_hz: of each, (N,); from half the sample rate on, nothing is kept.
        fade_hz: width of the fade.
        sample_rate: in Hz.
        padding_samples: of silence behind the signal, so that its end does not reach its beginning.

    Returns:
        (N, T).
    """
    samples = signal.shape[-1]
    length = samples + padding_samples + samples % 2
    frequency_hz = torch.arange(length // 2 + 1, device=signal.device) * (sample_rate / length)
    place = ((frequency_hz - edge_hz[:, None]) / fade_hz).clamp(0, 1)
    gain = (0.5 * torch.pi * place).sin().square()
    kept: Tensor = torch.fft.irfft(gain * torch.fft.rfft(signal, n=length), n=length)
    return kept[:, :samples]
