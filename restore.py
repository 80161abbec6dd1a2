"""Restore audio files of any length, sample rate and channel count: `python restore.py CHECKPOINT INPUTS... -o DIR`."""

import argparse
import sys
from collections.abc import Sequence

from conf.arguments import count, number_within, some_path, some_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 if files were skipped, 2 for bad usage, 128 + n after signal n."""
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from lightning_modules.signals import heeding_signals
    from machine.console import steady_streams

    steady_streams()
    options = parse(arguments)
    return heeding_signals(lambda: run(options), "files finished so far are kept")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0] + ".")
    method_help = (
        "a run folder or .ckpt file, or a name: of a shipped model (denoise_music), of a method without training (wiener)"
    )
    parser.add_argument("checkpoint", type=some_text, help=method_help)
    parser.add_argument("inputs", nargs="+", type=some_text, help="audio files, and folders that are searched for them")
    parser.add_argument("-o", "--output", required=True, type=some_path, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--strength", type=number_within(0, 1), default=1.0, metavar="0..1", help="0: as the input, 1: fully restored"
    )
    steps_help = "of a method that works in steps, or refines what it restores (default: all it has)"
    parser.add_argument("--steps", "--refine", type=count, metavar="N", help=steps_help)
    parser.add_argument("--step-size", type=number_within(0), metavar="S", help="of a refining method's steps (default: its own)")
    parser.add_argument(
        "--keep-low-band", type=number_within(0), default=0.0, metavar="HZ", help="leave everything below as it is"
    )
    chunk_help = "restored at once, at most what the method judges at once (default: as the method needs, at least 8)"
    parser.add_argument("--chunk", type=number_within(0.5), metavar="SECONDS", help=chunk_help)
    overlap_help = "shared by chunks (default: as far as the method looks, so that no joint is heard)"
    parser.add_argument("--overlap", type=number_within(0), metavar="SECONDS", help=overlap_help)
    parser.add_argument("--format", metavar="NAME", help="of the results: flac, wav, mp3, ... (default: each file's own)")
    parser.add_argument("--subtype", metavar="NAME", help="sample format: PCM_16, PCM_24, FLOAT, ... (default: each file's own)")
    clip_help = "samples beyond full scale: clip and count them, turn the file down, or keep them (needs --subtype FLOAT)"
    parser.add_argument("--clip-mode", choices=["clamp", "rescale", "none"], default="clamp", help=clip_help)
    parser.add_argument("--start", type=number_within(0), default=0.0, metavar="SECONDS", help="restore only what comes after")
    parser.add_argument("--seconds", type=number_within(0), metavar="SECONDS", help="restore only so much (default: to the end)")
    device_help = "where the method runs (default: a CUDA GPU if there is one, else the CPU)"
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto", help=device_help)
    reference_help = "a recording of the noise, made beside the input, for a method that takes one (anc); or a folder of them"
    parser.add_argument("--reference", type=some_text, metavar="FILE", help=reference_help)
    pictures_help = "beside each result a .png with the spectrograms of its first half minute, before and after"
    parser.add_argument("--pictures", action="store_true", help=pictures_help)
    trust_help = "a package of yours whose classes the checkpoint may name"
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help=trust_help)
    options = parser.parse_intermixed_args(arguments)
    if None not in (options.chunk, options.overlap) and options.overlap > options.chunk / 2:
        parser.error(f"--overlap {options.overlap:g} must be at most half of --chunk {options.chunk:g}")
    return options


def run(options: argparse.Namespace) -> int:
    """Restore what the command line asks for and return the exit code."""
    from datamodules.audio.forms import Wish
    from datamodules.audio.part import Part
    from lightning_modules.commands.restore import Restoring, restore  # needs torch; --help does not wait for it
    from machine.console import printable
    from models.streaming.restoration import Settings

    part = Part(options.start, options.seconds)
    settings = Settings(options.strength, options.keep_low_band, options.chunk, options.overlap)
    try:
        wish = Wish(options.format and options.format.lower(), options.subtype and options.subtype.upper(), options.clip_mode)
    except ValueError as error:
        print(f"error: {printable(error)}", file=sys.stderr)
        return 2
    restoring = Restoring(
        method=options.checkpoint,
        device=options.device,
        steps=options.steps,
        step_size=options.step_size,
        settings=settings,
        trusted=options.trust,
        wish=wish,
        part=part,
        reference=options.reference,
        pictures=options.pictures,
    )
    return restore(restoring, options.inputs, options.output)


if __name__ == "__main__":
    sys.exit(main())
