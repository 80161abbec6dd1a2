"""Levels above the threshold are divided by the ratio, and those below it stay."""

import math

import pytest
import torch
from torch import Tensor

from datamodules.corruptions.compression import Compression, momentary_power

RATE_HZ = 8000


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def steps_of_sine(levels_db: list[float]) -> Tensor:
    """Return a second of a sine for each level."""
    time = torch.arange(RATE_HZ * len(levels_db)) / RATE_HZ
    gains = torch.tensor([10 ** (level / 20) for level in levels_db]).repeat_interleave(RATE_HZ)
    return (gains * torch.sin(2 * math.pi * 400 * time))[None, None]


def middle_gain_db(clean: Tensor, compressed: Tensor, second: int) -> float:
    part = slice(second * RATE_HZ + 2000, second * RATE_HZ + 6000)
    return 10 * math.log10(compressed[..., part].square().sum() / clean[..., part].square().sum())


def test_static_curve() -> None:
    clean = steps_of_sine([0, -10, -20, -40])
    compressed = Compression(20, 4)(clean, RATE_HZ, seeded())
    gains = [middle_gain_db(clean, compressed, second) for second in range(4)]
    assert gains == pytest.approx([-15, -7.5, 0, 0], abs=0.05)


def test_ratio_of_1_and_threshold_of_0_change_nothing() -> None:
    clean = torch.randn(2, 2, 4000, generator=seeded())
    assert torch.allclose(Compression(20, 1)(clean, RATE_HZ, seeded()), clean)
    assert torch.allclose(Compression(0, 8)(clean, RATE_HZ, seeded()), clean)


def test_gain_does_not_depend_on_the_level_of_the_recording() -> None:
    clean = torch.randn(2, 2, 4000, generator=seeded())
    quiet = Compression()(0.01 * clean, RATE_HZ, seeded())
    assert torch.allclose(quiet, 0.01 * Compression()(clean, RATE_HZ, seeded()), rtol=1e-4, atol=1e-7)


def test_channels_share_the_gain() -> None:
    clean = torch.cat([steps_of_sine([0, -30]), steps_of_sine([-30, 0])], dim=1)
    compressed = Compression(10, 4)(clean, RATE_HZ, seeded())
    ratio = (compressed / clean)[..., 2000:6000]
    loud = clean[:, :, 2000:6000].abs() > 1e-3
    assert torch.allclose(ratio[:, 0][loud.all(1)], ratio[:, 1][loud.all(1)], rtol=1e-4)


def test_power_of_a_moment_is_a_mean_over_its_window() -> None:
    assert torch.allclose(momentary_power(torch.full((1, 2, 50), 0.5), RATE_HZ), torch.tensor(0.25))
    assert momentary_power(torch.ones(1, 1, 1), RATE_HZ).item() == pytest.approx(1)
