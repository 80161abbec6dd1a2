"""Whether the partials of sustained tones come back above the cut-off as peaks, and at their levels: noise is no tone.

A partial is a chain of spectral peaks from frame to frame, as in the sinusoidal model of McAulay and Quatieri (1986, "Speech
analysis/synthesis based on a sinusoidal representation"). What stands around a peak is the median over bins, as in Fitzgerald
(2010, "Harmonic/percussive separation using median filtering").
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from lightning_modules.metrics.lsd import HANN_2048, Framing, SpectralMetric, as_deep, split_bin

AROUND_BINS = 31
"""Bins whose median is what stands around a peak."""
PEAK_BINS = 5
"""Bins of which a peak is the loudest: the main lobe of a Hann window."""
CLEAR_DB = 12.0
"""Of a partial above the median; one bin of noise in 60,000 is."""
TONE_DB = 6.0
"""Of the median that is taken off a peak; one bin of noise in 16 is above it."""
LASTING_FRAMES = 8
"""That a partial has at least. A peak of noise lasts for four, as frames overlap."""
MOST_DB = 40.0
"""Error of a partial that is not there."""
FRAME_RATE_HZ = 16_000
"""Up to which frames have 2048 samples."""
FRAMES_AT_ONCE = 256
"""Of which medians are taken, so that long recordings fit into memory."""


@dataclass(frozen=True)
class PartialsError(SpectralMetric):
    """Mean of |10 log10(T_restored / T_clean)| over the peaks of all partials of the clean signal, each at most 40 dB.

    T is the power of a peak less 4 times (6 dB) the median around it. The restored signal is asked for its loudest peak in the
    same frame, within one bin. Both spectra are clamped 60 dB below the loudest bin of the clean frame. Partials that only the
    restored signal has do not count: distances see them. Partials are told apart from 33 Hz on, the pitch of a low C: closer ones
    fill the bins around a peak, and may have no value.

    Attributes:
        first_bin: first bin of the band that counts.
    """

    first_bin: int
    framing: Framing = HANN_2048

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames).

        Returns:
            Decibels (B,): 0 for equal signals, 40 where no partial came back or a signal is not finite, NaN without partials.
        """
        defined = restored.isfinite().flatten(1).all(dim=1)[:, None, None, None]
        deep = as_deep(torch.where(defined, restored, 0.0), clean)
        (found, beside_found), (wanted, beside_wanted) = (peaks(power, self.first_bin) for power in deep)
        partials = lasting(wanted > _ratio(CLEAR_DB) * beside_wanted)
        tones = [found - _ratio(TONE_DB) * beside_found, wanted - _ratio(TONE_DB) * beside_wanted]
        ratio = _widened(tones[0].clamp_min(0)) / tones[1]
        error = (10 * torch.log10(ratio)).abs().clamp_max(MOST_DB)
        return torch.where(partials, error, 0.0).sum(dim=(1, 2, 3)) / partials.sum(dim=(1, 2, 3))


def partials_db(sample_rate: int, cutoff_hz: float) -> PartialsError:
    """Return the error of partials above a cut-off; rate and cut-off in Hz."""
    framing = framing_at(sample_rate)
    return PartialsError(split_bin(sample_rate, cutoff_hz, framing), framing)


def framing_at(sample_rate: int) -> Framing:
    """Return frames of 2048 samples up to 16 kHz, above that of the next power of two that last as long: bins of 5 to 8 Hz.

    >>> [framing_at(rate).n_fft for rate in (8000, 16000, 22050, 44100, 48000, 96000)]
    [2048, 2048, 4096, 8192, 8192, 16384]
    """
    doublings = max(0, math.ceil(math.log2(sample_rate / FRAME_RATE_HZ)))
    return replace(HANN_2048, n_fft=HANN_2048.n_fft << doublings, hop_samples=HANN_2048.hop_samples << doublings)


def peaks(power: Tensor, first_bin: int) -> tuple[Tensor, Tensor]:
    """Return the peaks of spectra and the median around each; both are 0 where there is no peak.

    Args:
        power: (B, C, bins, frames).
        first_bin: first bin to look at.

    Returns:
        Powers, twice (B, C, bins - first_bin, frames).
    """
    parts = [_peaks(part, first_bin) for part in power.transpose(-1, -2).split(FRAMES_AT_ONCE, dim=-2)]
    found, around = (torch.cat(one, dim=-2).transpose(-1, -2) for one in zip(*parts, strict=True))
    return found, around


def lasting(is_peak: Tensor) -> Tensor:
    """Keep the peaks of chains of `LASTING_FRAMES` frames, in which a peak is at most one bin from the one before.

    Args:
        is_peak: (B, C, bins, frames), boolean.

    Returns:
        (B, C, bins, frames), boolean.

    >>> row = torch.tensor([[[[True] * 8 + [False] + [True] * 7]]])
    >>> lasting(row).int().flatten().tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    marks = is_peak.float()
    length = _so_far(marks) + _so_far(marks.flip(-1)).flip(-1) - 1
    return is_peak & (length >= LASTING_FRAMES)


def _so_far(marks: Tensor) -> Tensor:
    """Return of how many frames the longest chain is that ends in each mark; (B, C, bins, frames) to the same."""
    count, counts = torch.zeros_like(marks[..., 0]), []
    for mark in marks.unbind(dim=-1):
        count = mark * (1 + _widened(count[..., None])[..., 0])
        counts.append(count)
    return torch.stack(counts, dim=-1)


def _widened(values: Tensor) -> Tensor:
    """Return the largest of each bin and its neighbors, (B, C, bins, frames) to the same."""
    return functional.max_pool2d(values, (3, 1), 1, (1, 0))


def _peaks(rows: Tensor, first_bin: int) -> tuple[Tensor, Tensor]:
    """Do what `peaks` does, for (B, C, frames, bins) and with frames before bins; what is flat has no peak."""
    flat, half = rows.flatten(0, 1), AROUND_BINS // 2
    loudest, quietest = (sign * functional.max_pool1d(sign * flat, PEAK_BINS, 1, PEAK_BINS // 2) for sign in (1, -1))
    is_peak = ((flat == loudest) & (flat > quietest))[..., first_bin:]
    mirrored = functional.pad(flat, (half, half), mode="reflect")[..., first_bin:]  # as spectra go on
    around = torch.zeros_like(flat[..., first_bin:])
    around[is_peak] = mirrored.unfold(-1, AROUND_BINS, 1)[is_peak].median(dim=-1).values
    found = torch.where(is_peak, flat[..., first_bin:], 0.0)
    return found.unflatten(0, rows.shape[:2]), around.unflatten(0, rows.shape[:2])


def _ratio(decibels: float) -> float:
    """Return the ratio of powers of a level."""
    return float(10 ** (decibels / 10))
