"""The second look of a mask network: what of a change is taken back, and what the gains are estimated from."""

import pytest
import torch
from torch import Tensor

from models.layers.gain_stage import GainStage, bounded, energies, gain_features


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


def test_energies_are_those_before_and_after_a_sample() -> None:
    signal = torch.zeros(1, 2000)
    signal[0, 1000] = 3.0
    found = energies(signal)[0]
    past, future = found[:2000], found[-2000:]
    assert past.nonzero().flatten().tolist() == list(range(1000, 1512))
    assert future.nonzero().flatten().tolist() == list(range(489, 1001))
    assert set(found.tolist()) == {0.0, 9.0}


@pytest.mark.parametrize("samples", [1, 5, 700])
def test_what_takes_all_there_is_away_is_left_whole(samples: int) -> None:
    given = noise(samples)
    torch.testing.assert_close(bounded(-given, given), -given)
    assert not bounded(2 * given, given).any()


def test_change_that_leaks_past_a_step_of_the_level_is_taken_back_from_there_on() -> None:
    given, change = noise(6000), 0.5 * noise(6000, seed=1)
    given[:, 3000:] /= 100
    left = bounded(change, given)
    torch.testing.assert_close(left[:, :2850], change[:, :2850])
    assert not left[:, 3000:].any()


def test_gains_know_no_level_and_tell_what_was_taken_away() -> None:
    x, y = (torch.stft(noise(4000, seed), 64, 16, window=torch.hann_window(64), return_complex=True) for seed in (0, 1))
    torch.testing.assert_close(gain_features(x / 2, y / 2), gain_features(x, y), atol=1e-3, rtol=0)
    found = gain_features(x, 1j * x / torch.e)
    torch.testing.assert_close(found[:, 1], torch.full_like(found[:, 1], -0.5))
    torch.testing.assert_close(found[:, 2], torch.zeros_like(found[:, 2]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[:, 3], torch.ones_like(found[:, 3]))


def test_untrained_stage_adds_nothing() -> None:
    x, y = noise(1000), noise(1000, seed=1)
    assert not GainStage(3, 64, 16)(x, y).any()
