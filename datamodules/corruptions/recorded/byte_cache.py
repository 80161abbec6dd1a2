"""Keep the arrays that were used last, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np


class ByteCache:
    """Arrays by name; those that were not used for longest make room for new ones.

    `functools.lru_cache` counts entries, which says nothing of the memory where they differ in size.
    """

    def __init__(self, budget_bytes: int) -> None:
        """Start empty.

        Args:
            budget_bytes: what the arrays may take together; a single larger one is kept alone.
        """
        self._budget_bytes = budget_bytes
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._bytes = 0

    def get(self, name: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array of a name, made anew where it is not kept; it must not be modified."""
        if name in self._arrays:
            self._arrays.move_to_end(name)
            return self._arrays[name]
        array = make()
        self._arrays[name] = array
        self._bytes += array.nbytes
        while self._bytes > self._budget_bytes and len(self._arrays) > 1:
            self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
