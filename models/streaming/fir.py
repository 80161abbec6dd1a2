"""Filter streams by linear-phase FIR filters without delay, so that parts of a spectrum can be kept as they were."""

import math

import torch
from torch import Tensor

STOP_BAND_DB = 100.0
_TRANSITION_RATIO = 0.1  # Width of the transition band above the stop band, relative to its edge
_SMALLEST_TRANSITION_HZ = 40.0  # and its lower limit, which bounds the filter's length.


def highpass_taps(stop_hz: float, sample_rate: int) -> Tensor:
    """Design a filter that removes everything below a frequency and has unit gain a little above it.

    A Kaiser-windowed sinc low-pass, subtracted from a unit impulse; length and window parameter by Kaiser's
    formulas (Oppenheim & Schafer, Discrete-Time Signal Processing, 3rd ed., eq. 7.75 and 7.76).

    Args:
        stop_hz: upper edge of the stop band, attenuated by `STOP_BAND_DB`.
        sample_rate: of the signal to be filtered, in Hz.

    Returns:
        float64 taps (N,), symmetric, N odd; a single zero if the stop band reaches the Nyquist frequency.
    """
    width_hz = max(stop_hz * _TRANSITION_RATIO, _SMALLEST_TRANSITION_HZ)
    cutoff = (stop_hz + width_hz / 2) / sample_rate  # cycles per sample
    if cutoff >= 0.5:
        return torch.zeros(1, dtype=torch.float64)
    half = math.ceil((STOP_BAND_DB - 8) / (2.285 * 2 * math.pi * width_hz / sample_rate) / 2)
    n = torch.arange(-half, half + 1, dtype=torch.float64)
    window = torch.kaiser_window(2 * half + 1, periodic=False, beta=0.1102 * (STOP_BAND_DB - 8.7), dtype=torch.float64)
    lowpass = 2 * cutoff * torch.sinc(2 * cutoff * n) * window
    impulse = (n == 0).to(torch.float64)
    return impulse - lowpass / lowpass.sum()


def lowpass_taps(pass_hz: float, sample_rate: int) -> Tensor:
    """Design the complement of `highpass_taps`: unit gain below a frequency, nothing a little above it.

    Args:
        pass_hz: upper edge of the pass band.
        sample_rate: of the signal to be filtered, in Hz.

    Returns:
        float64 taps (N,), symmetric, N odd.
    """
    rejecting = highpass_taps(pass_hz, sample_rate)
    taps = -rejecting
    taps[len(taps) // 2] += 1
    return taps


class StreamingFilter:
    """Convolve a stream with symmetric taps, each output sample at the time of its input sample."""

    def __init__(self, taps: Tensor) -> None:
        """Take the filter.

        Args:
            taps: (N,), symmetric.

        Raises:
            ValueError: if the number of taps is even: such a filter delays by half a sample.
        """
        if len(taps) % 2 == 0:
            raise ValueError(f"a filter without delay has an odd number of taps, got {len(taps)}")
        self._taps = taps
        self._delay = len(taps) // 2
        self._history: Tensor | None = None  # (..., up to N - 1) newest input samples

    def push(self, block: Tensor) -> Tensor:
        """Take a block (..., n) and return the samples (..., m) that are finished by now, m >= 0."""
        if self._history is None:
            self._history = block.new_zeros((*block.shape[:-1], self._delay))
        signal = torch.cat([self._history, block], dim=-1)
        finished = max(0, signal.shape[-1] - 2 * self._delay)
        self._history = signal[..., finished:]
        return self._convolve(signal)[..., :finished] if finished else signal[..., :0]

    def flush(self) -> Tensor:
        """Return the last samples (..., m), with silence after the end, and be ready for another stream."""
        history, self._history = self._history, None
        if history is None:
            return torch.zeros(0)
        if history.shape[-1] <= self._delay:
            return history[..., :0]
        return self._convolve(torch.nn.functional.pad(history, (0, self._delay)))

    def _convolve(self, signal: Tensor) -> Tensor:
        """Return (..., T - N + 1) samples for which all of the filter's support is there, by FFT in float64 on the CPU."""
        length = 2 ** math.ceil(math.log2(signal.shape[-1]))
        spectrum = torch.fft.rfft(signal.cpu().double(), length) * torch.fft.rfft(self._taps, length)
        valid: Tensor = torch.fft.irfft(spectrum, length)[..., 2 * self._delay : signal.shape[-1]]
        return valid.to(signal)
