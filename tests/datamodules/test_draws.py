"""Ranges are validated, draws come from the generator alone, and levels follow their definitions."""

import math
from typing import Any

import pytest
import torch
from omegaconf import ListConfig, OmegaConf

from datamodules.draws import (
    as_range,
    choices,
    integers,
    normal,
    random_bytes,
    rms,
    rows_by_value,
    scale_to_snr,
    symmetric_uniform,
    uniform,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_number_is_range_without_width() -> None:
    assert as_range(5, "snr_db") == (5.0, 5.0)


@pytest.mark.parametrize("value", [[0, 20], (0.0, 20.0), OmegaConf.create([0, 20])])
def test_pair_is_range(value: list[float] | ListConfig) -> None:
    assert as_range(value, "snr_db") == (0.0, 20.0)


@pytest.mark.parametrize("value", ["12", [1], [1, 2, 3], [2, 1], [0, float("nan")], float("inf"), None, [True, 2], True])
def test_anything_else_is_refused_with_its_key(value: Any) -> None:
    with pytest.raises(ValueError, match=r"corruption\.snr_db="):
        as_range(value, "corruption.snr_db")


def test_uniform_covers_its_range() -> None:
    drawn = uniform(-3.0, 5.0, (10_000,), seeded())
    assert -3.0 <= drawn.min() < -2.99
    assert 4.99 < drawn.max() <= 5.0
    assert drawn.mean().item() == pytest.approx(1.0, abs=0.1)


def test_uniform_without_width_is_its_value() -> None:
    assert torch.equal(uniform(7.0, 7.0, (4,), seeded()), torch.full((4,), 7.0))


def test_integers_include_both_ends() -> None:
    drawn = integers(2, 4, (1000,), seeded())
    assert drawn.dtype == torch.int64
    assert set(drawn.tolist()) == {2, 3, 4}


def test_choices_are_equally_likely() -> None:
    counts = torch.bincount(choices(4, (8000,), seeded()), minlength=4)
    assert torch.all((counts - 2000).abs() < 200)


def test_normal_has_unit_variance() -> None:
    assert normal((50_000,), seeded()).std().item() == pytest.approx(1.0, abs=0.02)


def test_random_bytes_are_equally_likely_and_uncorrelated() -> None:
    drawn = random_bytes(256_000, seeded())
    counts = torch.bincount(drawn.long() + 128, minlength=256)
    assert counts.shape == (256,)
    assert (counts - 1000).abs().max() < 150
    centered = drawn.float() + 0.5
    for lag in range(1, 17):
        assert (centered[lag:] * centered[:-lag]).mean().abs() < 0.01 * centered.square().mean()


@pytest.mark.parametrize("count", [1, 7, 40_000])
def test_symmetric_uniform_fills_any_shape_within_its_ends(count: int) -> None:
    drawn = symmetric_uniform((1, count), seeded())
    assert drawn.shape == (1, count)
    assert drawn.dtype == torch.float32
    assert -1 <= drawn.min() <= drawn.max() < 1


def test_symmetric_uniform_is_centred_flat_and_uncorrelated() -> None:
    drawn = symmetric_uniform((100_000,), seeded())
    assert drawn.mean().item() == pytest.approx(0, abs=0.01)
    assert drawn.var().item() == pytest.approx(1 / 3, abs=0.005)
    assert torch.histc(drawn, 10, -1, 1).sub(10_000).abs().max() < 500
    for lag in range(1, 9):
        assert (drawn[lag:] * drawn[:-lag]).mean().abs() < 0.005


def test_draws_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = normal((8,), seeded(3))
    torch.manual_seed(2)
    assert torch.equal(first, normal((8,), seeded(3)))
    assert not torch.equal(first, normal((8,), seeded(4)))


def test_rms_of_sine_is_its_amplitude_over_root_two() -> None:
    sine = torch.sin(2 * math.pi * torch.arange(800) / 80).expand(1, 2, 800)
    levels = rms(torch.cat([sine, 3 * sine]))
    assert levels.shape == (2, 1, 1)
    assert torch.allclose(levels.flatten(), torch.tensor([1.0, 3.0]) / math.sqrt(2), atol=1e-5)


def test_noise_is_scaled_to_each_examples_ratio() -> None:
    clean, noise = normal((3, 2, 500), seeded(1)), 0.01 * normal((3, 2, 500), seeded(2))
    asked = torch.tensor([-5.0, 0.0, 20.0])
    scaled = scale_to_snr(clean, noise, asked)
    reached = 20 * torch.log10(clean.std(2).norm(dim=1) / scaled.std(2).norm(dim=1))
    assert torch.allclose(reached, asked, atol=1e-3)


def test_offsets_count_neither_as_signal_nor_as_noise() -> None:
    clean, noise = normal((1, 2, 500), seeded(1)), normal((1, 2, 500), seeded(2))
    offsets, asked = torch.tensor([[[0.5], [-3.0]]]), torch.tensor([7.0])
    plain, shifted = scale_to_snr(clean, noise, asked), scale_to_snr(0.3 * clean + offsets, noise + offsets, asked)
    torch.testing.assert_close((shifted - shifted.mean(2, keepdim=True)), 0.3 * (plain - plain.mean(2, keepdim=True)))


@pytest.mark.parametrize("constant", [0.5, 0.3, -1e-4])
def test_a_constant_is_silence(constant: float) -> None:
    level, noise = torch.full((1, 2, 30_001), constant), normal((1, 2, 30_001), seeded(1))
    assert rms(level).item() == 0
    assert not scale_to_snr(level, noise, torch.tensor([0.0])).any()
    assert not scale_to_snr(noise, level, torch.tensor([0.0])).any()


def test_silence_gets_no_noise_and_silent_noise_stays_silent() -> None:
    silence, noise = torch.zeros(1, 1, 100), torch.ones(1, 1, 100)
    ratio = torch.tensor([0.0])
    assert torch.equal(scale_to_snr(silence, noise, ratio), silence)
    assert torch.equal(scale_to_snr(noise, silence, ratio), silence)


def test_rows_are_grouped_by_what_they_drew_in_ascending_order() -> None:
    assert list(rows_by_value(["white", "pink", "white", "brown"]).items()) == [("brown", [3]), ("pink", [1]), ("white", [0, 2])]
    assert list(rows_by_value([(8, "sinc"), (4, "sinc"), (4, "cubic")])) == [(4, "cubic"), (4, "sinc"), (8, "sinc")]
    assert rows_by_value([]) == {}
