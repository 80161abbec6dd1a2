"""Measure the real-time factor of restoration: seconds of computing per second of audio.

    python benchmarks/restore_speed.py                         # unet_small, untrained, 16 kHz mono, two threads
    python benchmarks/restore_speed.py --checkpoint runs/NAME

Noise is fed through the stream that restore.py uses, in blocks of a second; the first chunk warms up. The best of the
rounds counts, so that other work on the machine disturbs it least.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hydra import compose, initialize_config_dir

from conf.compose import plain
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_restorer, load_restorer
from models.streaming.restoration import RestorationStream, Settings

TARGET = 0.03


def untrained(model: str) -> RestorationModule:
    with initialize_config_dir(str(ROOT / "conf")):
        return build_restorer(plain(compose("train", [f"model={model}"]).model))


def seconds_of(module: RestorationModule, signal: torch.Tensor, rate_hz: int) -> float:
    stream = RestorationStream(module.restore, module.chunking(), module.sample_rate, rate_hz, signal.shape[0], Settings())
    start = time.perf_counter()
    with torch.inference_mode():
        for block in signal.split(rate_hz, dim=-1):
            stream.push(block)
        stream.flush()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the real-time factor of restoration.")
    parser.add_argument("--model", default="unet_small", help="a file of conf/model, freshly initialized")
    parser.add_argument("--checkpoint", help="a checkpoint or run folder, in place of --model")
    parser.add_argument("--rate", type=int, default=16000, help="sample rate of the audio in Hz")
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    module = load_restorer(options.checkpoint) if options.checkpoint else untrained(options.model).eval()
    shape = (options.channels, options.rate * options.seconds)
    signal = 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seconds_of(module, signal[:, : 8 * options.rate], options.rate)
    factor = min(seconds_of(module, signal, options.rate) for _ in range(options.rounds)) / options.seconds
    print("| method | audio | threads | real-time factor | target |\n|---|---|---|---|---|")
    audio = f"{options.rate} Hz, {options.channels} ch"
    print(f"| {options.checkpoint or options.model} | {audio} | {options.threads} | {factor:.4f} | {TARGET} |")


if __name__ == "__main__":
    main()
