"""Read the headers of many files and set the broken ones aside, each named once."""

import dataclasses
import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from datamodules.audio import io as audio_io
from datamodules.audio.checks import UnreadFormatError
from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.library_lines import is_told_of
from datamodules.audio.notes import HANDFUL, unread_summary
from datamodules.parallel import map_unknown

_HEADER = "header"

log = logging.getLogger(__name__)


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return the path from the root of the file system, with `~` expanded and links kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def probe_all(
    paths: Sequence[str | os.PathLike[str]], facts: FileFacts = NO_FACTS
) -> list[audio_io.AudioInfo | audio_io.AudioFileError]:
    """Read the header of every file, unless it is known, and name the files without a good one in a warning each.

    Args:
        paths: the candidates.
        facts: what is known of files. A file that is told of, or has no good header, is read again at each start.

    Returns:
        What the header says or what is wrong with it, in the order given.
    """
    results = map_unknown(partial(_recalled, facts=facts), partial(_probe, facts=facts), paths, "Reading headers")
    for result in results:
        if isinstance(result, audio_io.AudioFileError):
            log.warning("skipped %s", result)
    return results


def readable_files(paths: Sequence[Path], facts: FileFacts = NO_FACTS) -> tuple[dict[Path, float], list[str]]:
    """Probe every file.

    Args:
        paths: the candidates.
        facts: as of `probe_all`.

    Returns:
        The duration in seconds of each readable file, in the order given, and one sentence per file that is not.
    """
    results = probe_all(paths, facts)
    problems = [str(result) for result in results if isinstance(result, audio_io.AudioFileError)]
    infos = [result for result in results if isinstance(result, audio_io.AudioInfo)]
    return {info.path: info.frames / info.sample_rate_hz for info in infos}, problems


def unread_files(paths: Sequence[Path]) -> list[str]:
    """Name a handful of files that look like audio and are not read in a warning each, and count the others in one.

    Args:
        paths: files whose names end in one of `suffixes.unread_suffixes()`.

    Returns:
        One sentence per file.
    """
    sentences = [str(UnreadFormatError(path)) for path in paths]
    unnamed = [f"skipped {unread_summary(paths[HANDFUL:])}"] if paths[HANDFUL:] else []
    for line in [*(f"skipped {sentence}" for sentence in sentences[:HANDFUL]), *unnamed]:
        log.warning(line)
    return sentences


def _recalled(path: str | os.PathLike[str], facts: FileFacts) -> audio_io.AudioInfo | audio_io.AudioFileError | None:
    header = facts.look(path).recall(_HEADER)
    return None if header is None else audio_io.AudioInfo(Path(path), *header)


def _probe(path: str | os.PathLike[str], facts: FileFacts) -> audio_io.AudioInfo | audio_io.AudioFileError:
    seen = facts.look(path)
    try:
        info = audio_io.probe(path)
    except audio_io.AudioFileError as error:
        return error
    if not is_told_of(path):
        seen.remember(_HEADER, dataclasses.astuple(info)[1:])
    return info
