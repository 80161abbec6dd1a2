"""Whether every metric knows how much of a lost band comes back, and what it costs.

    python benchmarks/metrics_order.py DIR [FILES]

Of up to FILES recordings (default 8) of a folder, evenly spread by name, four seconds are taken from the middle, in mono at
48 kHz. Five signals with more and more of the truth above 4 kHz are scored: nothing (input), what `noise_fill` finds blindly,
noise under the true envelope, the true magnitudes with the phases of noise, all of it (clean). A line of the table has the
means, on how many recordings every step was an improvement, and the seconds that a minute of audio takes in one process on the
CPU; recordings on which a metric has no value are left out. What the extra `perceptual` adds is told to be music. SNR and
SI-SDR punish all noise, so they know another order.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import soundfile
import soxr
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lightning_modules.metrics.collection import build_metrics
from lightning_modules.metrics.perceptual.scoring import Question, answer, offered
from lightning_modules.metrics.registry import METRICS, computed_in
from models.classical.noise_fill import NoiseFill

RATE_HZ, LOW_RATE_HZ = 48_000, 8_000
SECONDS = 4.0
COLUMNS = 100
FFT, HOP = 2048, 512
SMOOTHED = (31, 5)
"""Bins and frames that make an envelope, 700 Hz and 50 ms."""

Metric = Callable[[Tensor, Tensor], float]


def oracle_order(clean: Tensor, sample_rate: int, low_rate: int) -> dict[str, Tensor]:
    """Return signals (T,) with more and more of what a lower rate loses of a clean one (T,), rates in Hz."""
    low = soxr.resample(soxr.resample(clean.numpy(), sample_rate, low_rate), low_rate, sample_rate)
    corrupted = functional.pad(torch.from_numpy(low)[: len(clean)], (0, max(0, len(clean) - len(low))))
    noise = _spectrum(torch.randn(len(clean), generator=torch.Generator().manual_seed(0)))
    true, edge = _spectrum(clean), FFT * low_rate // (2 * sample_rate)
    gain = (_envelope(true) / _envelope(noise)).sqrt()
    return {
        "input": corrupted,
        "noise_fill": NoiseFill(sample_rate, low_rate)(corrupted[None, None])[0, 0],
        "envelope": _with_top(corrupted, noise * gain, edge),
        "magnitude": _with_top(corrupted, torch.polar(true.abs(), noise.angle()), edge),
        "clean": clean,
    }


def _spectrum(signal: Tensor) -> Tensor:
    return torch.stft(signal, FFT, HOP, window=torch.hann_window(FFT), return_complex=True)


def _envelope(spectrum: Tensor) -> Tensor:
    """Return the power (F, N), smoothed over bins and frames."""
    padding = tuple(length // 2 for length in SMOOTHED)
    return functional.avg_pool2d(spectrum.abs().square()[None], SMOOTHED, 1, padding, count_include_pad=False)[0]


def _with_top(signal: Tensor, top: Tensor, edge: int) -> Tensor:
    """Return a signal (T,) with the bins of another spectrum (F, N) from `edge` on."""
    spectrum = torch.cat([_spectrum(signal)[:edge], top[edge:]])
    return torch.istft(spectrum, FFT, HOP, window=torch.hann_window(FFT), length=len(signal))


def excerpt(path: Path) -> Tensor:
    """Return the middle of a file, (T,), in mono at RATE_HZ."""
    info = soundfile.info(path)
    frames = min(info.frames, int(SECONDS * info.samplerate))
    audio, _ = soundfile.read(path, frames=frames, start=(info.frames - frames) // 2, dtype="float32", always_2d=True)
    return torch.from_numpy(soxr.resample(audio.mean(axis=1), info.samplerate, RATE_HZ))


def all_metrics() -> dict[str, Metric]:
    """Return every metric that is offered here, from restored and clean, (T,) each, to a value."""
    found: dict[str, Metric] = {}
    for name, metric in build_metrics(computed_in("test"), RATE_HZ, LOW_RATE_HZ / 2).items():
        found[name] = lambda restored, clean, ask=metric.function: float(ask(restored[None, None], clean[None, None]))
    for name in offered("music"):
        found[name] = lambda restored, clean, name=name: _perceptual(name, restored, clean)
    return found


def _perceptual(name: str, restored: Tensor, clean: Tensor) -> float:
    return answer(Question(name, "music", restored[None].numpy(), clean[None].numpy(), RATE_HZ)).value


def measure(metric: Metric, orders: list[Mapping[str, Tensor]]) -> tuple[list[list[float]], float]:
    """Return the values of every signal of every recording that has some, and the seconds a minute of audio takes, warm."""
    metric(orders[0]["input"], orders[0]["clean"])
    started = time.perf_counter()
    rows = [[metric(signal, order["clean"]) for signal in order.values()] for order in orders]
    values = [row for row in rows if not any(map(math.isnan, row))]
    minutes = sum(len(signal) for order in orders for signal in order.values()) / RATE_HZ / 60
    return values, (time.perf_counter() - started) / minutes


def main(folder: Path, files: int) -> None:
    if not folder.is_dir():
        sys.exit(f"{folder} is not a folder")
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".flac", ".wav", ".mp3", ".ogg")]
    count = min(len(paths), files)
    if count < 1:
        sys.exit(f"{folder} holds no recordings (flac, wav, mp3, ogg), or FILES={files} asks for none")
    orders = [oracle_order(excerpt(paths[place * len(paths) // count]), RATE_HZ, LOW_RATE_HZ) for place in range(count)]
    table = Table("metric", *orders[0], "in order", "s a minute", box=None)
    for name, metric in all_metrics().items():
        values, seconds = measure(metric, orders)
        sign = METRICS[name].sign
        kept = sum(all(sign * worse < sign * better for worse, better in pairwise(row)) for row in values)
        means = [sum(column) / len(values) for column in zip(*values, strict=True)] or [math.nan] * len(orders[0])
        kept_of = f"{kept} of {len(values)}"
        table.add_row(METRICS[name].heading, *(f"{mean:.2f}" for mean in means), kept_of, f"{seconds:.2f}")
    Console(width=COLUMNS).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("files", nargs="?", type=int, default=8, metavar="FILES")
    options = parser.parse_args()
    main(options.folder, options.files)
