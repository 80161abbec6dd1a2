"""Read the headers of many files and set the broken ones aside, each named once."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from datamodules.audio import io as audio_io
from datamodules.audio.checks import UnreadFormatError
from datamodules.audio.notes import HANDFUL, unread_summary
from datamodules.parallel import parallel_map

log = logging.getLogger(__name__)


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return the path from the root of the file system, with `~` expanded and links kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def probe_all(paths: Sequence[str | os.PathLike[str]]) -> list[audio_io.AudioInfo | audio_io.AudioFileError]:
    """Read the header of every file and name the files without a good one in a warning each.

    Args:
        paths: the candidates.

    Returns:
        What the header says or what is wrong with it, in the order given.
    """
    results = parallel_map(_probe, paths, "Reading headers")
    for result in results:
        if isinstance(result, audio_io.AudioFileError):
            log.warning("skipped %s", result)
    return results


def readable_files(paths: Sequence[Path]) -> tuple[dict[Path, float], list[str]]:
    """Probe every file.

    Args:
        paths: the candidates.

    Returns:
        The duration in seconds of each readable file, in the order given, and one sentence per file that is not.
    """
    results = probe_all(paths)
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


def _probe(path: str | os.PathLike[str]) -> audio_io.AudioInfo | audio_io.AudioFileError:
    try:
        return audio_io.probe(path)
    except audio_io.AudioFileError as error:
        return error
