"""Unpack an archive into a folder, file by file, so that what was interrupted goes on where it stopped."""

import hashlib
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from datamodules.archives.members import DAMAGE, ArchiveError, Member, listed, opened, stream_of
from datamodules.audio.output import OutputError, check_folder, replaced_when_done
from datamodules.audio.partial import output_errors
from datamodules.parallel import tracked

_SPARE_BYTES = 100_000_000  # Left free on the disk.
_BLOCK_BYTES = 1 << 20
_HASHES = {32: "md5", 40: "sha1", 64: "sha256"}


class _DamagedMemberError(Exception):
    """A file that is not what the archive says."""


def check_checksum(archive: Path, checksum: str) -> None:
    """Refuse an archive that has another checksum than the one given.

    Args:
        archive: the file.
        checksum: in hexadecimal digits; 32 are an MD5, 40 a SHA-1, 64 a SHA-256.

    Raises:
        ArchiveError: if it differs, or is none of these.
    """
    kind = _HASHES.get(len(checksum))
    if kind is None or not all(digit in "0123456789abcdefABCDEF" for digit in checksum):
        raise ArchiveError(f"--checksum {checksum} must be an MD5, SHA-1 or SHA-256 of 32, 40 or 64 hexadecimal digits")
    with open(archive, "rb") as stream:
        found = hashlib.file_digest(stream, kind).hexdigest()
    if found != checksum.lower():
        raise ArchiveError(f"{archive} has {kind} {found}, not {checksum.lower()}; get it again")


def unpack(archive: Path, folder: Path) -> tuple[int, list[str]]:
    """Unpack what is not there yet.

    A file is written beside its final name and renamed when its size and, of zip archives, its CRC are right. So a file of the
    right size is whole; of zip archives its CRC is compared too.

    Args:
        archive: zip or tar, of any compression that Python reads.
        folder: is made.

    Returns:
        How many files it holds, and a sentence for each that is damaged in it.

    Raises:
        ArchiveError: if it cannot be used, or must not be; see `members`.
        OutputError: if the folder or the disk does not take it.
    """
    if not archive.is_file():
        raise ArchiveError(f"{archive} is not there, or no file; --from takes zip and tar archives")
    check_folder(folder)
    try:
        with opened(archive) as content:
            members = listed(archive, content)
            missing = [member for member in members if not _is_there(content, member, folder)]
            _check_space(folder, sum(member.size_bytes for member in missing))
            problems = [
                problem
                for member in tracked(missing, len(missing), f"Unpacking {archive.name}")
                if (problem := _unpack(archive, content, member, folder))
            ]
    except (ArchiveError, OutputError):
        raise
    except DAMAGE as error:
        raise ArchiveError(f"{archive} is damaged, or of a kind that is not read: {error}") from error
    return len(members), problems


def _is_there(content: zipfile.ZipFile | tarfile.TarFile, member: Member, folder: Path) -> bool:
    path = folder / member.name
    if not path.is_file() or path.stat().st_size != member.size_bytes:
        return False
    return not isinstance(content, zipfile.ZipFile) or _crc(path) == content.getinfo(member.name).CRC


def _crc(path: Path) -> int:
    checksum = 0
    with open(path, "rb") as stream:
        while part := stream.read(_BLOCK_BYTES):
            checksum = zlib.crc32(part, checksum)
    return checksum


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size + _SPARE_BYTES > free:
        raise ArchiveError(f"{folder} has {free / 1e9:.2f} GB free, but {(size + _SPARE_BYTES) / 1e9:.2f} GB are needed")


def _unpack(archive: Path, content: zipfile.ZipFile | tarfile.TarFile, member: Member, folder: Path) -> str:
    """Write one file; return what is wrong with it in the archive."""
    path = folder / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise ArchiveError(f"{path.parent} is a link out of {folder}; remove it")
    try:
        with replaced_when_done(path) as temporary, output_errors(path), open(temporary, "wb") as target:
            for part in _parts(content, member):
                target.write(part)
    except _DamagedMemberError as error:
        return f"{member.name} in {archive} is damaged: {error}"
    return ""


def _parts(content: zipfile.ZipFile | tarfile.TarFile, member: Member) -> Iterator[bytes]:
    """Yield the content of a file.

    Raises:
        _DamagedMemberError: at its end at the latest, if it is not what the archive says.
    """
    count = 0
    try:
        with stream_of(content, member) as stream:
            while part := stream.read(_BLOCK_BYTES):
                count += len(part)
                yield part
    except DAMAGE as error:
        raise _DamagedMemberError(str(error)) from error
    if count != member.size_bytes:
        raise _DamagedMemberError(f"it has {count} bytes in place of {member.size_bytes}")
