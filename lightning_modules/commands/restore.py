"""Restore audio files of any length, sample rate and channel count."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from datamodules.audio.clipping import Clipping
from datamodules.audio.forms import Wish
from datamodules.audio.io import AudioFileError
from datamodules.audio.notes import clipping_lines, files, narrow_lines, recoded_lines, skipped_lines
from datamodules.audio.output import OutputError, check_folder
from datamodules.audio.part import Part
from datamodules.audio.partial import remove_leftovers
from datamodules.audio.references import with_references
from datamodules.audio.tree import RestoreJob, plan_jobs
from lightning_modules.base import RestorationModule
from lightning_modules.commands.disk import restored_bytes, shortages
from lightning_modules.commands.opening import REFERENCE_RATE_HZ, MethodAtRate, open_method, stream_of, with_change
from lightning_modules.commands.pace import Trials, forecast_lines, seconds_of_chunk, watched
from lightning_modules.commands.picturing import save_picture
from lightning_modules.commands.restoring import restored_blocks, write_restored
from lightning_modules.runs.plugins import import_plugins
from lightning_modules.stepwise import with_num_steps, with_step_size
from machine.console import printable
from models.streaming.chunking import lead_in
from models.streaming.restoration import RestorationStream, Settings

if TYPE_CHECKING:
    from rich.progress import Progress

_AS_THEY_ARE, _ALL = Wish(), Part()
SPEED_OVER_SECONDS = 600.0
"""What the bar's time left is judged by; a step of a slow method alone may take a minute."""


@dataclass(frozen=True)
class Restoring:
    """What restores.

    Attributes:
        method: a checkpoint file, a run folder, or the name of a method without training.
        device: auto, cpu, cuda or mps.
        steps: how many the method takes; None is all it has.
        step_size: of a refining method; None is its own.
        settings: how it is applied to a file.
        trusted: names of packages whose classes it may name beside those of this project.
        wish: in which form results are written.
        part: of each file that is restored.
        reference: a recording of the noise of the files, or a folder of them, by the names of the files; None is none.
        pictures: whether each result gets a picture beside it.
    """

    method: str
    device: str
    steps: int | None
    step_size: float | None
    settings: Settings
    trusted: Sequence[str] = ()
    wish: Wish = _AS_THEY_ARE
    part: Part = _ALL
    reference: str | None = None
    pictures: bool = False


def restore(restoring: Restoring, inputs: Sequence[str], output_folder: Path) -> int:
    """Restore files, and those of folders, into a folder; tell what is skipped on stderr.

    Returns:
        The exit code: 0, 1 if files were skipped, 2 if the method or the folder cannot be used.
    """
    is_new = not output_folder.exists()
    try:
        method = prepare_method(restoring)
        check_folder(output_folder)
    except ValueError as error:
        _tell(f"error: {error}")
        return 2
    with notes_told(_tell):
        jobs, skipped = plan_jobs(inputs, output_folder, restoring.wish, restoring.part)
        if restoring.reference is not None:
            jobs, unpaired = with_references(jobs, Path(restoring.reference))
            skipped = [*skipped, *unpaired]
        remove_leftovers({job.output.parent for job in jobs} | {output_folder})
        for line in [*skipped_lines(skipped, inputs), *narrow_lines(jobs, partial(rate_of, method)), *recoded_lines(jobs)]:
            _tell(line)
        for line in shortages([(output_folder, restored_bytes(jobs))]):
            _tell(f"note: {line}")
        trials = Trials(sum(job.seconds for job in jobs))
        for line in forecast_lines(method, jobs, restoring.settings, trials):
            _tell(line)
        restored = restore_files(method, jobs, restoring.settings, output_folder, trials)
    count = len(jobs) + len(skipped) - len(restored)
    print(f"restored {files(len(restored))}, skipped {count}")
    pictured = not restoring.pictures or draw(restored)
    if is_new:
        with contextlib.suppress(OSError):  # nothing was written into it
            output_folder.rmdir()
    return 1 if count or not pictured else 0


def draw(jobs: Sequence[RestoreJob]) -> bool:
    """Draw what was restored, tell where the pictures are, and return whether all could be drawn."""
    drawn = 0
    for job in jobs:
        try:
            print(f"drew {printable(save_picture(job))}")
            drawn += 1
        except (AudioFileError, OSError) as error:
            _tell(f"no picture: {error}")
    return drawn == len(jobs)


def prepare_method(restoring: Restoring) -> MethodAtRate:
    """Open the method, with the steps that are asked for; tell where its chunks would be heard.

    Raises:
        ValueError: if there is no such method or device, or it does not work in steps, or takes no reference that is given.
    """
    method = open_method(restoring.method, restoring.device, import_plugins(restoring.trusted, "--trust"))
    steps, step_size = restoring.steps, restoring.step_size
    if steps is not None:
        method = with_change(method, lambda module: with_num_steps(module, steps))
    if step_size is not None:
        method = with_change(method, lambda module: with_step_size(module, step_size))
    if restoring.reference is not None:
        check_reference(restoring.reference, restoring.method, method(REFERENCE_RATE_HZ))
    warn_of_joints(method(REFERENCE_RATE_HZ), restoring.settings)
    return method


