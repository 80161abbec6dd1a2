"""How far a mean difference over test pairs could be chance: paired bootstrap intervals that respect shared recordings.

Two methods scored on the same pairs are compared by their difference on each pair. Pairs cut from one recording are not
independent, so whole recordings are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
chapter 13 for percentile intervals; Field and Welsh, JRSS B 69, 2007, for clusters).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 4000
LEVEL = 0.95


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


def resampling_weights(recordings: Sequence[str], generator: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """Draw how often each pair counts in each resampled test set.

    Args:
        recordings: (N,) the recording of each pair; if all pairs come from one, single pairs are drawn instead.
        generator: the only source of randomness.
        draws: number of resampled sets D.

    Returns:
        (D, N) whole numbers.
    """
    names, member = np.unique(np.asarray(recordings), return_inverse=True)
    if len(names) == 1:
        member = np.arange(len(recordings))
    clusters = int(member.max()) + 1
    counts = generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws)  # (D, clusters)
    return counts[:, member]


def mean_interval(differences: np.ndarray, weights: np.ndarray) -> Interval | None:
    """Return the mean of paired differences and its percentile interval.

    Args:
        differences: (N,) one per pair; NaN where a pair has no value.
        weights: (D, N) from `resampling_weights`.

    Returns:
        The interval, or None if no pair has a value.
    """
    known = ~np.isnan(differences)
    if not known.any():
        return None
    counts = weights[:, known].sum(axis=1)
    means = (weights[:, known] @ differences[known])[counts > 0] / counts[counts > 0]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(differences[known].mean()), float(low), float(high))
