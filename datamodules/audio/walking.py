"""Go through a folder of audio: links to folders are followed once, and what is hidden is left out."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def walk(
    root: Path, told: Callable[[OSError], None], is_left_out: Callable[[Path], bool] = lambda folder: False
) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folders at any depth with the names of their files, in alphabetical order; hidden ones are the `._` of macOS too.

    Args:
        root: the folder to begin with.
        told: is told of each folder that cannot be read.
        is_left_out: says which folders are not entered.
    """
    visited: set[str] = set()
    for place, children, names in os.walk(root, followlinks=True, onerror=told):
        real, folder = os.path.realpath(place), Path(place)
        if real in visited:  # a link led back
            children.clear()
            continue
        visited.add(real)
        children[:] = sorted(name for name in children if not (name.startswith(".") or is_left_out(folder / name)))
        yield folder, sorted(name for name in names if not name.startswith("."))
