"""Assign groups of recordings to train, val and test by a hash, so that a piece or a speaker is never in two of them."""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Literal

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

TRAIN_SHARE = 0.8
VAL_SHARE = 0.1

_SPLIT_OF_NAME: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
}


def hash_fraction(label: str) -> float:
    """Return a number in [0, 1) that depends on the label alone, on every machine and in every Python version.

    Args:
        label: any text, names of files that are not valid UTF-8 included; composed and decomposed letters are equal.
            Python's own `hash` would change from process to process.
    """
    composed = unicodedata.normalize("NFC", label)
    return int.from_bytes(hashlib.sha256(composed.encode("utf-8", "surrogateescape")).digest()[:8], "big") / 2**64


def split_groups(groups: Iterable[str]) -> dict[str, Split]:
    """Assign 80 % of the groups to train, 10 % to val and 10 % to test.

    A group's split depends on its own hash alone, so that adding recordings moves none of the others. Only where that
    would leave a split empty, as it often does below twenty groups, the largest split gives it the group of highest hash.

    Args:
        groups: names of pieces, speakers, albums or files; repetitions are allowed.

    Returns:
        The split of each group. Fewer than three groups cannot fill three splits.
    """
    ordered = sorted(set(groups), key=lambda group: (hash_fraction(group), group))
    splits = {group: _split_of_fraction(hash_fraction(group)) for group in ordered}
    for missing in (split for split in SPLITS if split not in splits.values()):
        donor = max(SPLITS, key=lambda split: list(splits.values()).count(split))
        members = [group for group in ordered if splits[group] == donor]
        if len(members) > 1:
            splits[members[-1]] = missing
    return splits


def parse_split(name: str, where: str) -> Split:
    """Read the name of a split as data sets write it.

    Args:
        name: such as `train`, `val`, `validation` or `test`, in any case.
        where: the file that it was read from, for the error message.

    Raises:
        ValueError: if the name is unknown.
    """
    split = _SPLIT_OF_NAME.get(name.strip().lower())
    if split is None:
        raise ValueError(f"{where}: unknown split {name!r}; known: {', '.join(_SPLIT_OF_NAME)}")
    return split


def _split_of_fraction(fraction: float) -> Split:
    if fraction < TRAIN_SHARE:
        return "train"
    return "val" if fraction < TRAIN_SHARE + VAL_SHARE else "test"
