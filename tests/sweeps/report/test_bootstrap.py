"""Intervals have the width that theory gives them, and pairs of one recording do not pass for independent ones."""

import numpy as np
import pytest

from sweeps.report.bootstrap import Interval, mean_interval, resampling_weights


def weights(recordings: list[str], draws: int = 4000) -> np.ndarray:
    return resampling_weights(recordings, np.random.default_rng(0), draws)


def test_interval_of_independent_pairs_is_the_normal_one() -> None:
    differences = np.random.default_rng(1).normal(0.3, 2.0, 400)
    interval = mean_interval(differences, weights([str(n) for n in range(400)]))
    assert interval is not None
    half = 1.96 * differences.std() / np.sqrt(400)
    assert interval.mean == pytest.approx(differences.mean())
    assert interval.low == pytest.approx(differences.mean() - half, abs=0.05 * half + 0.01)
    assert interval.high == pytest.approx(differences.mean() + half, abs=0.05 * half + 0.01)


def test_windows_of_one_recording_do_not_narrow_the_interval() -> None:
    of_recordings = np.random.default_rng(2).normal(size=50)
    single = mean_interval(of_recordings, weights([str(n) for n in range(50)]))
    repeated = mean_interval(np.repeat(of_recordings, 8), weights([str(n // 8) for n in range(400)]))
    naive = mean_interval(np.repeat(of_recordings, 8), weights([str(n) for n in range(400)]))
    assert single is not None and repeated is not None and naive is not None
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=0.05)
    assert naive.high - naive.low < 0.5 * (repeated.high - repeated.low)


def test_every_resampled_set_draws_as_many_recordings_as_there_are() -> None:
    drawn = weights(["a", "a", "b", "c"], draws=100)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, 1:].sum(axis=1) == 3).all()


def test_pairs_of_a_single_recording_are_drawn_one_by_one() -> None:
    assert (weights(["a"] * 5, draws=100).sum(axis=1) == 5).all()
    assert len(set(weights(["a"] * 5, draws=100)[:, 0])) > 1


def test_constant_difference_has_no_width_and_an_unknown_one_no_interval() -> None:
    drawn = weights(["a", "b", "c"], draws=200)
    assert mean_interval(np.array([0.5, 0.5, np.nan]), drawn) == Interval(0.5, 0.5, 0.5)
    assert mean_interval(np.full(3, np.nan), drawn) is None


@pytest.mark.parametrize(("low", "high", "established"), [(0.1, 2, True), (-2, -0.1, True), (-0.1, 0.1, False), (0, 1, False)])
def test_sign_is_established_if_the_interval_excludes_zero(low: float, high: float, established: bool) -> None:
    assert Interval(0.0, low, high).excludes_zero is established
