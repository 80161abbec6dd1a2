"""Restore audio files of any length, sample rate and channel count: `python restore.py CHECKPOINT INPUTS... -o DIR`."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # What needs torch is imported where it is used, so that --help answers at once.
    from rich.progress import Progress
    from torch import Tensor

    from datamodules.audio.clipping import Clipping
    from datamodules.audio.tree import Job
    from lightning_modules.base import RestorationModule
    from models.streaming.restoration import Settings

REFERENCE_RATE_HZ = 16000
"""At which a method is tried that takes any rate, before files are read."""
Method = Callable[[int], "RestorationModule"]
"""Gives the method to be used for files of a sample rate in Hz."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 if files were skipped, 2 for bad usage, 130 if interrupted."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being terminated leaves no partial files either
    try:
        return run(options)
    except KeyboardInterrupt:
        print("interrupted; files finished so far are kept", file=sys.stderr)
        return 130


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0] + ".")
    parser.add_argument("checkpoint", help="a .ckpt file, a run folder, or the name of a method without training (wiener, ...)")
    parser.add_argument("inputs", nargs="+", help="audio files, and folders that are searched for them")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--strength", type=_number(0, 1), default=1.0, metavar="0..1", help="0: as the input, 1: fully restored")
    steps_help = "of a method that works in steps, or refines what it restores (default: all it has)"
    parser.add_argument("--steps", "--refine", type=_count, metavar="N", help=steps_help)
    parser.add_argument("--step-size", type=_number(0), metavar="S", help="of a refining method's steps (default: its own)")
    parser.add_argument("--keep-low-band", type=_number(0), default=0.0, metavar="HZ", help="leave everything below as it is")
    chunk_help = "restored at once, at most what the method judges at once (default: as the method needs, at least 8)"
    parser.add_argument("--chunk", type=_number(0.5), metavar="SECONDS", help=chunk_help)
    overlap_help = "shared by chunks (default: as far as the method looks, so that no joint is heard)"
    parser.add_argument("--overlap", type=_number(0), metavar="SECONDS", help=overlap_help)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where the method runs")
    options = parser.parse_intermixed_args(arguments)
    if None not in (options.chunk, options.overlap) and options.overlap > options.chunk / 2:
        parser.error(f"--overlap {options.overlap:g} must be at most half of --chunk {options.chunk:g}")
    return options


