"""Open an audio file for reading, with whatever decodes it, after checking that it is what its name says."""

import contextlib
import os
from collections.abc import Iterator, Sequence

import soundfile

from datamodules.audio.checks import (
    AudioFileError,
    UnreadFormatError,
    check_header,
    check_range,
    check_regular,
    named_errors,
    native,
)
from datamodules.audio.codecs import CodecFile
from datamodules.audio.containers.sections import Contents, Section, contents_of
from datamodules.audio.containers.view import FileView
from datamodules.audio.decoder import Decoder
from datamodules.audio.joined import Joined
from datamodules.audio.library_lines import library_lines_named, tell_once
from datamodules.audio.suffixes import CODEC_SUFFIXES, has_suffix, unread_suffixes


@contextlib.contextmanager
def open_audio(path: str | os.PathLike[str]) -> Iterator[Decoder]:
    """Open a file for reading after checking that it is complete audio of the kind its name says.

    Raises:
        AudioFileError: as `io.probe`, except for damage that only decoding can find.
    """
    with named_errors(path):
        check_regular(path)
        with open(path, "rb") as stream:
            head = stream.read(1)
        if not head:
            raise AudioFileError(path, "is an empty file")
    if has_suffix(path, CODEC_SUFFIXES):
        with _open_codec(path) as file:
            check_range(path, file)
            yield file
        return
    with named_errors(path), library_lines_named(path):
        contents = contents_of(path)
        if contents.flaw:
            raise AudioFileError(path, contents.flaw)
        opened: Decoder = _open_sections(path, contents)
    with opened as file:
        check_header(path, file)
        check_range(path, file)
        for remark in contents.remarks:
            tell_once(path, remark)
        yield file


def _open_codec(path: str | os.PathLike[str]) -> CodecFile:
    if has_suffix(path, unread_suffixes()):
        raise UnreadFormatError(path)
    with named_errors(path):
        return CodecFile(path)


def _open_sections(path: str | os.PathLike[str], contents: Contents) -> Decoder:
    if contents.is_plain:
        plain: Decoder = soundfile.SoundFile(native(path))
        if plain.subtype.startswith(_UNSEEKABLE_CODEC):
            plain.close()
            plain = _InOrder(native(path))
        return plain
    parts = _open_all(path, contents.sections)
    return parts[0] if len(parts) == 1 else Joined(path, parts)


def _open_all(path: str | os.PathLike[str], sections: Sequence[Section]) -> list[Decoder]:
    if len(sections) > _MOST_STREAMS:
        raise AudioFileError(path, f"holds {len(sections)} streams; at most {_MOST_STREAMS} are read")
    parts: list[Decoder] = []
    try:
        for part in sections:
            parts.append(_open_view(FileView(path, part.start, part.end, part.patches, part.prefix)))
    except BaseException:
        for opened in parts:
            opened.close()
        raise
    return parts


def _open_view(view: FileView) -> Decoder:
    file: Decoder = soundfile.SoundFile(view)
    if file.format != "MP3":
        return file
    file.close()  # Entered anywhere, which soundfile does after each reading, libsndfile gives silence.
    view.seek(0)
    in_order: Decoder = _InOrder(view)
    return in_order


class _InOrder(soundfile.SoundFile):  # type: ignore[misc]
    """A file of which libsndfile says wrongly that it can be entered anywhere; soundfile then does so after each reading."""

    def seekable(self) -> bool:
        """Say that samples come in order only."""
        return False


_UNSEEKABLE_CODEC = "DWVW"
_MOST_STREAMS = 200
"""Each is open while a file is read."""
