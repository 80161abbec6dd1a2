"""Log-spectral distance (LSD) under named protocols: the spread of log-power spectra between two signals.

Values of different protocols must not be mixed: the base of the logarithm alone is a factor ln 10 = 2.303, and the floor
decides the value of every empty band. Each protocol therefore has a name of its own.
"""

import math
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from models.layers import stft

POWER_FLOOR = 1e-8  # -134 dB below the peak of a full-scale sine; just under the noise of 16-bit rounding (6e-8)
TINY_FLOOR = 1e-20  # for protocols published without a floor: digital silence stays finite, anything audible is untouched
KULESHOV_CAP = 10.0
DEPTH_DB = 60.0
"""How far below the loudest bin of the clean frame sound still counts, where what is hardly heard is not to count."""


@dataclass(frozen=True)
class Framing:
    """How a signal is cut into frames before its spectrum is taken."""

    n_fft: int
    hop_samples: int
    window: Literal["hann", "rectangular"]
    centered: bool


HANN_2048 = Framing(n_fft=2048, hop_samples=512, window="hann", centered=True)
HANN_1024 = Framing(n_fft=1024, hop_samples=512, window="hann", centered=True)
RECTANGULAR_2048 = Framing(n_fft=2048, hop_samples=2048, window="rectangular", centered=False)


@runtime_checkable
class SpectralMetric(Protocol):
    """A metric that needs nothing but the power spectrograms of both signals, so that these can be shared."""

    @property
    def framing(self) -> Framing:
        """Framing of the spectrograms."""

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames); returns (B,)."""

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare signals (B, C, T); returns (B,)."""
        return self.from_powers(power_spectrogram(restored, self.framing), power_spectrogram(clean, self.framing))


def power_spectrogram(signal: Tensor, framing: Framing) -> Tensor:
    """Return |STFT|^2, un-normalized, in float32 even under autocast.

    A signal shorter than one frame is zero-padded at its end to one frame, so that every length has a value. Without
    centering, a last incomplete frame is left out, as in the publications that do not overlap their frames.

    Args:
        signal: audio (B, C, T), full scale 1.0.
        framing: frame length, hop and window.

    Returns:
        Power (B, C, n_fft / 2 + 1, frames).
    """
    with torch.autocast(signal.device.type, enabled=False):
        flat = stft.filled_to_frame(signal.to(torch.float32).flatten(0, 1), framing.n_fft)
        make_window = torch.hann_window if framing.window == "hann" else torch.ones
        window = make_window(framing.n_fft, device=flat.device)
        edges: stft.Edges = "reflected" if framing.centered else "bare"
        spectrum = stft.analyze(flat, window, framing.hop_samples, edges)
        power = (spectrum * spectrum.conj()).real  # 10 times as fast as summing the squares of view_as_real
    of_channels: Tensor = power.unflatten(0, signal.shape[:2])
    return of_channels


@dataclass(frozen=True)
class LogSpectralDistance(SpectralMetric):
    """LSD = mean over frames of sqrt(mean over bins of (log10 P_restored - log10 P_clean)^2), averaged over channels.

    The form of Gray and Markel (1976) in units of log10 power, as in the evaluation of NU-Wave 2 (Han and Lee 2022) and
    AP-BWE (Lu et al. 2024). A pure gain g costs 2 |log10 g|: 0.602 for a factor of two. Two independent draws of the same
    noise are 0.789 apart (pi / sqrt(3) / ln 10 = 0.788 in theory).

    Attributes:
        framing: frames of the spectrogram.
        floor: power below which bins count as this power.
        first_bin: first bin of the band that counts.
        last_bin: bin after the last that counts; None means up to the Nyquist frequency.
    """

    framing: Framing = HANN_2048
    floor: float = POWER_FLOOR
    first_bin: int = 0
    last_bin: int | None = None

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames); returns (B,), infinite where a signal is not finite."""
        band = slice(self.first_bin, self.last_bin)
        ratio = restored[..., band, :].clamp(min=self.floor) / clean[..., band, :].clamp(min=self.floor)
        difference = torch.log(ratio)  # one logarithm costs half as much as two
        per_frame = torch.linalg.vector_norm(difference, dim=-2)
        scale = math.log(10.0) * math.sqrt(ratio.shape[-2])
        return infinite_if_undefined(per_frame.mean(dim=(-2, -1)) / scale)


@dataclass(frozen=True)
class KuleshovDistance(SpectralMetric):
    """LSD as the public code of Kuleshov, Enam and Ermon (2017) computes it, for comparison with its tables.

    Natural logarithm of |S|^2 + 1e-8; the mean over *time* is inside the root and the mean over frequency outside, the other
    way round than in the paper's formula; never above 10. https://github.com/kuleshov/audio-super-res
    """

    framing: Framing = HANN_2048

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames); returns (B,)."""
        difference = torch.log(restored + POWER_FLOOR) - torch.log(clean + POWER_FLOOR)
        per_bin = difference.square().mean(dim=-1).sqrt()
        return infinite_if_undefined(per_bin.mean(dim=(-2, -1))).clamp(max=KULESHOV_CAP)


