"""Measure the mean squared error on sines by their number of cycles, once with the published phase of 0 and once with any.

    python benchmarks/sine_tables.py runs/NAME runs/OTHER
    python benchmarks/sine_tables.py runs/NAME --corruption noise

Frames of 100 samples hold 1 to 9 cycles. Where every tenth sample is kept, fewer than 5 cycles are below half of the kept rate,
and band-limited interpolation restores them exactly by construction; of 5, nothing is kept at phase 0; of more, the samples of
fewer cycles upside down are kept, which the phase alone tells apart.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from datamodules.corruptions import Corruption
from datamodules.corruptions.impulses import Impulses
from datamodules.corruptions.quantization import Quantize
from datamodules.draws import Range
from datamodules.seeding import generator_for
from datamodules.sources.sine import SineSource
from lightning_modules.base import RestorationModule
from lightning_modules.commands.opening import open_method

RATE_HZ, SAMPLES, SEED = 4000, 100, 20261
CURVES = ["moving_average", "linear_hold", "cubic_hold", "akima_hold", "polynomial_hold", "band_limited_hold"]
CORRUPTIONS: dict[str, tuple[Corruption, list[str]]] = {
    "hold": (Quantize(modes=["hold_causal"], hold_factor=10), CURVES),
    "noise": (Impulses(), ["moving_average", "wiener"]),
}
"""By name, with the methods that need no training."""
CLASSES = {"1 to 9": range(1, 10), "1 to 4": range(1, 5), "5": range(5, 6), "6 to 9": range(6, 10)}
PHASES: dict[str, Range] = {"phase 0": 0.0, "any phase": (0.0, 1.0)}


def pairs(corruption: Corruption, phase: Range, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return frames that no training has seen, (N, 1, T), what became of them, and their cycles (N,)."""
    source = SineSource("unused", RATE_HZ, SAMPLES, frames, phase=phase, render_seed=SEED)
    clean = source.render(range(frames))[:, None]
    cycles = torch.tensor([1 + index % 9 for index in range(frames)])
    return clean, corruption(clean, RATE_HZ, generator_for(SEED, "corruption")), cycles


def line(name: str, restored: Tensor, clean: Tensor, cycles: Tensor) -> str:
    errors = (restored - clean).square().mean(dim=(1, 2))
    cells = [errors[torch.isin(cycles, torch.tensor([*numbers]))].mean() for numbers in CLASSES.values()]
    return f"| {name} | {' | '.join(f'{float(cell):.5f}' for cell in cells)} |"


def table(title: str, methods: Sequence[tuple[str, RestorationModule]], made: tuple[Tensor, Tensor, Tensor]) -> None:
    """Print a table with a row for each method, the untouched input first."""
    clean, corrupted, cycles = made
    print(f"\n| {title} | {' | '.join(f'{name} cycles' for name in CLASSES)} |\n|---|{'---|' * len(CLASSES)}")
    print(line("untouched input", corrupted, clean, cycles))
    for name, module in methods:
        with torch.inference_mode():
            print(line(name, module.restore(corrupted), clean, cycles), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure methods on sines by their number of cycles.")
    parser.add_argument("runs", nargs="*", help="run folders or checkpoints")
    parser.add_argument("--corruption", choices=CORRUPTIONS, default="hold")
    parser.add_argument("--frames", type=int, default=1800, help="of each table")
    options = parser.parse_args()
    corruption, classical = CORRUPTIONS[options.corruption]
    methods = [(Path(name).name, open_method(name, "cpu")(RATE_HZ)) for name in [*classical, *options.runs]]
    for title, phase in PHASES.items():
        table(f"MSE, {title}", methods, pairs(corruption, phase, options.frames))


if __name__ == "__main__":
    main()
