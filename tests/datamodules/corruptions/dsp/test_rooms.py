"""Simulated rooms: their decay, the level of the direct sound, and the first walls."""

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.corruptions.dsp.rooms import simulate_responses

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reverberation_time_s(response: Tensor, sample_rate: int) -> float:
    """Fit the backward-integrated decay from -5 to -25 dB (Schroeder, 1965; ISO 3382-1, T20)."""
    energy = np.cumsum(response[1:].double().numpy()[::-1] ** 2)[::-1]
    decay_db = 10 * np.log10(energy / energy[0])
    part = slice(int(np.argmax(decay_db <= -5)), int(np.argmax(decay_db <= -25)))
    slope = np.polyfit(np.arange(len(decay_db))[part], decay_db[part], 1)[0]
    return float(-60 / slope / sample_rate)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
@pytest.mark.parametrize("t60_s", [0.2, 0.5, 1.0])
def test_simulated_rooms_decay_as_fast_as_asked(t60_s: float, sample_rate: int) -> None:
    responses = simulate_responses(torch.full((8,), t60_s), torch.zeros(8), sample_rate, seeded())
    for response in responses:
        assert reverberation_time_s(response, sample_rate) == pytest.approx(t60_s, rel=0.15)


def test_simulated_rooms_have_the_asked_direct_to_reverberant_ratio() -> None:
    drr_db = torch.tensor([-5.0, 0.0, 6.0])
    responses = simulate_responses(torch.tensor([0.3, 0.6, 1.0]), drr_db, RATE_HZ, seeded())
    assert responses[:, 0].eq(1).all()
    torch.testing.assert_close(-10 * responses[:, 1:].square().sum(1).log10(), drr_db, atol=0.01, rtol=0)


def test_first_wall_is_heard_as_a_single_early_reflection() -> None:
    early = simulate_responses(torch.full((4,), 0.5), torch.zeros(4), 48000, seeded())[:, 1:480]
    assert early.ne(0).sum(1).min() >= 1 and early.eq(0).float().mean() > 0.8
