"""What a lost band is filled with: sounds of the right fine structure and of level 1 everywhere, which wait for an envelope."""

import torch
from torch import Tensor
from torch.nn import functional

SMOOTHED_BINS, SMOOTHED_FRAMES = 17, 5
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
    power = (spectrum.real.square() + spectrum.imag.square()).flatten(0, -3)
    power = functional.avg_pool2d(power, (SMOOTHED_BINS, 1), 1, (SMOOTHED_BINS // 2, 0), count_include_pad=False)
    power = functional.avg_pool2d(power, (1, SMOOTHED_FRAMES), 1, (0, SMOOTHED_FRAMES // 2), count_include_pad=False)
    return spectrum * (power.view(spectrum.shape) + least).rsqrt()


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
