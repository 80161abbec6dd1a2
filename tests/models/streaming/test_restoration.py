"""What restoring a stream changes, and what it leaves alone."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.streaming.chunking import Chunking
from models.streaming.restoration import RestorationError, RestorationStream, Settings

CHUNKING = Chunking(16384, 8192, 2048, 8192)
SETTINGS = Settings()


def noise(channels: int, length: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(channels, length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sine(frequency_hz: float, rate_hz: int, seconds: float = 2.0) -> Tensor:
    time = torch.arange(round(rate_hz * seconds), dtype=torch.float64) / rate_hz
    return torch.sin(2 * math.pi * frequency_hz * time)[None]


def restored(
    signal: Tensor, restore: Callable[[Tensor], Tensor], method_hz: int, signal_hz: int, settings: Settings = SETTINGS
) -> Tensor:
    stream = RestorationStream(restore, CHUNKING, method_hz, signal_hz, signal.shape[0], settings)
    return torch.cat([*(stream.push(part) for part in signal.split(signal_hz, dim=-1)), stream.flush()], dim=-1)


@pytest.mark.parametrize(("method_hz", "signal_hz"), [(16000, 16000), (16000, 44100), (16000, 8000), (44100, 96000)])
@pytest.mark.parametrize("length", [1, 2, 4409, 99991])
def test_identity_returns_every_bit(method_hz: int, signal_hz: int, length: int) -> None:
    signal = noise(2, length)
    assert torch.equal(restored(signal, lambda x: x, method_hz, signal_hz), signal)


@pytest.mark.parametrize("signal_hz", [16000, 44100])
def test_strength_zero_returns_the_input(signal_hz: int) -> None:
    settings = Settings(strength=0.0)
    signal = noise(2, 30011)
    assert torch.equal(restored(signal, torch.zeros_like, 16000, signal_hz, settings), signal)


def test_strength_is_a_dry_wet_mix() -> None:
    settings = Settings(strength=0.25)
    signal = noise(2, 30011)
    torch.testing.assert_close(restored(signal, torch.zeros_like, 16000, 16000, settings), 0.75 * signal, atol=1e-7, rtol=0)


def test_only_the_band_of_the_method_is_changed() -> None:
    inside, above = sine(3000, 44100), sine(15000, 44100)
    result = restored(inside + above, torch.zeros_like, 16000, 44100)
    assert (result - above)[:, 4000:-4000].abs().max() < 1e-3


def test_low_band_is_kept() -> None:
    settings = Settings(keep_low_band_hz=1000)
    low, high = 0.5 * sine(500, 44100), 0.5 * sine(4000, 44100)
    change = restored(low, torch.zeros_like, 16000, 44100, settings) - low
    assert 20 * math.log10(change[:, 8000:-8000].abs().max() / 0.5) < -80
    assert restored(high, torch.zeros_like, 16000, 44100, settings)[:, 8000:-8000].abs().max() < 1e-3


def test_channels_are_restored_alike() -> None:
    signal = noise(5, 20011)
    together = restored(signal, torch.tanh, 16000, 16000)
    apart = torch.cat([restored(channel[None], torch.tanh, 16000, 16000) for channel in signal])
    torch.testing.assert_close(together, apart)


def test_method_that_gives_nan_is_refused() -> None:
    with pytest.raises(RestorationError, match="NaN or infinite"):
        restored(noise(1, 30000), lambda x: x / 0 * 0, 16000, 16000)


def test_method_that_changes_the_length_is_refused() -> None:
    with pytest.raises(RestorationError, match=r"\(1, 16384\) into \(1, 16383\)"):
        restored(noise(1, 30000), lambda x: x[..., 1:], 16000, 16000)


def test_method_that_fails_is_named() -> None:
    def fail(corrupted: Tensor) -> Tensor:
        raise RuntimeError("out of memory")

    with pytest.raises(RestorationError, match="the method failed: out of memory"):
        restored(noise(1, 30000), fail, 16000, 16000)
