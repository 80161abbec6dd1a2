"""Probes of methods of which is known what they do."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.probes.collection import check_probes, offered_probes
from lightning_modules.metrics.probes.pairs import noharm_db, si_sdr_quiet_db
from lightning_modules.metrics.probes.preecho import noise_and_burst, preecho_db
from lightning_modules.metrics.probes.subject import Pairs, Subject
from lightning_modules.metrics.probes.two_samples import c2st
from lightning_modules.metrics.registry import computed_in
from lightning_modules.metrics.snr import si_sdr_db

RATE_HZ = 8000
Method = Callable[[Tensor], Tensor]


def noise(seed: int, samples: int = 2 * RATE_HZ) -> Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


def pairs(count: int = 12, recordings: int = 4) -> Pairs:
    """Make pairs of brown noise and the same with white noise."""
    cleans = [(cleaned := noise(seed).cumsum(dim=-1) / 20) - cleaned.mean() for seed in range(count)]
    data = [{"clean": clean, "corrupted": clean + noise(100 + seed) / 10} for seed, clean in enumerate(cleans)]
    return Pairs(data, {index: f"{index % recordings}.wav" for index in range(count)})


def subject(restorer: Method, of: Pairs | None = None) -> Subject:
    return Subject(restorer, RATE_HZ, 1, pairs() if of is None else of)


def untouched(signal: Tensor) -> Tensor:
    return signal


def by_level(signal: Tensor) -> Tensor:
    """Silence what is 20 dB below the level of the whole signal."""
    level = signal.square().mean(dim=-1, keepdim=True).sqrt()
    return torch.where(signal.abs() > level / 10, signal, 0.0)


def shifted_mean(samples: int) -> Method:
    """Return a denoiser that opens where the loudness of the next `samples` is high, and leaves a tenth elsewhere."""

    def opens(signal: Tensor) -> Tensor:
        ahead = torch.nn.functional.pad(signal.abs(), (0, samples))
        loud = torch.nn.functional.max_pool1d(ahead, samples + 1, stride=1) > 0.08
        return torch.where(loud, signal, 0.1 * signal)

    return opens


def test_whoever_does_nothing_does_no_harm() -> None:
    assert noharm_db(subject(untouched)) == 100.0
    assert noharm_db(subject(lambda signal: 0.5 * signal)) == 100.0


def test_harm_is_the_distortion_of_clean_signals() -> None:
    added = noise(7).unsqueeze(0) / 30
    of = pairs(3)
    expected = sum(si_sdr_db(pair.clean[None] + added, pair.clean[None]).item() for pair in of) / 3
    assert noharm_db(subject(lambda signal: signal + added, of)) == pytest.approx(expected, abs=1e-4)


def test_harm_is_measured_on_eight_pairs_evenly_spread() -> None:
    seen = []
    noharm_db(subject(lambda signal: seen.append(signal) or signal, pairs(24)))
    assert [pair.tolist() for pair in seen] == [pairs(24).dataset[3 * place]["clean"][None].tolist() for place in range(8)]


def test_quiet_passage_of_whoever_looks_at_no_level_is_as_the_loud_one() -> None:
    of = pairs(8)
    expected = sum(si_sdr_db(pair.corrupted[None], pair.clean[None]).item() for pair in of) / 8
    assert si_sdr_quiet_db(subject(untouched, of)) == pytest.approx(expected, abs=1e-3)
    assert si_sdr_quiet_db(subject(lambda signal: signal**3 * 0 + signal, of)) == pytest.approx(expected, abs=1e-3)


def test_quiet_passage_is_lost_by_whoever_looks_at_the_level_of_the_whole() -> None:
    assert si_sdr_quiet_db(subject(by_level)) == -100.0


def test_burst_is_20_db_above_the_noise_and_a_quarter_of_a_second_long() -> None:
    signal = noise_and_burst(RATE_HZ, 2, torch.Generator().manual_seed(0)).double()
    before, burst, after = signal[:, :32000], signal[:, 32000:34000], signal[:, 34000:]
    power = before.square().mean()
    assert 10 * math.log10(burst.square().mean() / power) == pytest.approx(20, abs=0.2)
    assert 10 * math.log10(after.square().mean() / power) == pytest.approx(0, abs=0.2)
    assert torch.fft.rfft(burst).abs()[0].argmax() == 250


def test_preecho_is_zero_for_the_untouched_input_and_for_a_denoiser_that_does_not_look_ahead() -> None:
    assert preecho_db(subject(untouched)) == pytest.approx(0, abs=0.3)
    assert preecho_db(subject(shifted_mean(0))) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize(("milliseconds", "share"), [(50, 0.25), (100, 0.5), (200, 1.0)])
def test_preecho_is_what_a_denoiser_that_looks_ahead_lets_through(milliseconds: int, share: float) -> None:
    expected = 10 * math.log10(share + (1 - share) / 100) + 20
    assert preecho_db(subject(shifted_mean(8 * milliseconds))) == pytest.approx(expected, abs=0.4)


def test_preecho_of_silence_is_none_and_of_nan_has_no_value() -> None:
    assert preecho_db(subject(torch.zeros_like)) == 0.0
    assert math.isnan(preecho_db(subject(lambda signal: signal * math.nan)))


def test_clean_sound_cannot_be_told_from_clean_sound() -> None:
    clean = {index: pair["clean"] for index, pair in enumerate(pairs().dataset)}
    same = Pairs([{"clean": signal, "corrupted": signal} for signal in clean.values()], pairs().recordings)
    assert c2st(subject(untouched, same)) == 50.0


def test_other_draws_of_the_same_sound_are_guesses() -> None:
    drawn = [{"clean": noise(2 * seed), "corrupted": noise(2 * seed + 1)} for seed in range(24)]
    assert c2st(subject(untouched, Pairs(drawn, {index: str(index % 8) for index in range(24)}))) < 62


def test_damaged_sound_is_told_from_clean_sound_again_and_again_alike() -> None:
    value = c2st(subject(untouched))
    assert value > 95
    torch.manual_seed(5)
    assert c2st(subject(untouched)) == value


def test_classifier_is_asked_about_recordings_that_it_has_not_seen() -> None:
    assert math.isnan(c2st(subject(untouched, pairs(4, recordings=1))))
    marked = []  # the recording alone says which is clean: half of them are louder, half softer than their restoration
    for index in range(16):
        clean = noise(index)
        marked.append({"clean": clean, "corrupted": clean * (2.0 if index % 2 else 0.5)})
    assert c2st(subject(untouched, Pairs(marked, {index: str(index) for index in range(16)}))) < 80


def test_probes_have_functions_and_are_offered_by_rate() -> None:
    assert list(offered_probes(RATE_HZ)) == list(computed_in("probe"))
    assert "preecho_db" not in offered_probes(2000)
    with pytest.raises(LookupError, match="c2st: a probe needs a line"):
        check_probes(dict.fromkeys({*computed_in("probe")} - {"c2st"}))
