"""Find recordings of equal content, whatever their names, containers and tags, and keep each of them in one split.

Recordings are equal if they have the same rate and decoded samples in every channel; channels that all say the same count as
one. Another lossy encoding of the same music, another level and another rate are other content.
"""

import hashlib
import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.io import AudioFileError, probe
from datamodules.audio.stream import read_blocks
from datamodules.parallel import map_unknown
from datamodules.sources import Recording
from datamodules.splits import Split, split_groups

_BLOCK_SAMPLES = 1 << 14
_HELD_OUT_FIRST: tuple[Split, ...] = ("test", "val", "train")

log = logging.getLogger(__name__)


def keep_together(recordings: Sequence[Recording], facts: FileFacts = NO_FACTS) -> list[Recording]:
    """Bring equal recordings into one split and say in a line how many there are.

    Where the data set decides the splits, only the copies in the split that is held out most stay (test before val before
    train). Where the hash decides, the groups of equal recordings become one.

    Returns:
        The recordings that stay, in the same order.
    """
    distinct = list({item.path: item for item in recordings}.values())
    sets = [*equal_recordings(distinct, facts), *_equal_partners(recordings, facts)]
    dropped = {copy.path for equal in sets for copy in _misplaced(equal)}
    kept = [recording for recording in recordings if recording.path not in dropped]
    merged = _merge_groups(kept, [[item.group for item in equal if item.by_hash and item.path not in dropped] for equal in sets])
    if sets:
        copies = len({copy.path for equal in sets for copy in equal[1:]})
        example = " and ".join(item.path for item in sets[0][:2])
        log.warning(
            "%d of %d recordings are copies of others (e.g. %s): equal ones share a split, %d of other splits are left out; "
            "data.allow_duplicates=true uses all as they are",
            copies, len(recordings), example, len(dropped),
        )  # fmt: skip
    return merged


def _equal_partners(recordings: Sequence[Recording], facts: FileFacts) -> list[list[Recording]]:
    """Return the sets of recordings whose corrupted partners are of equal content."""
    owner = {item.corrupted: item for item in recordings if item.corrupted is not None}
    partners = [replace(item, path=path) for path, item in owner.items()]
    owners = [{owner[partner.path].path: owner[partner.path] for partner in equal} for equal in equal_recordings(partners, facts)]
    return [list(members.values()) for members in owners if len(members) > 1]


def equal_recordings(recordings: Sequence[Recording], facts: FileFacts = NO_FACTS) -> list[list[Recording]]:
    """Return the sets of two and more recordings of equal content.

    Only what has the same duration is decoded, at first its beginning, and what still agrees to the end, unless it is known.
    """
    sets = _divide([list(recordings)], lambda members: [recording.seconds for recording in members])
    for blocks, text in ((1, "Comparing beginnings"), (None, "Comparing recordings")):
        sets = _divide(sets, partial(_digests, blocks=blocks, text=text, facts=facts))
    return sets


def _divide(sets: Iterable[list[Recording]], keys_of: Callable[[list[Recording]], Sequence[Hashable]]) -> list[list[Recording]]:
    """Divide sets by a key of all their members, and leave out what is alone or has none."""
    flat = [(number, recording) for number, members in enumerate(sets) for recording in members]
    divided: dict[Hashable, list[Recording]] = {}
    for (number, recording), key in zip(flat, keys_of([recording for _, recording in flat]), strict=True):
        if key is not None:
            divided.setdefault((number, key), []).append(recording)
    return [members for members in divided.values() if len(members) > 1]


def _digests(recordings: Sequence[Recording], blocks: int | None, text: str, facts: FileFacts) -> list[str | None]:
    """Return what `_digest` says of recordings, which is remembered."""
    kind = "samples" if blocks is None else f"first {blocks * _BLOCK_SAMPLES} samples"

    def find(recording: Recording) -> str | None:
        seen, digest = facts.look(recording.path), _digest(recording.path, blocks)
        if digest is not None:
            seen.remember(kind, digest)
        return digest

    return map_unknown(lambda recording: facts.look(recording.path).recall(kind), find, recordings, text)


def _digest(path: str, blocks: int | None) -> str | None:
    """Hash the rate and the first blocks of a file, or all; None for a damaged file."""
    try:
        hashed = hashlib.sha256(str(probe(path).sample_rate_hz).encode())
        for block in islice(_float32_blocks(path), blocks):
            hashed.update(block)
    except AudioFileError:
        return None
    return hashed.hexdigest()[:32]


def _float32_blocks(path: str) -> Iterator[bytes]:
    """Yield the channels of each block, in front of them their number; a single one where they all say the same."""
    for block in read_blocks(path, _BLOCK_SAMPLES):
        samples = block.astype(np.float32) + 0.0  # The sum turns negative zeros of float files into positive ones.
        distinct = samples[:1] if (samples == samples[:1]).all() else samples
        yield len(distinct).to_bytes(2, "big") + distinct.T.tobytes()


def _misplaced(equal: list[Recording]) -> list[Recording]:
    """Return the copies that would be in two splits, given the splits that the data set decides."""
    fixed = {recording.split for recording in equal if not recording.by_hash}
    if not fixed:
        return []
    home = next(split for split in _HELD_OUT_FIRST if split in fixed)
    return [recording for recording in equal if recording.by_hash or recording.split != home]


def _merge_groups(recordings: list[Recording], linked: Iterable[list[str]]) -> list[Recording]:
    """Give all groups of a chain of links the name of the first of them, and decide by the hash again."""
    name_of = {recording.group: recording.group for recording in recordings if recording.by_hash}
    for groups in linked:
        names = {name_of[group] for group in groups}
        name_of |= {group: min(names) for group, name in name_of.items() if name in names}
    if all(name == group for group, name in name_of.items()):
        return recordings
    splits = split_groups(name_of.values())
    return [
        replace(item, group=name_of[item.group], split=splits[name_of[item.group]]) if item.by_hash else item
        for item in recordings
    ]
