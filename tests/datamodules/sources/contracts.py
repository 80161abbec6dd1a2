"""What every source promises (`datamodules.sources.Source`), as checks that say what to do when one is broken."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from datamodules.sources import Source
from datamodules.splits import SPLITS, Split

Build = Callable[[Path], Source]
"""Makes the source of a root."""


def must(source: Source, condition: object, promise: str) -> None:
    """Fail with a sentence unless a promise is kept."""
    if not condition:
        raise AssertionError(f"{type(source).__name__} {promise}")


def check_recordings(build: Build, root: Path) -> None:
    """What is listed is there, has a duration, and lies below the root; every split has something."""
    source = build(root)
    listed = source.recordings()
    paths = [Path(recording.path) for recording in listed]
    must(source, all(path.is_file() for path in paths), "lists files that are not there: leave them out and name them in skipped")
    pairs = [(recording.path, recording.corrupted) for recording in listed]
    must(source, len(set(pairs)) == len(pairs), "lists a file twice: it would count double, or be in two splits")
    partners = [Path(recording.corrupted) for recording in listed if recording.corrupted is not None]
    must(source, len(partners) in (0, len(listed)), "gives some recordings a partner and others none")
    must(source, all(path.is_file() for path in partners), "gives recordings partners that are not there")
    must(source, len(set(partners)) == len(partners), "gives two recordings the same partner")
    must(source, all(path.is_relative_to(source.root) for path in paths), "lists files outside of its root")
    must(source, all(recording.seconds > 0 for recording in listed), "lists recordings without a duration")
    must(source, {recording.split for recording in listed} == set(SPLITS), f"fills not all of {', '.join(SPLITS)}")


def check_order(build: Build, root: Path) -> None:
    """The order is the same in every listing."""
    first, again = build(root), build(root)
    listings = [first.recordings(), first.recordings(), again.recordings()]
    same = all(listing == listings[0] for listing in listings)
    must(first, same, "lists its recordings in another order every time: sort them, never by a set or the file system")


def check_groups(build: Build, root: Path) -> None:
    """No piece or speaker is in two splits."""
    source, splits = build(root), defaultdict(set)
    for recording in source.recordings():
        splits[recording.group].add(recording.split)
    torn = sorted(group for group, found in splits.items() if len(found) > 1)
    must(source, not torn, f"has {', '.join(torn)} in more than one split: split groups, never files or windows")


def check_official_splits(build: Build, root: Path, official: Mapping[str, Split]) -> None:
    """Every recording is in the split that the data set gives it."""
    source = build(root)
    found = {Path(recording.path).name: recording.split for recording in source.recordings()}
    moved = sorted(name for name, split in official.items() if found.get(name) != split)
    must(source, not moved, f"moves {', '.join(moved)} out of the official split: read it from the data set's own table")


def check_missing_root(build: Build, root: Path) -> None:
    """A root that cannot be used is refused with where was looked and the key to change."""
    source = build(root)
    try:
        source.recordings()
    except ValueError as error:
        must(source, str(source.root) in str(error), f"does not tell where it looked: name {source.root} in '{error}'")
        must(source, "data." in str(error), f"does not tell what to change: name the key, such as data.root, in '{error}'")
        return
    must(source, False, "accepts a root that is missing: raise a ValueError that names it and data.root")