def _number(low: float, high: float = 1e9) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Restore what the command line asks for and return the exit code."""
    from datamodules.audio.notes import files, narrow_lines, skipped_lines
    from datamodules.audio.output import check_folder
    from datamodules.audio.tree import plan_jobs
    from lightning_modules.stepwise import with_num_steps, with_step_size
    from models.streaming.restoration import Settings

    try:
        method = open_method(options.checkpoint, options.device)
        if options.steps is not None:
            method = with_change(method, lambda module: with_num_steps(module, options.steps))
        if options.step_size is not None:
            method = with_change(method, lambda module: with_step_size(module, options.step_size))
        settings = Settings(options.strength, options.keep_low_band, options.chunk, options.overlap)
        warn_of_joints(method(REFERENCE_RATE_HZ), settings)
        check_folder(options.output)
    except ValueError as error:
        _tell(f"error: {error}")
        return 2
    jobs, skipped = plan_jobs(options.inputs, options.output)
    for line in [*skipped_lines(skipped, options.inputs), *narrow_lines(jobs, partial(_rate_of, method))]:
        _tell(line)
    restored = restore_files(method, jobs, settings, options.output)
    count = len(jobs) + len(skipped) - restored
    print(f"restored {files(restored)}, skipped {count}")
    return 1 if count else 0


def open_method(name: str, device: str) -> Method:
    """Open a checkpoint, which has a sample rate of its own, or a method without training, which takes any.

    Raises:
        ValueError: if there is no such thing or no such device.
    """
    import torch

    from conf.compose import method_config, methods_without_training
    from lightning_modules.runs.checkpoint import build_restorer, load_restorer

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch finds no usable GPU; use --device cpu")
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if Path(name).exists():
        module = load_restorer(name, place)
        if module.is_oracle:
            raise ValueError(f"{name}: reproduces clean signals and restores nothing; see model.autoencoder_checkpoint")
        return lambda sample_rate_hz: module
    if name not in methods_without_training():
        known = ", ".join(methods_without_training())
        raise ValueError(f"{name}: no such checkpoint, run folder or method without training ({known})")
    return lambda sample_rate_hz: build_restorer(method_config(name, sample_rate_hz)).to(place).eval()


def with_change(method: Method, change: Callable[["RestorationModule"], "RestorationModule"]) -> Method:
    """Return a method with another number or size of steps.

    Raises:
        ValueError: if it has none.
    """
    change(method(REFERENCE_RATE_HZ))  # refused now rather than with every file
    return lambda sample_rate_hz: change(method(sample_rate_hz))


def warn_of_joints(module: "RestorationModule", settings: "Settings") -> None:
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


def restore_files(method: Method, jobs: Sequence["Job"], settings: "Settings", output_folder: Path) -> int:
    """Restore the files in turn and return how many succeeded; those that fail are named, and only a full folder ends it."""
    from datamodules.audio.io import AudioFileError
    from datamodules.audio.notes import clipping_lines
    from datamodules.audio.output import OutputError, check_folder

    restored, done_seconds = 0, 0.0
    with _progress() as progress:
        task = progress.add_task("", total=sum(job.seconds for job in jobs), file="")
        for number, job in enumerate(jobs, start=1):
            progress.update(task, completed=done_seconds, file=f"{number}/{len(jobs)} {_printable(job.source.path.name)}")
            done_seconds += job.seconds
            try:
                clipping = restore_file(method, job, settings, partial(progress.advance, task))
                restored += 1
                for line in clipping_lines(job.output, clipping):
                    _tell(line, progress)
            except AudioFileError as error:
                _tell(f"skipped {error}", progress)
                try:
                    check_folder(output_folder)
                except OutputError as full:
                    _tell(f"stopped: {full}", progress)
                    break
    return restored


def restore_file(method: Method, job: "Job", settings: "Settings", advance: Callable[[float], None]) -> "Clipping":
    """Restore one file in blocks of a second.

    Args:
        method: gives the method for the file's sample rate.
        job: what to read and to write.
        settings: how the method is applied.
        advance: told the seconds of every block read.

    Returns:
        How much of the result its sample format could not hold.

    Raises:
        AudioFileError: if the file, the method on this file or the output fails; nothing is left behind.
    """
    import torch

    from datamodules.audio.clipping import Clipping
    from datamodules.audio.io import AudioFileError
    from datamodules.audio.stream import open_like, read_blocks
    from models.streaming.restoration import RestorationStream

    source, clipping = job.source, Clipping(job.source.subtype)
    try:
        module = method(source.sample_rate_hz)
        chunking = module.chunking(settings.chunk_seconds, settings.overlap_seconds)
        stream = RestorationStream(
            _on_device(module), chunking, module.sample_rate, source.sample_rate_hz, source.channels, settings
        )
        with torch.inference_mode(), open_like(source, job.output) as put:
            for block in read_blocks(source.path, source.sample_rate_hz):
                put(clipping.watch(stream.push(torch.from_numpy(block)).numpy()))
                advance(block.shape[1] / source.sample_rate_hz)
            put(clipping.watch(stream.flush().numpy()))
        return clipping
    except AudioFileError:
        raise
    except ValueError as error:
        raise AudioFileError(source.path, str(error)) from error
    except Exception as error:  # Whatever one file brings about, the others are to be restored.
        raise AudioFileError(source.path, f"failed: {type(error).__name__}: {error}") from error


def _rate_of(method: Method, sample_rate_hz: int) -> int:
    """Return the rate at which a method works on files of a rate; theirs, where it does not work at all and each will say so."""
    try:
        return method(sample_rate_hz).sample_rate
    except ValueError:
        return sample_rate_hz


def _on_device(module: "RestorationModule") -> "Callable[[Tensor], Tensor]":
    return lambda corrupted: module.restore(corrupted.to(module.device)).cpu()


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    seconds = TextColumn("{task.completed:.0f}/{task.total:.0f} s")
    file = TextColumn("{task.fields[file]}", markup=False)
    return Progress(BarColumn(), seconds, TimeRemainingColumn(), file, console=console, disable=not console.is_terminal)


def _tell(text: str, progress: "Progress | None" = None) -> None:
    if progress is None:
        print(_printable(text), file=sys.stderr)
    else:
        progress.console.print(_printable(text), markup=False, highlight=False, soft_wrap=True)


def _printable(text: str) -> str:
    """Escape what a file name may hold and a screen should not get: bytes that are not UTF-8, and control characters."""
    readable = text.encode("utf-8", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in readable)


if __name__ == "__main__":
    sys.exit(main())
