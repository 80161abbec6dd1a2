"""Speed of the log-spectral distance against a loop in Python over frames and bins.

    python benchmarks/lsd_speed.py [SECONDS]

The peer is the form of Billotais/Denoising-with-Generative-Models, where every bin is indexed out of a tensor and computed with
as a tensor of no dimensions. A second row reads all bins as Python numbers first, the fastest such a loop can be. All take
the same spectrograms of SECONDS of 16 kHz noise (default 12.5: the 200,000 samples that project scores), on one thread; the
best of several runs counts.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lightning_modules.metrics.lsd import HANN_1024, TINY_FLOOR, lsd_bilat, power_spectrogram

SAMPLE_RATE_HZ = 16000


def log_spectrum(signal: Tensor) -> Tensor:
    """Return the log10 power of a (1, 1, T) signal, (1, bins, frames)."""
    return power_spectrogram(signal, HANN_1024)[0].clamp(min=TINY_FLOOR).log10()


def loop_over_tensors(restored: Tensor, clean: Tensor) -> float:
    """Return the LSD of (1, 1, T) signals, each bin a tensor."""
    ours, theirs = log_spectrum(restored), log_spectrum(clean)
    _, bins, frames = ours.shape
    total = 0.0
    for frame in range(frames):
        squares = torch.tensor(0.0)
        for frequency in range(bins):
            squares += pow(ours[0, frequency, frame] - theirs[0, frequency, frame], 2)
        total += math.sqrt(squares.item() / bins)
    return total / frames


def loop_over_numbers(restored: Tensor, clean: Tensor) -> float:
    """Return the LSD of (1, 1, T) signals, each bin a Python number."""
    ours, theirs = log_spectrum(restored)[0].T.tolist(), log_spectrum(clean)[0].T.tolist()
    total = 0.0
    for frame, reference in zip(ours, theirs, strict=True):
        squares = 0.0
        for a, b in zip(frame, reference, strict=True):
            squares += (a - b) ** 2
        total += math.sqrt(squares / len(frame))
    return total / len(ours)


def best_seconds(function: Callable[[], object], runs: int) -> float:
    """Return the shortest of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main(seconds: float) -> None:
    """Print ours | peer | ratio, in milliseconds."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    restored, clean = torch.randn(2, 1, 1, round(seconds * SAMPLE_RATE_HZ), generator=generator).unbind()
    ours = best_seconds(lambda: lsd_bilat(restored, clean), runs=200)
    print(f"LSD {lsd_bilat(restored, clean).item():.4f} (loop {loop_over_tensors(restored, clean):.4f})")
    print("                     ours ms |    peer ms | ratio")
    for name, peer in (("loop over tensors", loop_over_tensors), ("loop over numbers", loop_over_numbers)):
        theirs = best_seconds(partial(peer, restored, clean), runs=2)
        print(f"{name:18} | {ours * 1e3:7.3f} | {theirs * 1e3:10.1f} | {theirs / ours:5.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=12.5, metavar="SECONDS")
    options = parser.parse_args()
    main(options.seconds)
