"""Holding repeats exact samples, and bit depths keep the signal-to-noise ratio that theory gives them."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.corruptions.quantization import Quantize, hold, hold_causal, round_mu_law, round_uniform

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sine(peak: float = 1.0, length: int = 1 << 15) -> Tensor:
    """An irrational number of samples per period, so that every phase is met."""
    return peak * torch.sin(torch.arange(length, dtype=torch.float64) * (2**0.5 / 50)).float().view(1, 1, -1)


def snr_db(clean: Tensor, damaged: Tensor) -> float:
    clean, damaged = clean.double(), damaged.double()
    return float(10 * torch.log10(clean.square().sum() / (damaged - clean).square().sum()))


def test_hold_repeats_every_tenth_sample_of_the_published_case() -> None:
    clean = torch.sin(2 * torch.pi * 3 * torch.arange(100) / 100).view(1, 1, -1)
    held = Quantize(["hold_causal"], hold_factor=10)(clean, RATE_HZ, seeded())
    assert torch.equal(held.view(10, 10), clean.view(10, 10)[:, :1].expand(10, 10))


def test_hold_factors_differ_within_a_batch() -> None:
    clean = torch.arange(7.0).expand(3, 2, 7).clone()
    held = hold_causal(clean, torch.tensor([1, 2, 4]))
    assert held[:, 1].tolist() == [[0, 1, 2, 3, 4, 5, 6], [0, 0, 2, 2, 4, 4, 6], [0, 0, 0, 0, 4, 4, 4]]


def test_hold_shows_the_middle_of_each_block_or_the_last_sample_that_is_left() -> None:
    clean = torch.arange(7.0).expand(4, 2, 7).clone()
    held = hold(clean, torch.tensor([1, 2, 3, 5]))
    assert held[0, 1].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert held[1:, 1].tolist() == [[0, 0, 2, 2, 4, 4, 6], [1, 1, 1, 4, 4, 4, 6], [2, 2, 2, 2, 2, 6, 6]]


@pytest.mark.parametrize("factor", [2, 3, 5, 8, 10])
def test_hold_is_aligned_and_the_causal_one_late_by_half_a_block(factor: int) -> None:
    clean, frequency = sine(length=1 << 14).double(), 2**0.5 / 50
    phase = torch.arange(clean.shape[-1]) * frequency

    def delay_samples(held: Tensor) -> float:
        return float(torch.atan2(-(held * phase.cos()).sum(), (held * phase.sin()).sum()) / frequency)

    assert delay_samples(hold_causal(clean, torch.tensor([factor]))) == pytest.approx((factor - 1) / 2, abs=0.1)
    assert delay_samples(hold(clean, torch.tensor([factor]))) == pytest.approx((factor + 1) % 2 / 2, abs=0.1)


@pytest.mark.parametrize("bits", [6, 8, 10, 12, 16])
def test_full_scale_sine_keeps_six_decibels_per_bit(bits: int) -> None:
    clean = sine(1 - 2.0 ** (1 - bits))  # The highest level that a two's complement has.
    damaged = round_uniform(clean, torch.tensor([bits]))
    assert snr_db(clean, damaged) == pytest.approx(6.02 * bits + 1.76, abs=0.3)


def test_lower_level_costs_its_crest_correction() -> None:
    clean = sine(0.25)
    assert snr_db(clean, round_uniform(clean, torch.tensor([10]))) == pytest.approx(6.02 * 10 + 1.76 - 12.04, abs=0.4)


def test_triangular_dither_costs_its_own_power_and_hides_the_signal_in_noise() -> None:
    clean = sine(0.9)
    damaged = Quantize(["uniform"], bits=8, dithered=1.0)(clean, RATE_HZ, seeded())
    plain = Quantize(["uniform"], bits=8)(clean, RATE_HZ, seeded())
    assert snr_db(clean, plain) - snr_db(clean, damaged) == pytest.approx(10 * np.log10(3), abs=0.3)
    faint = 0.4 / 128 * sine()  # Below half a step: lost by rounding alone.
    assert Quantize(["uniform"], bits=8)(faint, RATE_HZ, seeded()).eq(0).all()
    survived = Quantize(["uniform"], bits=8, dithered=1.0)(faint, RATE_HZ, seeded())
    assert float((survived * faint).sum() / faint.square().sum()) == pytest.approx(1, abs=0.1)


def test_uniform_levels_are_those_of_twos_complement() -> None:
    audio = torch.tensor([[[-2.0, -0.9, -0.1, 0.0, 0.3, 0.9]]])
    assert round_uniform(audio, torch.tensor([3])).flatten().tolist() == [-1.0, -1.0, 0.0, 0.0, 0.25, 0.75]


@pytest.mark.parametrize("bits", [4, 8])
def test_mu_law_equals_its_formula(bits: int) -> None:
    audio = np.linspace(-1.2, 1.2, 1001)
    levels = 2 ** (bits - 1) - 1
    compressed = np.sign(audio) * np.log1p(255 * np.minimum(np.abs(audio), 1)) / np.log(256)
    rounded = np.rint(compressed * levels) / levels
    expected = np.sign(rounded) * (256 ** np.abs(rounded) - 1) / 255
    ours = round_mu_law(torch.from_numpy(audio).view(1, 1, -1), torch.tensor([bits]))
    np.testing.assert_allclose(ours.flatten(), expected, atol=1e-12)


def test_mu_law_snr_hardly_depends_on_the_level() -> None:
    ratios = [snr_db(sine(peak), round_mu_law(sine(peak), torch.tensor([8]))) for peak in (1.0, 0.3, 0.1, 0.03)]
    assert min(ratios) > 33 and max(ratios) - min(ratios) < 6


@pytest.mark.parametrize("mode", ["hold", "hold_causal", "uniform", "mu_law"])
def test_input_is_unmodified_and_silence_stays_silent(mode: str) -> None:
    clean = torch.randn(4, 2, 997, generator=seeded())
    clean[2] = 0
    before = clean.clone()
    damaged = Quantize([mode])(clean, RATE_HZ, seeded())
    assert torch.equal(clean, before) and damaged[2].eq(0).all() and damaged.isfinite().all()


def test_same_seed_same_draws_and_examples_differ() -> None:
    clean = (0.3 * torch.randn(1, 1, 999, generator=seeded())).repeat(24, 1, 1)
    damaged = Quantize()(clean, RATE_HZ, seeded(3))
    assert torch.equal(damaged, Quantize()(clean, RATE_HZ, seeded(3)))
    assert len({round(snr_db(clean[:1], example), 3) for example in damaged}) > 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"modes": ["cubic"]}, "modes=.*hold, uniform, mu_law"),
        ({"modes": "hold"}, "modes='hold'"),
        ({"hold_factor": [0, 4]}, "hold_factor="),
        ({"bits": [1, 8]}, "bits=.*2 to 24"),
        ({"mu_law_bits": 7.5}, "mu_law_bits=7.5"),
        ({"dithered": -0.1}, "dithered=-0.1"),
    ],
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Quantize(**settings)
