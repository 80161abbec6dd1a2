"""Measure the peak memory of restore.py on a file of hours against one of ten seconds.

    python benchmarks/restore_memory.py --hours 3

A small untrained U-Net, the identity at 16 kHz, restores noise of 16 kHz mono and of 44.1 kHz stereo, which is resampled on
the way; each file in a process of its own, whose peak resident memory the system reports. Files are made in a temporary
folder: about 4.5 GB for three hours.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from datamodules.audio.output import Target, open_output
from lightning_modules.runs.checkpoint import build_restorer
from machine.system import wait_for_peak_memory_mib

NET = {"_target_": "models.unet.UNet", "depth": 4, "channels": [8] * 4, "kernels": [9] * 4, "dropout": 0.0}
MODEL = {"_target_": "lightning_modules.base.RestorationModule", "sample_rate": 16000, "net": NET}
ALLOWED_MB = 100


def write_checkpoint(path: Path) -> None:
    torch.save({"model_config": MODEL, "state_dict": build_restorer(MODEL).state_dict()}, path)


def write_noise(path: Path, rate_hz: int, channels: int, seconds: int) -> None:
    generator = np.random.default_rng(0)
    with open_output(path, Target("WAV", "PCM_16", rate_hz, channels)) as put:
        for _ in range(seconds):
            put(generator.uniform(-0.5, 0.5, (channels, rate_hz)))


def peak_mb(checkpoint: Path, audio: Path, output: Path) -> float:
    """Restore a file in a process of its own and return that process's peak resident memory."""
    process = subprocess.Popen([sys.executable, ROOT / "restore.py", checkpoint, audio, "-o", output], stdout=subprocess.DEVNULL)
    peak_mib = wait_for_peak_memory_mib(process)
    if process.returncode:
        raise SystemExit(f"restore.py ended with exit code {process.returncode} on {audio}")
    return peak_mib


def measure(folder: Path, checkpoint: Path, rate_hz: int, channels: int, seconds: int) -> float:
    audio, result = folder / f"{seconds}.wav", folder / "restored" / f"{seconds}.wav"
    write_noise(audio, rate_hz, channels, seconds)
    peak = peak_mb(checkpoint, audio, result.parent)
    audio.unlink()
    result.unlink()
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the peak memory of restore.py.")
    parser.add_argument("--hours", type=float, default=3.0)
    seconds = round(parser.parse_args().hours * 3600)
    print(f"| file | {seconds / 3600:g} h, MB | 10 s, MB | difference, MB | allowed |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_checkpoint(folder / "tiny.ckpt")
        for rate_hz, channels in ((16000, 1), (44100, 2)):
            short, long = (measure(folder, folder / "tiny.ckpt", rate_hz, channels, length) for length in (10, seconds))
            print(f"| {rate_hz} Hz, {channels} ch | {long:.0f} | {short:.0f} | {long - short:.0f} | {ALLOWED_MB} |", flush=True)


if __name__ == "__main__":
    main()
