"""Measure how many seconds of audio per second the corruption chain makes, next to two libraries doing the same.

Every engine corrupts the same 32 examples of 16,384 samples at 16 kHz, in random order: a low-pass with a random cutoff from 1 to
7 kHz and noise from white to brown at a random ratio from 0 to 20 dB, drawn anew for every example. What is drawn differs in two
ways: Clarion draws one of three colors where the libraries draw the slope between white and brown, and one order of the two steps
for a batch, as torch-audiomentations does, where audiomentations draws one for each example. The filter is a zero-phase
Butterworth of 12 to 24 dB per octave, as a corruption must not delay its audio; audiomentations is also shown with its causal
filter, and torch-audiomentations has only a windowed sinc. Rounds alternate between the engines and the best run of each
counts, so that other work on the machine disturbs the comparison least.

audiomentations works on one example after the other in one process and thread; Clarion uses the threads of PyTorch, two unless
`--threads` says otherwise. Clarion is therefore measured with one thread as well, which compares equal means: training with
audiomentations would spread it over worker processes.

    pip install --no-deps audiomentations numpy-minmax numpy-rms python-stretch lazy-loader librosa
    pip install --no-deps torch-audiomentations torch-pitch-shift primePy julius
    python benchmarks/corruption_chain.py

The libraries are no dependencies of Clarion: put them into an environment of their own. A missing one is named and left out.
"""

import argparse
import functools
import importlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from datamodules.corruptions.bandwidth import LowPass
from datamodules.corruptions.chain import Chain
from datamodules.corruptions.noise import Noise
from machine.system import load_average

RATE_HZ = 16_000
BATCH = 32
LENGTH_SAMPLES = 16_384
CUTOFF_HZ = (1000.0, 7000.0)
SNR_DB = (0.0, 20.0)
ALONE = "clarion, one thread"

Engine = Callable[[Tensor], object]


def clarion() -> Engine:
    """Build Clarion's chain."""
    low_pass = LowPass(CUTOFF_HZ, filters=["butterworth"], order=(2, 4))
    chain = Chain([low_pass, Noise(["white", "pink", "brown"], SNR_DB)], order="random")
    generator = torch.Generator().manual_seed(0)
    return lambda clean: chain(clean, RATE_HZ, generator)


def on_one_thread(engine: Engine) -> Engine:
    """Let an engine use a single thread of PyTorch."""

    def alone(clean: Tensor) -> object:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return engine(clean)
        finally:
            torch.set_num_threads(threads)

    return alone


def audiomentations(zero_phase: bool) -> Engine:
    """Build the chain of audiomentations, which takes one example at a time."""
    library = importlib.import_module("audiomentations")
    low_pass = library.LowPassFilter(*CUTOFF_HZ, min_rolloff=12, max_rolloff=24, zero_phase=zero_phase, p=1.0)
    noise = library.AddColorNoise(*SNR_DB, min_f_decay=-6.02, max_f_decay=0.0, p=1.0)
    chain = library.Compose([low_pass, noise], shuffle=True)
    return lambda clean: np.stack([chain(example, RATE_HZ) for example in clean.numpy()])


def torch_audiomentations() -> Engine:
    """Build the chain of torch-audiomentations, which overwrites its input."""
    library = importlib.import_module("torch_audiomentations")
    low_pass = library.LowPassFilter(*CUTOFF_HZ, p=1.0, sample_rate=RATE_HZ, output_type="tensor")
    noise = library.AddColoredNoise(*SNR_DB, min_f_decay=0.0, max_f_decay=2.0, p=1.0, sample_rate=RATE_HZ, output_type="tensor")
    chain = library.Compose([low_pass, noise], shuffle=True, output_type="tensor")
    return lambda clean: chain(clean.clone(), sample_rate=RATE_HZ)


PEERS: dict[str, Callable[[], Engine]] = {
    "audiomentations": functools.partial(audiomentations, zero_phase=True),
    "audiomentations, causal": functools.partial(audiomentations, zero_phase=False),
    "torch-audiomentations": torch_audiomentations,
}


def installed(builders: dict[str, Callable[[], Engine]]) -> dict[str, Engine]:
    """Build every engine whose library can be imported, and name the others."""
    engines = {}
    for name, build in builders.items():
        try:
            engines[name] = build()
        except (ImportError, OSError) as error:
            print(f"skipped {name}: {error} (this file's beginning says how to install it)")
    return engines


def best_seconds(engines: dict[str, Engine], rounds: int) -> dict[str, float]:
    """Run all engines in turn and return the shortest time each one took for a batch."""
    clean = 0.1 * torch.randn(BATCH, 1, LENGTH_SAMPLES, generator=torch.Generator().manual_seed(1))
    best = dict.fromkeys(engines, float("inf"))
    for _ in range(rounds):
        for name, engine in engines.items():
            best[name] = min(best[name], _best_of(engine, clean, repeats=5))
    return best


def _best_of(engine: Engine, clean: Tensor, repeats: int) -> float:
    """Warm an engine up with one batch, then return the shortest of some runs in seconds."""
    engine(clean)
    shortest = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        engine(clean)
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Corruption chain: audio seconds per second, ours | peer | ratio.")
    parser.add_argument("--rounds", type=int, default=10, help="how often every engine gets its turn (default: 10)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (default: 2)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", module="torch_audiomentations")
    peers = installed(PEERS)
    seconds = best_seconds({"clarion": clarion(), ALONE: on_one_thread(clarion()), **peers}, arguments.rounds)
    speed = {name: BATCH * LENGTH_SAMPLES / RATE_HZ / duration for name, duration in seconds.items()}
    print(f"{arguments.threads} threads, {BATCH} x {LENGTH_SAMPLES} samples at {RATE_HZ} Hz, load average {load_average():.1f}")
    print(f"{'peer':24}{'ours (audio s/s)':>18}{'one thread':>12}{'peer (audio s/s)':>18}{'ratio':>8}{'one thread':>12}")
    for name in peers:
        ours, alone, peer = speed["clarion"], speed[ALONE], speed[name]
        print(f"{name:24}{ours:18,.0f}{alone:12,.0f}{peer:18,.0f}{ours / peer:8.1f}{alone / peer:12.1f}")
    if not peers:
        print(f"{'(none installed)':24}{speed['clarion']:18,.0f}{speed[ALONE]:12,.0f}")


if __name__ == "__main__":
    main()
