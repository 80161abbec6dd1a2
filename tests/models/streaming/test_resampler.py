"""Streaming resampling: the same samples as for the whole signal, in time and in number."""

import math

import pytest
import torch

from models.streaming.resampler import Resampler, edge_taps, there_and_back


def sine(rate_hz: int, length: int) -> torch.Tensor:
    return torch.sin(2 * math.pi * 440 / rate_hz * torch.arange(length, dtype=torch.float64)).float().repeat(2, 1)


def streamed(signal: torch.Tensor, from_hz: int, to_hz: int, block: int) -> torch.Tensor:
    return through(there_and_back(from_hz, to_hz, signal.shape[0])[0], signal, block)


def through(stream: Resampler, signal: torch.Tensor, block: int) -> torch.Tensor:
    return torch.cat([*(stream.push(part) for part in signal.split(block, dim=-1)), stream.flush()], dim=-1)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 16000), (16000, 44100), (8000, 48000), (16000, 16000)])
@pytest.mark.parametrize("length", [0, 1, 2, 997, 20001])
def test_length_is_rounded_up(from_hz: int, to_hz: int, length: int) -> None:
    assert streamed(sine(from_hz, length), from_hz, to_hz, 1000).shape == (2, math.ceil(length * to_hz / from_hz))


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44100, 16000), (16000, 44100)])
def test_sine_stays_in_time(from_hz: int, to_hz: int) -> None:
    changed = streamed(sine(from_hz, from_hz), from_hz, to_hz, 1777)
    inner = slice(to_hz // 10, -to_hz // 10)
    assert (changed - sine(to_hz, to_hz))[:, inner].abs().max() < 1e-4


@pytest.mark.parametrize(
    ("low_hz", "high_hz"), [(8000, 44100), (16000, 44100), (16000, 32000), (22050, 48000), (44100, 48000), (44100, 96000)]
)
def test_all_of_the_band_goes_up_and_comes_back(low_hz: int, high_hz: int) -> None:
    noise = torch.randn(1, 2 * low_hz, generator=torch.Generator().manual_seed(0))
    there, back_again = there_and_back(low_hz, high_hz, 1)
    back = through(back_again, through(there, noise, 5000), 777)
    lost = (back - noise)[:, low_hz // 5 : -low_hz // 5]
    assert lost.square().mean() < 1e-5


def test_filter_at_the_edge_is_complementary_in_power_and_lets_no_images_pass() -> None:
    gain = torch.fft.rfft(edge_taps(), 8192).abs()
    assert (gain.square() + gain.square().flip(0) - 1).abs().max() < 0.005
    assert gain[round(len(gain) * 0.525) :].max() < 3e-6


@pytest.mark.parametrize("tone_hz", [8050, 8200])
def test_what_lies_beyond_the_band_of_a_lower_rate_does_not_fold_into_it(tone_hz: int) -> None:
    tone = torch.sin(2 * math.pi * tone_hz / 44100 * torch.arange(44100, dtype=torch.float64)).float()[None]
    there, _ = there_and_back(44100, 16000, 1)
    assert through(there, tone, 5000)[:, 1600:-1600].abs().max() < 1e-3


def test_equal_rates_change_nothing() -> None:
    signal = sine(16000, 1234)
    assert torch.equal(streamed(signal, 16000, 16000, 100), signal)
