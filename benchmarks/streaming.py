"""Measure the real-time factor of restoring sound that is still coming in, by length of block.

    python benchmarks/streaming.py                         # mask_net_causal, untrained, 16 kHz mono, one thread
    python benchmarks/streaming.py --checkpoint runs/NAME

Noise is fed to the network's `stream` in blocks, after a second to warm up. The factor is seconds of computing per second of
audio; the best of the rounds counts, so that other work on the machine disturbs it least. The slowest block of that round, in
milliseconds, has to be below the length of a block, or there are gaps.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lightning_modules.runs.checkpoint import load_restorer
from models.mask_net_causal import MaskNetCausal

BLOCKS_SECONDS = (0.008, 0.016, 0.032, 0.064, 0.128)


def block_times(net: MaskNetCausal, signal: torch.Tensor, block_samples: int) -> list[float]:
    """Return the seconds that every block of a signal (1, C, T) takes."""
    state, times = None, []
    with torch.inference_mode():
        for block in signal.split(block_samples, dim=-1):
            start = time.perf_counter()
            _, state = net.stream(state, block)
            times.append(time.perf_counter() - start)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the real-time factor of restoring in blocks.")
    parser.add_argument("--checkpoint", help="a checkpoint or run folder of mask_net_causal; none: an untrained network")
    parser.add_argument("--rate", type=int, default=16000, help="sample rate in Hz of an untrained network")
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    module = load_restorer(options.checkpoint) if options.checkpoint else None
    net, rate = (module.net, module.sample_rate) if module else (MaskNetCausal(options.rate), options.rate)
    if not isinstance(net, MaskNetCausal):
        raise SystemExit(f"--checkpoint {options.checkpoint} holds a {type(net).__name__}; only mask_net_causal takes blocks")
    net.eval()
    print(
        f"algorithmic latency {1000 * net.latency_samples / rate:g} ms, {rate} Hz, {options.channels} ch, one block after another"
    )
    print("| block, ms | threads | real-time factor | slowest block, ms |\n|---|---|---|---|")
    for seconds in BLOCKS_SECONDS:
        samples = max(1, round(seconds * rate / net.hop_samples)) * net.hop_samples
        length = (options.seconds * rate // samples) * samples
        signal = 0.1 * torch.randn(1, options.channels, length, generator=torch.Generator().manual_seed(0))
        block_times(net, signal[..., : max(1, rate // samples) * samples], samples)
        best = min((block_times(net, signal, samples) for _ in range(options.rounds)), key=sum)
        factor = sum(best) / (length / rate)
        print(f"| {1000 * samples / rate:g} | {options.threads} | {factor:.3f} | {1000 * max(best):.1f} |")


if __name__ == "__main__":
    main()
