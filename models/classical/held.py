"""Samples that a hold repeats: how many show one value, and where such blocks begin."""

import numpy as np


def held_blocks(signal: np.ndarray) -> tuple[int, int]:
    """Guess how many samples show one value, from the places at which the value changes.

    Values that happen to be equal leave out a change, which does not matter: the guess is the greatest common divisor of the
    distances of all changes.

    Args:
        signal: (C, T); a block begins at the same place in all channels.

    Returns:
        The samples of a block and the first sample that begins one; (1, 0) where there are no blocks.

    >>> held_blocks(np.array([[1.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 5.0]]))
    (3, 1)
    """
    changes = np.flatnonzero((np.diff(signal, axis=1) != 0).any(axis=0)) + 1
    factor = int(np.gcd.reduce(np.diff(changes))) if len(changes) > 1 else 1
    return (factor, int(changes[0]) % factor) if factor > 1 else (1, 0)


def blocks_of(signal: np.ndarray, factor: int | None) -> tuple[int, int]:
    """Return the samples of a block and the first one: known, then beginning with the signal, or a guess.

    Args:
        signal: (C, T).
        factor: None if it is not known.
    """
    return held_blocks(signal) if factor is None else (factor, 0)
