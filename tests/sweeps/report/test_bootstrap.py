"""Intervals have the width that theory gives them; pairs of one recording, and seeds, do not pass for independent ones."""

import numpy as np
import pytest

from sweeps.report.bootstrap import Interval, Resampling


def resampling(recordings: list[str], draws: int = 4000, **seeds: int) -> Resampling:
    return Resampling(recordings, {"one": 1, "zero": 1} | seeds, np.random.default_rng(0), draws)


def interval(differences: np.ndarray, recordings: list[str]) -> Interval:
    """Return the interval of known differences of two methods with a seed each."""
    found = resampling(recordings).interval("one", "zero", differences[None], np.zeros((1, len(differences))))
    assert found is not None
    return found


def test_interval_of_independent_pairs_is_the_normal_one() -> None:
    differences = np.random.default_rng(1).normal(0.3, 2.0, 400)
    found = interval(differences, [str(n) for n in range(400)])
    half = 1.96 * differences.std() / np.sqrt(400)
    assert found.mean == pytest.approx(differences.mean())
    assert found.low == pytest.approx(differences.mean() - half, abs=0.05 * half + 0.01)
    assert found.high == pytest.approx(differences.mean() + half, abs=0.05 * half + 0.01)


def test_windows_of_one_recording_do_not_narrow_the_interval() -> None:
    of_recordings = np.random.default_rng(2).normal(size=50)
    single = interval(of_recordings, [str(n) for n in range(50)])
    repeated = interval(np.repeat(of_recordings, 8), [str(n // 8) for n in range(400)])
    naive = interval(np.repeat(of_recordings, 8), [str(n) for n in range(400)])
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=0.05)
    assert naive.high - naive.low < 0.5 * (repeated.high - repeated.low)


def test_interval_of_seeds_that_differ_is_that_of_their_mean() -> None:
    of_seeds = np.random.default_rng(4).normal(size=40)
    scores = np.repeat(of_seeds[:, None], 6, axis=1)  # every pair alike: all that varies is the seed
    found = resampling(list("abcdef"), one=40).interval("one", "zero", scores, np.zeros((1, 6)))
    assert found is not None
    half = 1.96 * of_seeds.std() / np.sqrt(40)
    assert found.mean == pytest.approx(of_seeds.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)


def test_seeds_of_two_methods_are_drawn_apart_and_recordings_together() -> None:
    rng = np.random.default_rng(5)
    hardness = 10 * rng.normal(size=30)  # what both methods share cancels
    seeds = rng.normal(size=(2, 20))
    scores = [hardness + values[:, None] for values in seeds]
    found = resampling([str(n) for n in range(30)], one=20, zero=20).interval("one", "zero", *scores)
    assert found is not None
    half = 1.96 * np.sqrt((seeds[0].var() + seeds[1].var()) / 20)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.06)


def test_resampled_means_are_those_of_sets_drawn_by_hand() -> None:
    drawn = resampling(["a", "a", "b", "c"], draws=50, one=3)
    scores = np.random.default_rng(6).normal(size=(3, 4))
    by_hand = []
    for counts, shares in zip(drawn.counts, drawn.shares["one"], strict=True):
        pairs = [pair for pair, member in enumerate(drawn.member) for _ in range(int(counts[member]))]
        seeds = [seed for seed, share in enumerate(shares) for _ in range(round(3 * share))]
        by_hand.append(scores[np.ix_(seeds, pairs)].mean())
    found = drawn.interval("one", "zero", scores, np.zeros((1, 4)))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])))


def test_every_resampled_set_draws_as_many_recordings_as_there_are() -> None:
    drawn = resampling(["a", "a", "b", "c"], draws=100)
    assert drawn.member.tolist() == [0, 0, 1, 2]
    assert (drawn.counts.sum(axis=1) == 3).all()


def test_pairs_of_a_single_recording_are_drawn_one_by_one() -> None:
    drawn = resampling(["a"] * 5, draws=100)
    assert (drawn.counts.sum(axis=1) == 5).all()
    assert len(set(drawn.counts[:, 0])) > 1


def test_constant_difference_has_no_width_and_an_unknown_one_no_interval() -> None:
    assert interval(np.array([0.5, 0.5, np.nan]), ["a", "b", "c"]) == Interval(0.5, 0.5, 0.5)
    unknown = np.full((1, 3), np.nan)
    assert resampling(["a", "b", "c"], draws=200).interval("one", "zero", unknown, np.zeros((1, 3))) is None


@pytest.mark.parametrize(("low", "high", "established"), [(0.1, 2, True), (-2, -0.1, True), (-0.1, 0.1, False), (0, 1, False)])
def test_sign_is_established_if_the_interval_excludes_zero(low: float, high: float, established: bool) -> None:
    assert Interval(0.0, low, high).excludes_zero is established


@pytest.mark.parametrize(("recordings", "known"), [(["a"], [True]), (["a", "b"], [True, False]), (["a", "a"], [False, True])])
def test_a_single_value_has_no_interval(recordings: list[str], known: list[bool]) -> None:
    scores = np.where(known, 1.0, np.nan)[None]
    assert resampling(recordings).interval("one", "zero", scores, np.zeros((1, len(known)))) is None


def test_several_methods_have_the_intervals_that_each_has_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = resampling([str(n // 2) for n in range(12)], draws=500, two=3, some=1, none=1)
    rng = np.random.default_rng(3)
    scores = {"one": rng.normal(size=(1, 12)), "two": rng.normal(size=(3, 12)), "some": rng.normal(size=(1, 12))}
    scores["some"][0, :4] = np.nan
    scores["none"] = np.full((1, 12), np.nan)
    other = rng.normal(size=(1, 12))
    monkeypatch.setattr("sweeps.report.bootstrap.AT_ONCE", 1)
    alone = {name: drawn.interval(name, "zero", values, other) for name, values in scores.items()}
    monkeypatch.setattr("sweeps.report.bootstrap.AT_ONCE", 128)
    together = drawn.intervals(scores, "zero", other)
    assert alone.pop("none") is None
    assert {name: (found.mean, found.low, found.high) for name, found in together.items()} == {
        name: pytest.approx((found.mean, found.low, found.high)) for name, found in alone.items() if found is not None
    }
