"""What is in an archive, zip or tar, and whether all of it stays within the folder that it is unpacked into."""

import contextlib
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from machine.names import unstorable
from machine.system import takes_few_names

DAMAGE = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError, NotImplementedError, RuntimeError)
"""What the readers of Python raise where an archive is damaged, or of a kind they do not read."""


class ArchiveError(ValueError):
    """An archive that cannot be used, or must not be; the message names it."""


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        name: relative, with forward slashes.
        size_bytes: when unpacked.
    """

    name: str
    size_bytes: int


@contextlib.contextmanager
def opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    """Open an archive for reading.

    Raises:
        ArchiveError: if it is neither zip nor tar, is encrypted, or is damaged.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as content:
                yield content
        else:
            with tarfile.open(archive) as content:
                yield content
    except tarfile.ReadError as error:
        raise ArchiveError(f"{archive} is no zip or tar archive, or is cut off: {error}") from error


def listed(archive: Path, content: zipfile.ZipFile | tarfile.TarFile) -> list[Member]:
    """List the files of an archive, after a look at all of its members.

    Links that stay within are left out: what they lead to is unpacked anyway.

    Raises:
        ArchiveError: if a member would be written, or leads, out of the folder, is a device, is encrypted or comes twice.
    """
    members = _of_zip(archive, content) if isinstance(content, zipfile.ZipFile) else _of_tar(archive, content)
    seen: set[str] = set()
    for member in members:
        if member.name.casefold() in seen:
            raise ArchiveError(f"{archive} holds {member.name} twice; nothing was unpacked")
        seen.add(member.name.casefold())
    return members


def stream_of(content: zipfile.ZipFile | tarfile.TarFile, member: Member) -> IO[bytes]:
    """Open a file in an archive."""
    if isinstance(content, zipfile.ZipFile):
        return content.open(member.name)
    stream = content.extractfile(member.name)
    assert stream is not None  # Only links and folders have none.
    return stream


def _of_zip(archive: Path, content: zipfile.ZipFile) -> list[Member]:
    members = []
    for info in content.infolist():
        check_name(archive, info.orig_filename)
        check_name(archive, info.filename)
        if info.flag_bits & 1:
            raise ArchiveError(f"{archive} is encrypted ({info.filename}); unpack it with its password")
        if stat.S_ISLNK(info.external_attr >> 16):
            _check_link(archive, info.filename, content.read(info).decode(errors="surrogateescape"))
        elif not info.is_dir():
            members.append(Member(info.filename, info.file_size))
    return members


def _of_tar(archive: Path, content: tarfile.TarFile) -> list[Member]:
    members = []
    for info in content.getmembers():
        check_name(archive, info.name)
        if info.issym():
            _check_link(archive, info.name, info.linkname)
        elif info.islnk():
            check_name(archive, info.linkname)
        elif info.isfile():
            members.append(Member(info.name, info.size))
        elif not info.isdir():
            raise ArchiveError(f"{archive} holds {info.name}, which is no file, folder or link; nothing was unpacked")
    return members


def check_name(archive: Path, name: str) -> None:
    """Refuse a name that leads out of the folder that it is relative to, on any system.

    Raises:
        ArchiveError: if it is absolute, has a drive, goes up, or holds what no name may hold, here.
    """
    windows, parts = PureWindowsPath(name), PureWindowsPath(name).parts
    leads_out = name.startswith(("/", "\\")) or bool(windows.drive) or ".." in parts or ".." in PurePosixPath(name).parts
    flaws = [flaw for part in PurePosixPath(name).parts if (flaw := unstorable(part))] if takes_few_names() else []
    if flaws and not leads_out:
        raise ArchiveError(f"{archive} holds {name!r}, which {flaws[0]}: Windows cannot store it; nothing was unpacked")
    if leads_out or not name.strip() or any(ord(letter) < 32 for letter in name):
        raise ArchiveError(f"{archive} holds {name!r}, which leads out of the folder it is unpacked into; nothing was unpacked")


def _check_link(archive: Path, name: str, target: str) -> None:
    """Refuse a link whose target lies outside; targets are relative to the folder of the link."""
    depth = len(PurePosixPath(name).parts) - 1
    leads_out = target.startswith(("/", "\\")) or bool(PureWindowsPath(target).drive)
    for part in PureWindowsPath(target).parts:
        depth += -1 if part == ".." else 1
        leads_out = leads_out or depth < 0
    if leads_out:
        raise ArchiveError(f"{archive} holds the link {name!r} to {target!r}, out of its folder; nothing was unpacked")