def check_reference(reference: str, name: str, module: RestorationModule) -> None:
    """Refuse a reference that is not there, or is for a method that takes none.

    Raises:
        ValueError: naming it.
    """
    if not getattr(module.net, "takes_reference", False):
        raise ValueError(f"--reference {reference}: {name} takes no recording of the noise; anc does")
    if not Path(reference).exists():
        raise ValueError(f"--reference {reference}: no such file or folder")


def warn_of_joints(module: RestorationModule, settings: Settings) -> None:
    """Tell if chunks are asked for that are too short, or share too little, to join as if files were restored whole."""
    natural, chosen = module.chunking(), module.chunking(settings.chunk_seconds, settings.overlap_seconds)
    shortest_chunk = min(natural.chunk_samples, module.reach_seconds * module.sample_rate)
    if chosen.overlap_samples < natural.overlap_samples or chosen.chunk_samples < shortest_chunk:
        taken, wanted = (
            f"chunks of {division.chunk_samples / module.sample_rate:.3g} s that share "
            f"{division.overlap_samples / module.sample_rate:.3g} s"
            for division in (chosen, natural)
        )
        _tell(f"note: {taken}: joints may be heard; without --chunk and --overlap this method takes {wanted}, and none are")


def restore_files(
    method: MethodAtRate, jobs: Sequence[RestoreJob], settings: Settings, output_folder: Path, trials: Trials
) -> list[RestoreJob]:
    """Restore the files in turn and return what succeeded; those that fail are named, and only a full folder ends it."""
    restored, done_seconds = list[RestoreJob](), 0.0
    with _progress() as progress:
        task = progress.add_task("", total=sum(job.seconds for job in jobs), file="")
        for number, job in enumerate(jobs, start=1):
            progress.update(task, completed=done_seconds, file=f"{number}/{len(jobs)} {printable(job.source.path.name)}")
            done_seconds += job.seconds
            try:
                clipping = restore_file(method, job, settings, trials, partial(progress.advance, task))
                restored.append(job)
                for line in clipping_lines(job.output, clipping):
                    _tell(line, progress)
            except AudioFileError as error:
                _tell(f"skipped {error}", progress)
                try:
                    check_folder(output_folder)
                except OutputError as full:
                    _tell(f"stopped: {full}", progress)
                    break
        progress.update(task, completed=done_seconds)
    return restored


def restore_file(
    method: MethodAtRate, job: RestoreJob, settings: Settings, trials: Trials, advance: Callable[[float], None]
) -> Clipping:
    """Restore one file in blocks of a second.

    Args:
        method: gives the method for the file's sample rate.
        job: what to read and to write.
        settings: how the method is applied.
        trials: of methods.
        advance: told the seconds that are done, as they are.

    Returns:
        How much of the result its sample format could not hold.

    Raises:
        AudioFileError: if the file, the method on this file or the output fails; nothing is left behind.
    """
    source = job.source
    try:
        module = method(source.sample_rate_hz)

        def start(channels: int, share: float) -> RestorationStream:
            tell = lambda done: advance(done * share * seconds_of_chunk(job, module, settings))  # noqa: E731
            watch = lambda restore: watched(module, restore, trials.of(module).calls, tell)  # noqa: E731
            return stream_of(module, source.sample_rate_hz, channels, settings, watch)

        with torch.inference_mode():
            chunking = module.chunking(settings.chunk_seconds, settings.overlap_seconds)
            begins = lead_in(chunking, module.sample_rate, source.sample_rate_hz, job.samples.start)
            return write_restored(job, restored_blocks(job, start, begins))
    except AudioFileError:
        raise
    except ValueError as error:
        raise AudioFileError(source.path, str(error)) from error
    except Exception as error:  # Whatever one file brings about, the others are to be restored.
        raise AudioFileError(source.path, f"failed: {type(error).__name__}: {error}") from error


def rate_of(method: MethodAtRate, sample_rate_hz: int) -> int:
    """Return the rate at which a method works on files of a rate; theirs, where it does not work at all and each will say so."""
    try:
        return method(sample_rate_hz).sample_rate
    except Exception:  # Such as for want of memory.
        return sample_rate_hz


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    seconds = TextColumn("{task.completed:.0f}/{task.total:.0f} s")
    file = TextColumn("{task.fields[file]}", markup=False)
    return Progress(
        BarColumn(),
        seconds,
        TimeRemainingColumn(),
        file,
        console=console,
        disable=not console.is_terminal,
        speed_estimate_period=SPEED_OVER_SECONDS,
    )


class _Notes(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(f"note: {record.getMessage()}")


@contextlib.contextmanager
def notes_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell what is logged about files while they are read."""
    logger, handler = logging.getLogger("datamodules"), _Notes(tell)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _tell(text: str, progress: "Progress | None" = None) -> None:
    if progress is None:
        print(printable(text), file=sys.stderr)
    else:
        progress.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
