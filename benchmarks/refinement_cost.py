"""What refinement costs: real-time factor and peak memory of restoring with a collaborative GAN, by the number of steps.

    python benchmarks/refinement_cost.py                          # collaborative_gan_small, untrained
    python benchmarks/refinement_cost.py --checkpoint runs/NAME

A minute of noise at 16 kHz goes through the stream that restore.py uses, each number of steps in a process of its own, whose
peak resident memory the system reports. The untrained generator returns its input; the work is the same.
"""

import argparse
import multiprocessing
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from restore_speed import seconds_of, untrained

from lightning_modules.runs.checkpoint import load_restorer
from machine.system import peak_memory_mib

RATE_HZ = 16000
STEPS = (0, 1, 2, 5, 10, 20)


@dataclass(frozen=True)
class Cost:
    """Seconds of computing per second of audio, and the most memory the process held."""

    real_time_factor: float
    peak_mb: float


def measure(checkpoint: str | None, model: str, steps: int, seconds: int, threads: int) -> Cost:
    torch.set_num_threads(threads)
    module = load_restorer(checkpoint) if checkpoint else untrained(model).eval()
    signal = 0.1 * torch.randn(1, RATE_HZ * seconds, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    refined = module.with_num_steps(steps)
    seconds_of(refined, signal[:, : 8 * RATE_HZ], RATE_HZ)
    factor = min(seconds_of(refined, signal, RATE_HZ) for _ in range(2)) / seconds
    return Cost(factor, peak_memory_mib())


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what refinement costs, by its steps.")
    parser.add_argument("--model", default="collaborative_gan_small", help="a file of conf/model, freshly initialized")
    parser.add_argument("--checkpoint", help="a checkpoint or run folder, in place of --model")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print("| steps | real-time factor | times the generator's | peak memory MB | above the first step's |\n|---|---|---|---|---|")
    costs: dict[int, Cost] = {}
    for steps in STEPS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            costs[steps] = pool.apply(measure, (options.checkpoint, options.model, steps, options.seconds, options.threads))
        cost, first = costs[steps], costs[min(steps, 1)]
        ratio = cost.real_time_factor / costs[0].real_time_factor
        growth = cost.peak_mb - first.peak_mb
        print(f"| {steps} | {cost.real_time_factor:.4f} | {ratio:.1f} | {cost.peak_mb:.0f} | {growth:+.0f} |", flush=True)


if __name__ == "__main__":
    main()
