"""Recordings of the noise alone, in files of their own, and the recordings that they were made beside."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datamodules.audio.checks import AudioFileError
from datamodules.audio.info import AudioInfo
from datamodules.audio.io import probe
from datamodules.audio.tree import RestoreJob


def with_references(jobs: Sequence[RestoreJob], given: Path) -> tuple[list[RestoreJob], list[AudioFileError]]:
    """Give every job its reference.

    Args:
        jobs: the work.
        given: the reference of all of them, or a folder with one of the same name for each.

    Returns:
        the jobs with their references, and what has none that fits, with the reason.
    """
    paired, refused = list[RestoreJob](), list[AudioFileError]()
    for job in jobs:
        try:
            paired.append(replace(job, reference=_beside(job.source, given)))
        except AudioFileError as error:
            refused.append(error)
    return paired, refused


def _beside(source: AudioInfo, given: Path) -> AudioInfo:
    """Return the reference of a recording.

    Raises:
        AudioFileError: if there is none, it cannot be read, or it cannot have been made beside the recording.
    """
    path = given / source.path.name if given.is_dir() else given
    if not path.exists():
        raise AudioFileError(source.path, f"has no reference of its name in {given}")
    reference = probe(path)
    for what, mine, its in (
        ("Hz", source.sample_rate_hz, reference.sample_rate_hz),
        ("samples", source.frames, reference.frames),
    ):
        if mine != its:
            raise AudioFileError(source.path, f"has {mine} {what}, and its reference {path} has {its}; both must be the same")
    if reference.channels not in (1, source.channels):
        counts = f"{reference.channels} channels, and this file has {source.channels}"
        raise AudioFileError(source.path, f"its reference {path} has {counts}; it must have as many, or one")
    return reference
