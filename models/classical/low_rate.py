"""Blind guess of the rate a signal was sampled at before it was interpolated to the present one.

Two traces are looked for: the images that an imperfect interpolation (hold, linear, cubic) leaves above the low Nyquist
frequency, and the cliff that a good one leaves there.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.classical.bandwidth import NYQUIST_MARGIN, occupied_bandwidth_hz
from models.classical.frames import frame_samples
from models.layers.stft import squared_magnitude

COMMON_RATES_HZ = (
    *(2000, 3000, 4000, 5000, 6000, 8000, 10000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    *(64000, 88200, 96000, 176400, 192000),
)
FRAME_SECONDS = 0.064
FEWEST_FRAMES = 12  # of fewer, independent bins are coherent by chance
MOST_FRAMES = 256
FINENESS = 4
"""Points to a bin: a mirror image that lies between two of them by an eighth of a bin loses about 1 % of its coherence."""
FEWEST_BINS = 8  # a mean over fewer is high by chance
IMAGE_COHERENCE = 0.7  # images of music have 0.8 to 1, music without images stays below 0.5 from one second on


def low_rates_hz(signal: Tensor, sample_rate: int) -> list[float]:
    """Guess the low rate of every example.

    Args:
        signal: audio (B, C, T).
        sample_rate: its rate in Hz.

    Returns:
        Common rates or integer fractions of `sample_rate`: the lowest whose images are there, else the lowest that holds the
        occupied band; `sample_rate` itself where the band is not limited.
    """
    banded = rates_that_hold(occupied_bandwidth_hz(signal, sample_rate), sample_rate)
    rates = zip(imaged_rates_hz(signal, sample_rate), banded, strict=True)
    return [by_images if by_images < sample_rate else by_band for by_images, by_band in rates]


def imaged_rates_hz(signal: Tensor, sample_rate: int) -> list[float]:
    """Guess the rate that every example was interpolated from by a curve that leaves images; the sample rate where none are.

    Args:
        signal: audio (B, C, T).
        sample_rate: its rate in Hz.
    """
    candidates, frames = _candidates_hz(sample_rate), _Frames.of(signal, sample_rate)
    rates = [float(sample_rate)] * len(signal)
    for candidate in reversed(candidates[:-1]):  # the lowest comes last and wins: images repeat at its multiples
        imaged = (_coherence(frames, sample_rate, candidate) > IMAGE_COHERENCE).tolist()
        rates = [candidate if found else rate for found, rate in zip(imaged, rates, strict=True)]
    return rates


def rates_that_hold(bandwidths_hz: Tensor, sample_rate: int) -> list[float]:
    """Return the lowest rate that holds each occupied band; the sample rate where a band has no end.

    Args:
        bandwidths_hz: (B,) as `occupied_bandwidth_hz` gives them.
        sample_rate: of the signals, in Hz.
    """
    candidates = _candidates_hz(sample_rate)
    needed = [2 * width * NYQUIST_MARGIN if width < sample_rate / 2 else sample_rate for width in bandwidths_hz.tolist()]
    return [next(rate for rate in candidates if rate >= lowest) for lowest in needed]


def rates_of(signal: Tensor, sample_rate: int, low_rate_hz: float | None) -> list[float]:
    """Return the low rate of every example in Hz: the one that is known, or else a guess for each.

    Args:
        signal: audio (B, C, T).
        sample_rate: its rate in Hz.
        low_rate_hz: None if it is not known.
    """
    return low_rates_hz(signal, sample_rate) if low_rate_hz is None else [low_rate_hz] * len(signal)


def image_coherence(signal: Tensor, sample_rate: int, low_rate_hz: float) -> Tensor:
    """Measure how coherent the spectrum above the low Nyquist frequency is with its mirror image below.

    Before its last filter an interpolated signal has a spectrum of period low_rate_hz, so that after any filter
    X(low_rate_hz - f) = H conj(X(f)) with the same H in all frames. The coherence of the two over frames, averaged over f, is 1
    for images and about 1 / sqrt(frames) for independent sound.

    Args:
        signal: audio (B, C, T).
        sample_rate: its rate in Hz.
        low_rate_hz: the rate to test.

    Returns:
        Coherence (B,) from 0 to 1; 0 for fewer than FEWEST_FRAMES frames, and for a low rate so near to the sample rate that
        fewer than FEWEST_BINS bins have an image below the Nyquist frequency.
    """
    return _coherence(_Frames.of(signal, sample_rate), sample_rate, low_rate_hz)


@dataclass(frozen=True)
class _Frames:
    """The spectra of up to MOST_FRAMES windowed frames of a signal, evenly spread, at FINENESS points to a bin.

    Attributes:
        spectra: (B, C, frames, FINENESS * samples / 2 + 1).
        power: of these, summed over channels and frames, (B, FINENESS * samples / 2 + 1).
        starts: first sample of each, (frames,) int64 on the CPU.
        samples: of a frame.
    """

    spectra: Tensor
    power: Tensor
    starts: Tensor
    samples: int

    @classmethod
    def of(cls, signal: Tensor, sample_rate: int) -> "_Frames":
        """Cut a signal (B, C, T) into frames of FRAME_SECONDS; fewer than FEWEST_FRAMES are none."""
        length = frame_samples(FRAME_SECONDS, sample_rate)
        total = (signal.shape[-1] - length) // (length // 2) + 1
        if total < FEWEST_FRAMES:
            none = torch.zeros(*signal.shape[:2], 0, FINENESS * length // 2 + 1, dtype=torch.complex64, device=signal.device)
            return cls(none, squared_magnitude(none).sum(dim=(1, 2)), torch.zeros(0, dtype=torch.long), length)
        chosen = torch.linspace(0, total - 1, min(total, MOST_FRAMES)).long()
        frames = signal.float().unfold(-1, length, length // 2)[..., chosen.to(signal.device), :]
        spectra = torch.fft.rfft(frames * torch.hann_window(length, device=signal.device), n=FINENESS * length)
        return cls(spectra, squared_magnitude(spectra).sum(dim=(1, 2)), chosen * (length // 2), length)


def _coherence(frames: _Frames, sample_rate: int, low_rate_hz: float) -> Tensor:
    """Return the `image_coherence` (B,) of frames; the mirror image of a bin is taken from the nearest point."""
    bin_hz = sample_rate / frames.samples
    lowest_hz = max(low_rate_hz / 8, low_rate_hz - sample_rate / 2)
    first, last = math.ceil(lowest_hz / bin_hz) + 1, int(0.45 * low_rate_hz / bin_hz)  # the last one is left out
    if len(frames.starts) == 0 or last - first < FEWEST_BINS:
        return torch.zeros(len(frames.power), device=frames.power.device)
    bins = FINENESS * torch.arange(first, last, device=frames.power.device)
    mirrored = round(FINENESS * low_rate_hz / bin_hz) - bins
    products = frames.spectra[..., bins] * frames.spectra[..., mirrored]  # (B, C, frames, bins)
    common = (products * _turns(frames, low_rate_hz / sample_rate)).sum(dim=(1, 2)).abs()
    energies = frames.power[:, bins] * frames.power[:, mirrored]
    return (common / energies.sqrt().clamp(min=torch.finfo(torch.float32).tiny)).mean(dim=-1)


def _turns(frames: _Frames, cycles_per_sample: float) -> Tensor:
    """Return exp(-2 pi i f t) at the starts of the frames, (frames, 1) complex64.

    A phase needs double precision, which not every device has: it is made on the CPU.
    """
    phase = -2 * torch.pi * cycles_per_sample * frames.starts.double()
    return torch.polar(torch.ones_like(phase), phase).to(torch.complex64).to(frames.spectra.device)[:, None]


def _candidates_hz(sample_rate: int) -> list[float]:
    """Return the rates to consider in rising order, the sample rate last."""
    fractions = [sample_rate / ratio for ratio in range(1, 13)]
    return sorted({rate for rate in (*fractions, *map(float, COMMON_RATES_HZ)) if rate <= sample_rate})
