"""How far a mean difference could be chance: paired bootstrap intervals that respect shared recordings and shared trainings.

Two methods scored on the same pairs are compared by their difference on each pair. Pairs cut from one recording are not
independent, so whole recordings are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
chapter 13 for percentile intervals; Field and Welsh, JRSS B 69, 2007, for clusters). Neither are the scores of one training:
of a method with several seeds, whole seeds are drawn too, independently of the recordings (Owen, The pigeonhole bootstrap,
Annals of Applied Statistics 1, 2007). A method with a single seed tells nothing of what another seed would change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 4000
LEVEL = 0.95
AT_ONCE = 16
"""Methods whose intervals are computed together: half a megabyte of draws, which stay in the cache of a core."""


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign of the mean is established at the level of the interval."""
        return self.low > 0 or self.high < 0


class Resampling:
    """Recordings and seeds drawn once, so that every comparison of a table is made on the same resampled test sets.

    Args:
        recordings: (N,) the recording of each pair; if all pairs come from one, single pairs are drawn instead.
        seeds: number of seeds S of each method.
        generator: the only source of randomness.
        draws: number of resampled sets D.
    """

    def __init__(
        self, recordings: Sequence[str], seeds: Mapping[str, int], generator: np.random.Generator, draws: int = DRAWS
    ) -> None:
        names, member = np.unique(np.asarray(recordings), return_inverse=True)
        self.member = member if len(names) > 1 else np.arange(len(recordings))
        self.counts = _drawn(int(self.member.max()) + 1, draws, generator)
        self.shares = {name: _drawn(count, draws, generator) / count for name, count in seeds.items()}

    def interval(self, one: str, other: str, scores: np.ndarray, others: np.ndarray) -> Interval | None:
        """Return the mean of the paired differences of two methods and its percentile interval.

        Args:
            one: the name of a method.
            other: the name of the method to subtract.
            scores: (S, N) of the one; NaN where a pair has no value.
            others: (S', N) of the other.

        Returns:
            The interval, or None if fewer than two recordings (or pairs, of one recording) have a value in every seed of both.
        """
        return self.intervals({one: scores}, other, others).get(one)

    def intervals(self, ones: Mapping[str, np.ndarray], other: str, others: np.ndarray) -> dict[str, Interval]:
        """Return the intervals of several methods by name; those that have none are left out; see `interval`.

        Args:
            ones: (S, N) of each method.
            other: the name of the method to subtract from each.
            others: (S', N) of that one.
        """
        alike: dict[bytes, list[str]] = {}
        of_other = ~np.isnan(others).any(axis=0)
        for name, scores in ones.items():
            alike.setdefault((of_other & ~np.isnan(scores).any(axis=0)).tobytes(), []).append(name)
        found: dict[str, Interval] = {}
        for mask, names in alike.items():
            known = np.frombuffer(mask, dtype=bool)
            if len(np.unique(self.member[known])) < 2:
                continue
            pairs, subtracted = self._sums(known[None])[0], self._of_seeds({other: others}, known)[0]
            mean = others[:, known].mean()
            for start in range(0, len(names), AT_ONCE):
                chosen = {name: ones[name] for name in names[start : start + AT_ONCE]}
                for name, low, high in zip(chosen, *bounds(self._of_seeds(chosen, known) - subtracted, pairs), strict=True):
                    found[name] = Interval(float(ones[name][:, known].mean() - mean), float(low), float(high))
        return found

    def _of_seeds(self, scores: Mapping[str, np.ndarray], known: np.ndarray) -> np.ndarray:
        """Sum the values of each method over the pairs and the seeds of every resampled set, (methods, D)."""
        sums = self._sums(np.concatenate([np.where(known, values, 0.0) for values in scores.values()]))
        lasts = np.cumsum([len(values) for values in scores.values()])[:-1]
        of_methods = zip(scores, np.split(sums, lasts), strict=True)
        return np.stack([np.einsum("sd,ds->d", of_seeds, self.shares[name]) for name, of_seeds in of_methods])

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Sum (S, N) values over the pairs of every resampled set, (S, D); through recordings, which may be far fewer."""
        totals = np.zeros((self.counts.shape[1], len(values)))
        np.add.at(totals, self.member, values.T)
        return np.asarray(totals.T @ self.counts.T)


def bounds(sums: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the bounds of percentile intervals of means.

    Args:
        sums: (methods, D), of differences over the pairs of every resampled set.
        pairs: (D,) there are in it; sets without one count for nothing.

    Returns:
        (2, methods).
    """
    means = sums / pairs if pairs.all() else sums[:, pairs > 0] / pairs[pairs > 0]
    return np.asarray(np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1, overwrite_input=True))


def _drawn(count: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Return how often each of some things is drawn when as many are drawn with replacement, (D, count)."""
    return generator.multinomial(count, np.full(count, 1 / count), size=draws).astype(float)