@dataclass(frozen=True)
class DeepDistance(SpectralMetric):
    """A log-spectral distance that does not look deeper than 60 dB below the loudest bin of the clean frame.

    In music most bins of a high band lie deeper, and in a plain LSD they decide: constant noise far below the music, which
    nobody hears, halves it. Both spectra are clamped at the depth of the clean one.

    Attributes:
        of: the distance, with its frames and its band.
    """

    of: LogSpectralDistance

    @property
    def framing(self) -> Framing:
        """Framing of the spectrograms."""
        return self.of.framing

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames); returns (B,)."""
        return self.of.from_powers(*as_deep(restored, clean))


@dataclass(frozen=True)
class RoundedDistance:
    """A log-spectral distance of signals as files of 16 bits hold them.

    So are those that https://github.com/Billotais/Denoising-with-Generative-Models measures: there is no floor but the noise of
    rounding, which decides the value of an empty band.

    Attributes:
        of: the distance.
    """

    of: LogSpectralDistance

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare signals (B, C, T); returns (B,), infinite where a signal is not finite."""
        finite = restored.isfinite().all(dim=2).all(dim=1)
        return torch.where(finite, self.of(as_16_bit(restored), as_16_bit(clean)), torch.inf)


def as_16_bit(signal: Tensor) -> Tensor:
    """Return a signal (...) rounded to 16 bits, in single precision; what is beyond full scale is clipped.

    >>> as_16_bit(torch.tensor([1.4 / 32768, 2.0])) * 32768
    tensor([1.0000e+00, 3.2767e+04])
    """
    return (signal.float() * 32768).round().clamp(-32768, 32767) / 32768


def as_deep(restored: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
    """Return two power spectrograms (B, C, bins, frames), clamped `DEPTH_DB` below the loudest bin of each clean frame."""
    floor = (clean.amax(dim=-2, keepdim=True) * 10 ** (-DEPTH_DB / 10)).clamp_min(POWER_FLOOR)
    return torch.maximum(restored, floor), torch.maximum(clean, floor)


lsd = LogSpectralDistance()
lsd_kuleshov = KuleshovDistance()
lsd_bilat = RoundedDistance(LogSpectralDistance(framing=HANN_1024, floor=TINY_FLOOR))
# The protocol of MU-GAN (Kim and Sathe 2019, arXiv 1903.09027); it names no window, which is read as rectangular, and no floor.
lsd_mugan = LogSpectralDistance(framing=RECTANGULAR_2048, floor=TINY_FLOOR)


def lsd_lf(sample_rate: int, cutoff_hz: float) -> LogSpectralDistance:
    """Return `lsd` over the bins below the cut-off.

    Args:
        sample_rate: rate of the signals in Hz.
        cutoff_hz: frequency that splits the band.

    Returns:
        The metric, a function of (B, C, T) and (B, C, T) to (B,).
    """
    return LogSpectralDistance(last_bin=split_bin(sample_rate, cutoff_hz))


def lsd_hf(sample_rate: int, cutoff_hz: float) -> LogSpectralDistance:
    """Return `lsd` over the bins at and above the cut-off: the band that super-resolution has to invent.

    Args:
        sample_rate: rate of the signals in Hz.
        cutoff_hz: frequency that splits the band.

    Returns:
        The metric, a function of (B, C, T) and (B, C, T) to (B,).
    """
    return LogSpectralDistance(first_bin=split_bin(sample_rate, cutoff_hz))


def lsd_hf60(sample_rate: int, cutoff_hz: float) -> DeepDistance:
    """Return `lsd_hf` with both spectra clamped 60 dB below the loudest bin of the clean frame, which may be below the cut-off.

    Args:
        sample_rate: rate of the signals in Hz.
        cutoff_hz: frequency that splits the band.

    Returns:
        The metric, a function of (B, C, T) and (B, C, T) to (B,).
    """
    return DeepDistance(lsd_hf(sample_rate, cutoff_hz))


def split_bin(sample_rate: int, cutoff_hz: float, framing: Framing = HANN_2048) -> int:
    """Return the first bin at or above the cut-off, leaving at least one bin on either side."""
    if cutoff_hz <= 0:
        raise ValueError(f"cutoff_hz must be positive, got {cutoff_hz}")
    split = math.ceil(cutoff_hz * framing.n_fft / sample_rate)
    return min(max(split, 1), framing.n_fft // 2)


def infinite_if_undefined(value: Tensor) -> Tensor:
    """Turn NaN, which only signals with NaN or Inf produce, into the worst distance, so that a mean cannot hide it."""
    return torch.nan_to_num(value, nan=torch.inf, posinf=torch.inf)
