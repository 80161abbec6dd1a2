"""Work through many files with a progress bar, one by one or in threads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from machine.system import usable_processors

_MOST_THREADS = 16  # Each holds a block of audio; disks gain nothing beyond this.

Item = TypeVar("Item")
Result = TypeVar("Result")


def tracked(items: Iterable[Item], total: int, description: str) -> Iterator[Item]:
    """Pass the items on and show how many have been taken.

    Nothing is shown where the output is no terminal, or there is nothing to do.

    Args:
        items: what to work on.
        total: how many there are.
        description: shown beside the progress bar.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not (console.is_terminal and total)) as progress:
        yield from progress.track(items, total=total, description=description)


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item], description: str) -> list[Result]:
    """Apply a function to every item, as many at a time as there are processors.

    Threads are enough: libsndfile and SoX's resampler run outside Python's global lock.

    Args:
        function: called once per item, in any order.
        items: what to work on.
        description: shown beside the progress bar.

    Returns:
        The results in the order of the items. The first exception stops what has not begun and is raised.
    """
    with ThreadPoolExecutor(min(_MOST_THREADS, usable_processors())) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in tracked(as_completed(futures), len(futures), description):
                future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return [future.result() for future in futures]


def map_unknown(
    recall: Callable[[Item], Result | None], find: Callable[[Item], Result], items: Sequence[Item], description: str
) -> list[Result]:
    """Apply one function to every item, and another, as `parallel_map` does, to those of which the first knows nothing.

    Args:
        recall: fast; None: nothing is known.
        find: called once per item of which nothing is known.
        items: what to work on.
        description: shown beside the progress bar.

    Returns:
        The results in the order of the items.
    """
    known = [recall(item) for item in items]
    found = iter(parallel_map(find, [item for item, value in zip(items, known, strict=True) if value is None], description))
    return [next(found) if value is None else value for value in known]
