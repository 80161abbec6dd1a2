"""Where the arrays of a cache lie: the directories of all its shards."""

import functools
from pathlib import Path

from datamodules.array_file import DamagedArrayError, Place
from datamodules.cache_format import CacheFormat
from datamodules.shard_file import SUFFIX, read_directory
from machine.parts import close_parts

_KEPT_DIRECTORIES = 1 << 16


class CacheIndex:
    """The places of all arrays in a folder as it is now; files that are open are closed, since they may have been replaced.

    Attributes:
        damaged: the shards that do not hold what was written, each with what is wrong with it.
        unread: those that the system does not let be read, with the reason.
    """

    def __init__(self, folder: Path) -> None:
        """Read what has not been read before.

        Raises:
            ValueError: if a folder has the name of a shard.
        """
        close_parts()
        self.damaged: dict[Path, str] = {}
        self.unread: dict[Path, str] = {}
        self._places: dict[str, list[Place]] = {}
        for path in _newest_first(folder):
            for key, place in self._directory(path).items():
                self._places.setdefault(key, []).append(place)

    def places(self, key: str) -> list[Place]:
        """Return where arrays of a key lie, the newest first: one that was made again stands before the one that was damaged."""
        return self._places.get(key, [])

    def has(self, audio_path: str, layout: CacheFormat) -> bool:
        """Say whether there is an array of an audio file, whole or not."""
        try:
            return bool(self.places(layout.key_of(audio_path)))
        except OSError:
            return False

    def _directory(self, path: Path) -> dict[str, Place]:
        if path.is_dir():
            raise ValueError(f"{path} is a folder where data.cache_dir keeps decoded audio; remove it")
        try:
            state = path.stat()
            return _read(path, state.st_size, state.st_mtime_ns, state.st_ino)
        except DamagedArrayError as error:
            self.damaged[path] = str(error)
        except OSError as error:
            self.unread[path] = f"cannot be opened: {os_reason(error)}"
        return {}


def os_reason(error: OSError) -> str:
    """Return what the system says about a file, without number and path."""
    return (error.strerror or str(error)).lower()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: (-_modified_ns(path), path.name))


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(_KEPT_DIRECTORIES)
def _read(path: Path, size: int, modified_ns: int, inode: int) -> dict[str, Place]:
    """Read the directory of a shard, again only when the file is another."""
    return read_directory(path)
