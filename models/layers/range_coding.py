"""Whole numbers as bits and back: an arithmetic coder with a table of frequencies (Witten, Neal and Cleary 1987).

Only what stands in the bytes is needed to decode, so their number is a rate, and no estimate of one.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

TOP = 1 << 32
HALF, QUARTER = TOP // 2, TOP // 4


def encoded(values: Sequence[int]) -> bytes:
    """Return whole numbers as bytes: a table of how often each occurs, packed, and the code itself.

    Args:
        values: at least one.

    >>> decoded(encoded([0, 3, 0, 0, -1]))
    [0, 3, 0, 0, -1]
    """
    counts = _counted(values)
    table = zlib.compress(json.dumps([[*counts], [*counts.values()]], separators=(",", ":")).encode(), 9)
    bits = "".join(_bits(values, counts))
    body = int(bits + "0" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
    return len(table).to_bytes(4, "big") + table + body


def decoded(content: bytes) -> list[int]:
    """Return the numbers that `encoded` was given."""
    size = int.from_bytes(content[:4], "big")
    symbols, counts = json.loads(zlib.decompress(content[4 : 4 + size]))
    ends = [0, *accumulate(counts)]
    total, stream = ends[-1], _stream(content[4 + size :])
    low, high, value = 0, TOP - 1, int("".join(next(stream) for _ in range(32)), 2)
    found = []
    for _ in range(total):
        span = high - low + 1
        place = bisect_right(ends, ((value - low + 1) * total - 1) // span) - 1
        found.append(symbols[place])
        low, high = low + span * ends[place] // total, low + span * ends[place + 1] // total - 1
        while (less := _less(low, high)) is not None:
            low, high, value = 2 * (low - less), 2 * (high - less) + 1, 2 * (value - less) + int(next(stream))
    return found


def _counted(values: Sequence[int]) -> dict[int, int]:
    counts = dict.fromkeys(sorted(set(values)), 0)
    for value in values:
        counts[value] += 1
    return counts


def _bits(values: Sequence[int], counts: dict[int, int]) -> Iterator[str]:
    ends = dict(zip(counts, accumulate(counts.values()), strict=True))
    total, low, high, waiting = len(values), 0, TOP - 1, 0
    for value in values:
        span = high - low + 1
        low, high = low + span * (ends[value] - counts[value]) // total, low + span * ends[value] // total - 1
        while (less := _less(low, high)) is not None:
            if less == QUARTER:
                waiting += 1
            else:
                yield _with_waiting("1" if less else "0", waiting)
                waiting = 0
            low, high = 2 * (low - less), 2 * (high - less) + 1
    yield _with_waiting("0" if low < QUARTER else "1", waiting + 1)


def _less(low: int, high: int) -> int | None:
    """Return what to take off before both are doubled; None while they are far enough apart."""
    if high < HALF:
        return 0
    if low >= HALF:
        return HALF
    return QUARTER if low >= QUARTER and high < HALF + QUARTER else None


def _with_waiting(bit: str, waiting: int) -> str:
    return bit + ("1" if bit == "0" else "0") * waiting


def _stream(body: bytes) -> Iterator[str]:
    for byte in body:
        yield from f"{byte:08b}"
    while True:
        yield "0"
