"""Restore recordings in chunks and whole, and measure and draw the difference where chunks join.

    python benchmarks/seams.py runs/NAME wiener --audio DIR --picture seams.png

For every method and recording: the greatest difference in any 50 ms, relative to what is restored there (below -80 dB of full
scale it is not counted), with the division that restore.py takes by itself, and with chunks of 8 s that share 1 s.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile
import soxr
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lightning_modules.base import RestorationModule
from lightning_modules.commands.opening import open_method
from models.streaming.chunking import Chunking
from models.streaming.restoration import RestorationStream, Settings

FRAME_SECONDS = 0.05
SILENCE_DB = -80.0


@dataclass(frozen=True)
class Seams:
    """Of one way to divide a recording: its joints in seconds, and the level of the difference in dB, frame by frame."""

    chunking: Chunking
    joints_seconds: list[float]
    difference_db: Tensor


def read_mono(path: Path, rate_hz: int, seconds: float) -> Tensor:
    """Return the first seconds of a recording, repeated if it is shorter, (1, T)."""
    audio, file_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = torch.from_numpy(soxr.resample(audio.mean(axis=1), file_hz, rate_hz)).float()
    samples = round(seconds * rate_hz)
    return mono.repeat(math.ceil(samples / len(mono)))[None, :samples]


def difference(module: RestorationModule, signal: Tensor, whole: Tensor, chunking: Chunking) -> Seams:
    rate_hz = module.sample_rate
    stream = RestorationStream(module.restore, chunking, rate_hz, rate_hz, 1, Settings())
    with torch.inference_mode():
        blocks = [stream.push(block) for block in signal.double().split(rate_hz, dim=-1)]
        joined = torch.cat([*blocks, stream.flush()], dim=-1)
    frame = round(FRAME_SECONDS * rate_hz)
    error, power = (part[0].square().unfold(0, frame, frame).mean(dim=-1) for part in (joined - whole, whole))
    level = 10 * torch.log10(error / power + 1e-30)
    level[10 * torch.log10(power + 1e-30) < SILENCE_DB] = -math.inf
    starts = range(chunking.hop_samples, signal.shape[-1] - chunking.overlap_samples, chunking.hop_samples)
    joints = [(start + chunking.overlap_samples / 2) / rate_hz for start in starts]
    return Seams(chunking, joints, level)


def draw(path: Path, title: str, seams: Sequence[tuple[str, Seams]]) -> None:
    """Draw the differences over time, the joints marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 2.6 * len(seams)), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, seam) in zip(figure.subplots(len(seams), 1, sharex=True, squeeze=False)[:, 0], seams, strict=True):
        axes.plot(torch.arange(len(seam.difference_db)) * FRAME_SECONDS, seam.difference_db.clamp(min=-160), linewidth=0.8)
        for joint in seam.joints_seconds:
            axes.axvline(joint, color="tab:red", linewidth=0.7, linestyle=":")
        axes.axhline(-60, color="gray", linewidth=0.7)
        axes.set(title=f"{title}, {name}", ylabel="chunked minus whole, dB", ylim=(-165, 5))
    axes.set_xlabel("seconds (dotted: joints; gray: -60 dB)")
    figure.savefig(path, dpi=110)


def report(name: str, module: RestorationModule, file: Path, seconds: float, picture: Path | None) -> None:
    """Print a line of the table, and draw it."""
    signal = read_mono(file, module.sample_rate, seconds)
    with torch.inference_mode():
        whole = module.restore(signal[None])[0].double()
    own, short = (difference(module, signal, whole, module.chunking(*asked)) for asked in ((), (8.0, 1.0)))
    lengths = (own.chunking.chunk_samples, own.chunking.overlap_samples)
    cells = [f"{samples / module.sample_rate:.1f}" for samples in lengths]
    cells += [f"{float(seams.difference_db.max()):.1f}" for seams in (own, short)]
    print(f"| {name} | {file.stem} | {' | '.join(cells)} |", flush=True)
    if picture:
        draw(picture, f"{name}, {file.stem}", [("own division", own), ("8 s chunks, 1 s overlap", short)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what chunks change.")
    parser.add_argument("methods", nargs="+", help="run folders, checkpoints, names of methods without training")
    parser.add_argument("--audio", type=Path, required=True, metavar="DIR", help="a file, or a folder of files")
    parser.add_argument("--rate", type=int, default=16000, help="of the signals for methods that take any, in Hz")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each recording; shorter ones are repeated")
    parser.add_argument("--files", type=int, default=3, help="how many of a folder's")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draws the last recording")
    options = parser.parse_args()
    files = sorted(options.audio.glob("*.flac"))[: options.files] if options.audio.is_dir() else [options.audio]
    print("| method | recording | chunks, s | overlap, s | worst 50 ms, dB | 8 s chunks, 1 s overlap, dB |")
    print("|---|---|---|---|---|---|")
    for method in options.methods:
        module = open_method(method, "cpu")(options.rate)
        for file in files:
            report(Path(method).name, module, file, options.seconds, options.picture)


if __name__ == "__main__":
    main()
