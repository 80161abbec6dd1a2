"""Freeverb answers an impulse as its comb and all-pass filters, run sample by sample, do."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.corruptions.freeverb import ALL_PASSES, COMBS, Freeverb
from datamodules.corruptions.pipeline import Pipeline

RATE_HZ = 10_000
LENGTH = 6000


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def impulse(channels: int = 1, length: int = LENGTH) -> Tensor:
    audio = torch.zeros(1, channels, length)
    audio[..., 0] = 1
    return audio


def comb(audio: np.ndarray, delay: int, gain: float, damping: float) -> np.ndarray:
    line, store, out = [0.0] * delay, 0.0, np.zeros(len(audio))
    for n, sample in enumerate(audio):
        out[n] = line[n % delay]
        store = (1 - damping) * out[n] + damping * store
        line[n % delay] = sample + gain * store
    return out


def all_pass(audio: np.ndarray, delay: int) -> np.ndarray:
    line, out = [0.0] * delay, np.zeros(len(audio))
    for n, sample in enumerate(audio):
        late = line[n % delay]
        out[n], line[n % delay] = late - sample, sample + 0.5 * late
    return out


def by_hand(reverberance: float, hf: float, room: float, apart: float, pre_delay_ms: float, wet_db: float) -> np.ndarray:
    fed = np.zeros(LENGTH)
    fed[math.floor(pre_delay_ms / 1000 * RATE_HZ + 0.5)] = 1
    low, high = math.log(1 - 0.3), math.log(1 - 0.98)
    gain = 1 - math.exp(low + (high - low) * reverberance / 100)
    scale, signs = RATE_HZ / 44100, [1, -1] * 4
    lengths = [
        math.floor((0.9 * room / 100 + 0.1) * scale * (n + 12 * apart * s) + 0.5) for n, s in zip(COMBS, signs, strict=True)
    ]
    total = sum(comb(fed, delay, gain, 0.2 + 0.3 * hf / 100) for delay in lengths)
    for samples, sign in zip(ALL_PASSES, signs, strict=False):
        total = all_pass(np.asarray(total), math.floor(scale * (samples + 12 * apart * sign) + 0.5))
    return 0.015 * 10 ** (wet_db / 20) * np.asarray(total)


@pytest.mark.parametrize(
    ("reverberance", "hf", "room", "pre_delay_ms", "wet_db"),
    [(50, 50, 100, 0, 0), (80, 100, 100, 40, 0), (100, 0, 10, 0, 10), (0, 100, 0, 7, -10)],
)
def test_wet_signal_is_that_of_the_filters(
    reverberance: float, hf: float, room: float, pre_delay_ms: float, wet_db: float
) -> None:
    steps = f"reverb {RATE_HZ} 0 {reverberance} {hf} {room} 0 {pre_delay_ms} {wet_db} 1"
    wet = Pipeline(steps)(impulse(), RATE_HZ, seeded()).flatten().numpy()
    expected = by_hand(reverberance, hf, room, 0, pre_delay_ms, wet_db)
    assert np.abs(wet - expected).max() < 2e-4 * np.abs(expected).max()


def test_two_channels_hear_both_by_different_delays() -> None:
    left_only = impulse(2) * torch.tensor([1.0, 0.0])[:, None]
    wet = Freeverb(50, stereo_depth=60, wet_only=True)(left_only, RATE_HZ, seeded())[0].numpy()
    for channel, apart in enumerate((0.0, 0.6)):
        expected = 0.5 * by_hand(50, 50, 100, apart, 0, 0)
        assert np.abs(wet[channel] - expected).max() < 2e-4 * np.abs(expected).max()


def test_depth_of_0_keeps_channels_apart() -> None:
    left_only = impulse(2) * torch.tensor([1.0, 0.0])[:, None]
    reverberant = Freeverb(50, stereo_depth=0)(left_only, RATE_HZ, seeded())
    assert torch.equal(reverberant[:, 1], torch.zeros(1, LENGTH))
    assert torch.allclose(reverberant[:, 0], Freeverb(50)(impulse(), RATE_HZ, seeded())[:, 0], atol=1e-6)


def test_direct_sound_keeps_its_place_and_level() -> None:
    assert Freeverb(80)(impulse(), RATE_HZ, seeded())[0, 0, 0].item() == pytest.approx(1, abs=1e-5)
    assert Freeverb(80, wet_only=True)(impulse(), RATE_HZ, seeded())[0, 0, :200].abs().max() < 1e-5


@pytest.mark.parametrize(("reverberance", "t60_s"), [(50, 1.69), (100, 10.5)])
def test_loop_decays_by_60_db_in_the_time_of_its_gain(reverberance: float, t60_s: float) -> None:
    gain = 1 - math.exp(math.log(0.7) + reverberance / 100 * math.log(0.02 / 0.7))
    assert 3 * (1356.5 / 44100) / -math.log10(gain) == pytest.approx(t60_s, rel=0.01)
    wet = Freeverb(reverberance, hf_damping=0, wet_only=True)(impulse(length=4 * RATE_HZ), RATE_HZ, seeded()).flatten()
    early, late = (wet[start : start + RATE_HZ // 2].square().sum().log10() * 10 for start in (RATE_HZ // 2, 2 * RATE_HZ))
    assert (early - late).item() == pytest.approx(60 * 1.5 / t60_s, rel=0.35)  # High frequencies decay faster.


def test_examples_draw_their_strength() -> None:
    batch = impulse().expand(64, -1, -1)
    energy = Pipeline(f"reverb {RATE_HZ} 30 50 50 100 100 0 0 1")(batch, RATE_HZ, seeded()).square().sum((1, 2))
    assert energy.max() > 1.5 * energy.min()
    fixed = Pipeline(f"reverb {RATE_HZ} 0 50 50 100 100 0 0 1")(batch, RATE_HZ, seeded()).square().sum((1, 2))
    assert torch.allclose(fixed, fixed[0].expand(64), rtol=1e-5)


@pytest.mark.parametrize("key", ["reverberance", "hf_damping", "room_scale", "stereo_depth", "pre_delay_ms", "wet_gain_db"])
def test_number_outside_of_its_range_is_refused_by_its_name(key: str) -> None:
    with pytest.raises(ValueError, match=f"^{key}=1000 is not within"):
        Freeverb(**{key: 1000})
