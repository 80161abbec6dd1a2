"""Streaming high-pass: what it removes, what it keeps, and when."""

import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from models.streaming.fir import StreamingFilter, highpass_taps, lowpass_taps

RATE = 16000


def filtered(signal: Tensor, taps: Tensor, block: int) -> Tensor:
    stream = StreamingFilter(taps)
    parts = [stream.push(part) for part in signal.split(block, dim=-1)]
    return torch.cat([*parts, stream.flush()], dim=-1)


@pytest.mark.parametrize(("stop_hz", "rate"), [(30.0, 8000), (200.0, 8000), (30.0, 44100), (200.0, 44100), (4000.0, 44100)])
def test_stop_band_is_removed_and_pass_band_kept(stop_hz: float, rate: int) -> None:
    frequencies, response = scipy.signal.freqz(highpass_taps(stop_hz, rate).numpy(), worN=1 << 16, fs=rate)
    gain_db = 20 * np.log10(np.abs(response) + 1e-12)
    assert gain_db[frequencies <= stop_hz].max() < -95
    assert np.abs(gain_db[frequencies >= stop_hz + max(0.1 * stop_hz, 40)]).max() < 0.001


@pytest.mark.parametrize("length", [1, 50, 1000, 5003])
@pytest.mark.parametrize("block", [64, 1000])
def test_stream_equals_centered_convolution(length: int, block: int) -> None:
    signal = torch.randn(2, length, generator=torch.Generator().manual_seed(length))
    taps = highpass_taps(1000.0, RATE)
    expected = np.stack([np.convolve(row, taps.numpy())[len(taps) // 2 :][:length] for row in signal.double().numpy()])
    result = filtered(signal, taps, block)
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-6)


def test_sine_keeps_its_phase() -> None:
    sine = torch.sin(2 * math.pi * 3000 / RATE * torch.arange(RATE, dtype=torch.float64))[None]
    result = filtered(sine, highpass_taps(1000.0, RATE), 777)
    torch.testing.assert_close(result[:, 2000:-2000], sine[:, 2000:-2000], atol=1e-4, rtol=0)


@pytest.mark.parametrize("stop_hz", [30.0, 1000.0])
def test_a_constant_is_removed_altogether(stop_hz: float) -> None:
    assert highpass_taps(stop_hz, RATE).sum().item() == pytest.approx(0, abs=1e-13)


def test_band_above_nyquist_keeps_nothing() -> None:
    assert filtered(torch.ones(1, 10), highpass_taps(8000.0, RATE), 4).tolist() == [[0.0] * 10]


def test_empty_stream_gives_nothing() -> None:
    assert filtered(torch.zeros(2, 0), highpass_taps(1000.0, RATE), 4).shape == (2, 0)


def test_even_number_of_taps_is_refused() -> None:
    with pytest.raises(ValueError, match="odd number of taps, got 4"):
        StreamingFilter(torch.ones(4))


def test_low_pass_keeps_what_lies_below_and_removes_what_lies_above() -> None:
    frequencies, response = scipy.signal.freqz(lowpass_taps(2000.0, RATE).numpy(), worN=4096, fs=RATE)
    gain = np.abs(response)
    assert np.abs(gain[frequencies <= 2000.0] - 1).max() < 1e-4
    assert gain[frequencies >= 2300.0].max() < 1e-4


def test_low_pass_up_to_the_nyquist_frequency_keeps_everything() -> None:
    assert lowpass_taps(8000.0, RATE).tolist() == [1.0]
