"""Decide which files a list of files and folders stands for and where the result of each goes, without a clash."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.audio.checks import UnreadFormatError
from datamodules.audio.forms import Form, Wish, form_of
from datamodules.audio.io import AudioFileError, AudioInfo, probe
from datamodules.audio.part import Part
from datamodules.audio.suffixes import has_suffix, read_suffixes, unread_suffixes
from datamodules.audio.walking import walk


@dataclass(frozen=True)
class RestoreJob:
    """One file to read and the file to write for it.

    Attributes:
        source: the file to read.
        output: the file to write.
        form: of the result.
        samples: of the source that are restored.
        reference: a recording of its noise, made beside it, for a method that takes one.
    """

    source: AudioInfo
    output: Path
    form: Form
    samples: range
    reference: AudioInfo | None = None

    @property
    def seconds(self) -> float:
        """Duration of what is restored."""
        return len(self.samples) / self.source.sample_rate_hz


@dataclass(frozen=True)
class _Found:
    path: Path
    places: tuple[Path, ...]  # relative to the output folder, the best first


def plan_jobs(
    inputs: Sequence[str | os.PathLike[str]], output_folder: Path, wish: Wish | None = None, part: Part | None = None
) -> tuple[list[RestoreJob], list[AudioFileError]]:
    """List the work: a file goes directly into the output folder, a folder's tree is mirrored there.

    Of two files that would go to the same place, the second goes into a folder named after where it came from. Files
    named twice are taken once; the output folder is not searched, should it lie within an input. A file in a folder whose name
    says that it is audio of a kind that is not read is skipped like one that cannot be read.

    Args:
        inputs: files, taken whatever their names, and folders, searched for audio suffixes.
        output_folder: where results go.
        wish: in which form; None is each file's own.
        part: of each file that is restored; None is all of it.

    Returns:
        the jobs, and what cannot be worked on with the reason.
    """
    skipped: list[AudioFileError] = []
    found = list(
        {os.path.realpath(item.path): item for given in inputs for item in _find(given, output_folder, skipped.append)}.items()
    )
    sources = {real for real, _ in found}
    jobs: list[RestoreJob] = []
    taken: set[str] = set()
    for _, item in found:
        try:
            source = probe(item.path)
            samples = (part or Part()).of(source)
            form = form_of(source, wish or Wish())
            output = _place(item, output_folder, form.suffix, sources, taken)
        except AudioFileError as error:
            skipped.append(error)
        else:
            taken.add(os.path.realpath(output))
            jobs.append(RestoreJob(source, output, form, samples))
    return jobs, list({str(error): error for error in skipped}.values())


def _find(given: str | os.PathLike[str], output_folder: Path, skip: Callable[[AudioFileError], None]) -> Iterator[_Found]:
    path = Path(given)
    if not os.path.isdir(path):
        yield _Found(path, (Path(path.name), Path(path.absolute().parent.name, path.name)))
        return
    named = list(_walk(path, output_folder, skip))
    files = [file for file in named if has_suffix(file, read_suffixes())]
    for file in named:
        if has_suffix(file, unread_suffixes()):
            skip(UnreadFormatError(file))
    if not named:
        skip(AudioFileError(path, "holds no audio files"))
    for file in files:
        inside = file.relative_to(path)
        yield _Found(file, (inside, path.resolve().name / inside))


def _walk(root: Path, output_folder: Path, skip: Callable[[AudioFileError], None]) -> Iterator[Path]:
    """List audio files at any depth, as training does, but for those in the output folder."""

    def refuse(error: OSError) -> None:
        skip(AudioFileError(error.filename, (error.strerror or str(error)).lower()))

    for folder, names in walk(root, refuse, lambda inside: _same(inside, output_folder)):
        yield from (folder / name for name in names if has_suffix(name, read_suffixes() | unread_suffixes()))


def _same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _place(item: _Found, output_folder: Path, suffix: str, sources: set[str], taken: set[str]) -> Path:
    places = item.places
    if suffix != item.path.suffix:
        long_names = tuple(place.with_name(place.name + suffix) for place in places)
        has_namesake = os.path.realpath(item.path.with_suffix(suffix)) in sources
        places = long_names if has_namesake else (places[0].with_suffix(suffix), *long_names)
    free = [place for place in places if os.path.realpath(output_folder / place) not in taken]
    if not free:
        raise AudioFileError(item.path, f"{output_folder / places[0]} is taken by another input; restore it separately")
    output = output_folder / free[0]
    if os.path.realpath(output) in sources:
        raise AudioFileError(item.path, f"the result would overwrite the input {output}; choose another folder with -o")
    return output
