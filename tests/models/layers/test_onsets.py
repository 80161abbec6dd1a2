"""Sudden sounds: found at their sample, and a signal that goes on without them."""

import pytest
import torch
from torch import Tensor

from models.layers.onsets import Onsets, joined

RATE_HZ = 16_000
ONSETS = Onsets(RATE_HZ)


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


def with_bursts(*places: int, gain: float = 10.0, samples: int = 3 * RATE_HZ) -> Tensor:
    signal = noise(samples)
    for place in places:
        signal[:, place : place + 1000] *= gain
    return signal


@pytest.mark.parametrize("rate_hz", [4000, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("gain", [0.01, 1.0, 100.0])
def test_burst_sets_in_at_its_first_samples(rate_hz: int, gain: float) -> None:
    signal = noise(2 * rate_hz)
    signal[:, rate_hz : rate_hz + rate_hz // 10] *= 10
    found = Onsets(rate_hz).find(gain * signal).nonzero()
    assert found.shape == (1, 2) and abs(int(found[0, 1]) - rate_hz) <= rate_hz // 4000


@pytest.mark.parametrize("signal", [noise(40_000), torch.zeros(1, 40_000), torch.ones(1, 40_000), noise(1), noise(3)])
def test_nothing_sets_in_where_all_is_the_same(signal: Tensor) -> None:
    assert not ONSETS.find(signal).any()


def test_rise_of_5_db_and_a_fall_are_no_onsets() -> None:
    assert not ONSETS.find(with_bursts(20_000, gain=1.8)).any()
    falling = noise(40_000)
    falling[:, 20_000:] /= 100
    assert not ONSETS.find(falling).any()


def test_of_two_onsets_close_together_the_larger_one_counts() -> None:
    signal = with_bursts(20_000, 40_000)
    signal[:, 20_500:21_000] *= 10
    first, second = ONSETS.find(signal).nonzero()[:, 1].tolist()
    assert abs(first - 20_500) <= 4 and abs(second - 40_000) <= 4


def test_signal_goes_on_as_it_was_and_comes_back() -> None:
    signal = with_bursts(20_000)
    at = int(ONSETS.find(signal).nonzero()[0, 1])
    calm, _ = ONSETS.without(signal, ONSETS.find(signal))
    reach = 2**ONSETS.gone_on
    back = at + reach
    torch.testing.assert_close(calm[:, :at], signal[:, :at])
    torch.testing.assert_close(calm[:, back:], signal[:, back:])
    assert calm[0, at] == signal[0, at - 1]
    replaced = calm[:, at:back]
    assert replaced.square().mean() == pytest.approx(1.0, abs=0.05)
    late = slice(at + ONSETS.fade_samples, back)
    torch.testing.assert_close(calm[:, late], signal[:, at - reach + ONSETS.fade_samples : at], atol=1e-5, rtol=0)


def test_what_goes_on_behind_the_second_of_two_sounds_is_not_the_first_one() -> None:
    signal = with_bursts(20_000, 28_000)
    calm, _ = ONSETS.without(signal, ONSETS.find(signal))
    assert calm[:, 28_000:28_900].square().mean() == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("place", [0, 5, 80, 320, 800])
def test_what_had_no_quiet_time_before_it_is_no_onset(place: int) -> None:
    signal = with_bursts(20_000)
    signal[:, place : place + 2] = 100.0
    (found,) = ONSETS.find(signal).nonzero()[:, 1].tolist()
    assert abs(found - 20_000) <= 4
    calm, _ = ONSETS.without(signal, ONSETS.find(signal))
    assert calm[:, 20_000:28_000].abs().max() < 6, "the click does not come again"


@pytest.mark.parametrize(("apart_samples", "count"), [(1500, 1), (2500, 2)])
def test_onsets_are_a_tenth_of_a_second_apart(apart_samples: int, count: int) -> None:
    signal = noise(50_000)
    for place in (20_000, 20_000 + apart_samples):
        signal[:, place : place + 100] *= 10
    assert ONSETS.find(signal).sum() == count


def test_signal_goes_on_half_way_to_the_next_onset_only() -> None:
    signal = with_bursts(20_000, 26_000)
    first, second = ONSETS.find(signal).nonzero()[:, 1].tolist()
    calm, _ = ONSETS.without(signal, ONSETS.find(signal))
    half = (first + second + 1) // 2
    torch.testing.assert_close(calm[:, half:second], signal[:, half:second])
    assert not torch.equal(calm[:, half - 50 : half], signal[:, half - 50 : half])


def test_quarter_of_a_second_leads_up_to_an_onset() -> None:
    signal = with_bursts(20_000)
    at = int(ONSETS.find(signal).nonzero()[0, 1])
    _, weight = ONSETS.without(signal, ONSETS.find(signal))
    begin = at - ONSETS.led_up_samples
    assert not weight[:, :begin].any() and not weight[:, at:].any()
    assert (weight[:, begin + ONSETS.fade_samples : at] == 1).all()
    assert (weight[0, begin : begin + ONSETS.fade_samples].diff() > 0).all()


def test_what_is_louder_than_the_moment_before_leads_up_to_nothing() -> None:
    signal = with_bursts(20_000)
    signal[:, 17_000:17_600] *= 2
    at = int(ONSETS.find(signal).nonzero()[0, 1])
    _, weight = ONSETS.without(signal, ONSETS.find(signal))
    assert not weight[:, :17_500].any()
    assert (weight[:, 18_200:at] == 1).all()


def test_without_onsets_a_signal_stays_as_it_is() -> None:
    signal = noise(30_000)
    calm, weight = ONSETS.without(signal, torch.zeros_like(signal, dtype=torch.bool))
    assert torch.equal(calm, signal) and not weight.any()


def test_onset_at_the_very_start_and_end_gives_finite_signals() -> None:
    onsets = torch.zeros(1, 5000, dtype=torch.bool)
    onsets[:, [0, 1, 4999]] = True
    calm, weight = ONSETS.without(noise(5000), onsets)
    assert calm.isfinite().all() and ((weight >= 0) & (weight <= 1)).all()


def test_all_values_in_a_row_are_joined() -> None:
    values = noise(100)
    assert torch.equal(joined(values, 3, torch.maximum), values.unfold(-1, 8, 1).amax(dim=-1))
    torch.testing.assert_close(joined(values, 3, torch.add), values.unfold(-1, 8, 1).sum(dim=-1))
