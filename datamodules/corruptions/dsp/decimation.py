"""Decimate and interpolate whole batches through their spectra, in any ratio and without delay."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.corruptions.dsp.fft import fast_length
from datamodules.draws import rows_by_value


@dataclass(frozen=True)
class Frame:
    """A window of audio laid into a longer, even number of samples that an FFT may treat as periodic."""

    start: int
    length: int
    total: int
    reflected: int

    @classmethod
    def around(cls, length_samples: int, padding_samples: int, multiple: int) -> "Frame":
        """Choose a frame whose start and total length are multiples of `multiple`, so that low-rate samples fall on samples."""
        reflected = min(padding_samples, length_samples - 1)
        start = -(-reflected // multiple) * multiple
        needed = max(start + length_samples + reflected, padding_samples)  # The second for windows of a few samples.
        total = multiple * fast_length(-(-needed // multiple))
        return cls(start, length_samples, total, reflected)

    def spectrum(self, audio: Tensor) -> Tensor:
        """Transform audio (B, C, T), continued by its fading mirror image so that no edge rings, to (B, C, total / 2 + 1)."""
        audio = audio.to(torch.promote_types(audio.dtype, torch.float32))
        fade = torch.linspace(0, torch.pi / 2, self.reflected + 1, device=audio.device, dtype=audio.dtype)[:-1].sin().square()
        before = audio[..., 1 : self.reflected + 1].flip(-1) * fade
        after = audio[..., self.length - 1 - self.reflected : self.length - 1].flip(-1) * fade.flip(-1)
        silence = audio.new_zeros(*audio.shape[:-1], self.total - self.length - 2 * self.reflected)
        lead = self.start - self.reflected
        spectrum: Tensor = torch.fft.rfft(torch.cat([silence[..., :lead], before, audio, after, silence[..., lead:]], dim=-1))
        return spectrum

    def cut(self, framed: Tensor) -> Tensor:
        """Return the window (B, C, T) of a framed signal (B, C, total)."""
        return framed[..., self.start : self.start + self.length]


def down_and_up(spectrum: Tensor, low_samples: list[int], ways: list[str], frame: Frame) -> Tensor:
    """Decimate each example of a spectrum to its number of samples per frame and interpolate its own way."""
    restored = spectrum.real.new_empty(*spectrum.shape[:-1], frame.length)
    for (count, way), rows in rows_by_value(zip(low_samples, ways, strict=True)).items():
        restored[rows] = INTERPOLATIONS[way](_folded(spectrum[rows], count), count, frame)
    return restored


def _folded(spectrum: Tensor, low_samples: int) -> Tensor:
    """Decimate in the frequency domain: add up all bins that the low rate cannot tell apart.

    Y[k] = sum_j X[k + j M] over positive and negative frequencies. M need not divide the length of the frame: then these are the
    samples of its band-limited interpolation.

    Args:
        spectrum: (B, C, N / 2 + 1).
        low_samples: M, below N.

    Returns:
        (B, C, M // 2 + 1).
    """
    highest = spectrum.shape[-1] - 1
    spectrum[..., highest] /= 2  # The Nyquist bin stands for two frequencies.
    folded = spectrum[..., : low_samples // 2 + 1].clone()
    for alias in range(low_samples, highest + low_samples // 2 + 1, low_samples):
        above = spectrum[..., alias : alias + low_samples // 2 + 1]
        folded[..., : above.shape[-1]] += above
        below = spectrum[..., alias - low_samples // 2 : alias + 1].flip(-1).conj()
        folded[..., -below.shape[-1] :] += below
    return folded


def _sinc(folded: Tensor, low_samples: int, frame: Frame) -> Tensor:
    if low_samples % 2 == 0:
        folded[..., -1] /= 2  # One half of the low Nyquist bin belongs to the negative frequency.
    return frame.cut(torch.fft.irfft(folded, n=frame.total))


def _linear(folded: Tensor, low_samples: int, frame: Frame) -> Tensor:
    low = torch.fft.irfft(folded, n=low_samples) * (low_samples / frame.total)
    position, weight = _positions(low_samples, frame, low)
    return torch.lerp(low[..., position], low[..., (position + 1) % low_samples], weight)


def _cubic(folded: Tensor, low_samples: int, frame: Frame) -> Tensor:
    """Interpolate by the cubic spline through the low-rate samples (Unser, "Splines: A Perfect Fit", 1999)."""
    angle = 2 * torch.pi / low_samples * torch.arange(folded.shape[-1], device=folded.device)
    coefficients = torch.fft.irfft(folded * (3 / (2 + torch.cos(angle))), n=low_samples) * (low_samples / frame.total)
    position, t = _positions(low_samples, frame, coefficients)
    weights = [(1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * (1 - t) ** 2 + 3 * (1 - t) ** 3, t**3]
    taps = [
        coefficients[..., (position + offset) % low_samples] * (weight / 6)
        for offset, weight in zip(range(-1, 3), weights, strict=True)
    ]
    curve: Tensor = taps[0] + taps[1] + taps[2] + taps[3]
    return curve


INTERPOLATIONS: dict[str, Callable[[Tensor, int, Frame], Tensor]] = {"sinc": _sinc, "cubic": _cubic, "linear": _linear}


def _positions(low_samples: int, frame: Frame, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each sample of the window falls among the low-rate samples: the one before it, and the fraction after that."""
    scaled = torch.arange(frame.start, frame.start + frame.length, device=like.device) * low_samples
    return scaled // frame.total, (scaled % frame.total).to(like.dtype) / frame.total
