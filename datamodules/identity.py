"""Tell whether a file is the one that was read before, although its size and its time of modification can be set at will."""

import hashlib
import os
from dataclasses import dataclass, replace
from typing import BinaryIO

_DIGEST_BYTES = 16
_SPOT_BYTES = 4096
_SPOTS = 8
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Identity:
    """What is remembered of a file.

    Attributes:
        changed_ns: the system's time of change (`st_ctime_ns`), which no program can set; on Windows that of creation.
        sample: 16 bytes, from its size and eight spots of 4 KiB.
        digest: 16 bytes, from all of it.
    """

    changed_ns: int
    sample: bytes
    digest: bytes


def identify(path: str) -> Identity:
    """Read a file once.

    Raises:
        OSError: if it cannot be read.
    """
    changed_ns = os.stat(path).st_ctime_ns
    with open(path, "rb") as stream:
        return Identity(changed_ns, _sample(stream), _digest(stream))


def confirmed(known: Identity, path: str) -> Identity | None:
    """Return the identity of a file that is as it was, with the system's time of change as it is now; None if it is another.

    The whole file is read only where the time of change is another one: after a change of rights or owner, for example.

    Raises:
        OSError: if the file cannot be read.
    """
    changed_ns = os.stat(path).st_ctime_ns
    with open(path, "rb") as stream:
        if _sample(stream) != known.sample:
            return None
        if changed_ns == known.changed_ns or _digest(stream) == known.digest:
            return replace(known, changed_ns=changed_ns)
    return None


def _sample(stream: BinaryIO) -> bytes:
    """Hash evenly spaced spots, the first bytes and the last ones among them."""
    size = stream.seek(0, os.SEEK_END)
    hashed = hashlib.sha256(str(size).encode())
    for spot in range(_SPOTS):
        stream.seek(max(0, size - _SPOT_BYTES) * spot // (_SPOTS - 1))
        hashed.update(stream.read(_SPOT_BYTES))
    return hashed.digest()[:_DIGEST_BYTES]


def _digest(stream: BinaryIO) -> bytes:
    stream.seek(0)
    hashed = hashlib.sha256()
    while part := stream.read(_READ_BYTES):
        hashed.update(part)
    return hashed.digest()[:_DIGEST_BYTES]
