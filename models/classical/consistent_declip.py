"""Declipping by sparse spectra that are consistent with the clipped signal: A-SPADE (Kitic, Bertin and Gribonval 2015).

In every frame y under a window w the signal x is looked for whose spectrum has the fewest large values, and which agrees with y:
x = y where y is not clipped, and |x| >= w theta of the same sign where it is. By alternating projections (ADMM), k = 1, 2, ...:
z <- the k largest values of X + u; x <- the consistent signal nearest to that of z - u; u <- u + X - z; until |X - z| is small.
"""

import torch
from torch import Tensor

from models.classical.frames import frame_samples
from models.layers import stft
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.restorer import SegmentedRestorer, segments_of

FRAME_SECONDS = 0.064
OVERLAP = 4
"""Frames that a sample lies in."""
FEWEST_HELD = 4
"""Samples like the one before them at the highest level of an example that tell clipping from a peak."""
ASYMMETRY = 1e-4
"""How far below the highest level a sample counts as clipped: integers reach one step further down than up."""
ENOUGH = 0.01
"""|X - z| / |X| at which a frame is done."""
GROWTH = 16
"""A step allows one more large value in a frame, and one for each 16 that there are: few steps lead to all of them."""


class ConsistentDeclip(SegmentedRestorer):
    """Fill the peaks that hard clipping took, and leave all other samples as they are.

    The threshold is the highest level of an example, if samples in a row stay at it in all; else nothing is clipped.

    Args:
        sample_rate: rate of the signals in Hz.
    """

    level_free = True
    window: Tensor

    def __init__(self, sample_rate: int) -> None:
        self.frame = frame_samples(FRAME_SECONDS, sample_rate)
        self.hop_samples = self.frame // OVERLAP
        super().__init__(segments_of(sample_rate, self.hop_samples))
        self.register_buffer("window", torch.hann_window(self.frame), persistent=False)

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Fill clipped peaks.

        Args:
            corrupted: signal (B, C, T).

        Returns:
            Signal (B, C, T); an example that is not clipped is returned as it is.
        """
        clipped = clipped_samples(corrupted)
        flat, struck = (to_mono_batch(part.float(), 1)[:, 0] for part in (corrupted, clipped))
        padding = (self.frame, self.frame + -flat.shape[-1] % self.hop_samples)
        y, mask = (torch.nn.functional.pad(part, padding).unfold(-1, self.frame, self.hop_samples) for part in (flat, struck))
        frames = y * self.window
        chosen = mask.any(dim=-1)
        if not chosen.any():
            return corrupted.clone()
        frames[chosen] = declipped(frames[chosen], mask[chosen] > 0)
        joined = stft.overlap(frames, self.hop_samples)[:, self.frame :][:, : flat.shape[-1]]
        restored = torch.where(struck > 0, joined / (OVERLAP / 2), flat)
        return from_mono_batch(restored[:, None], corrupted).to(corrupted.dtype)


def clipped_samples(signal: Tensor) -> Tensor:
    """Return where signals (B, C, T) are clipped, of the same shape: at the highest level of the example, if it is held.

    Where more samples are held elsewhere, the signal is quantized or has a lower rate.
    """
    level = signal.abs().amax(dim=(1, 2), keepdim=True)
    high = (signal.abs() >= (1 - ASYMMETRY) * level) & (level > 0)
    held = (signal[..., 1:] == signal[..., :-1]) & (signal[..., 1:] != 0)
    at_top, below = ((held & place).sum(dim=(1, 2), keepdim=True) for place in (high[..., 1:], ~high[..., 1:]))
    return high & (at_top >= FEWEST_HELD) & (at_top > below)


def declipped(frames: Tensor, clipped: Tensor) -> Tensor:
    """Return consistent frames with sparse spectra.

    Args:
        frames: (M, n) under a window.
        clipped: where (M, n).

    Returns:
        (M, n), equal to `frames` where they are not clipped, at least as large where they are.
    """
    restored, running = frames.clone(), torch.arange(len(frames), device=frames.device)
    x, u = frames, torch.zeros_like(torch.fft.rfft(frames))
    kept, bins = 0, u.shape[-1]
    while kept < bins:
        kept = min(kept + 1 + kept // GROWTH, bins)
        spectrum = torch.fft.rfft(x)
        z = largest(spectrum + u, kept)
        nearest = torch.fft.irfft(z - u, n=frames.shape[-1])
        y, where = frames[running], clipped[running]
        x = torch.where(where, torch.where(y < 0, torch.minimum(nearest, y), torch.maximum(nearest, y)), y)
        spectrum = torch.fft.rfft(x)
        u = u + spectrum - z
        done = (spectrum - z).abs().square().sum(-1) <= ENOUGH**2 * spectrum.abs().square().sum(-1)
        restored[running] = x
        if done.all():
            break
        running, x, u = running[~done], x[~done], u[~done]
    return restored


def largest(spectra: Tensor, kept: int) -> Tensor:
    """Return spectra (M, bins) of which all but the `kept` largest bins are 0.

    >>> largest(torch.tensor([[1.0, -3.0, 2.0]]), 2)
    tensor([[ 0., -3.,  2.]])
    """
    magnitude = spectra.abs()
    least = magnitude.topk(kept, dim=-1).values[:, -1:]
    return spectra * (magnitude >= least)
