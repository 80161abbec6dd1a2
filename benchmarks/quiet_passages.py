"""How long a method restores badly what follows something 40 dB louder: SI-SDR by half second, and of the same sound alone.

    python benchmarks/quiet_passages.py METHOD... --files FILE...      # 4 s of each, white noise at 5 dB, seed 0

METHOD is a run folder, a checkpoint or the name of a method without training. Every file is given alone, and behind itself 40 dB
louder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import soundfile
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import clarion
from datamodules.audio.io import resample
from datamodules.draws import scale_to_snr
from lightning_modules.metrics.snr import si_sdr_db

SECONDS, SKIPPED_SECONDS = 4, 4
PART_SECONDS = 0.5
SNR_DB = 5.0
QUIETER = 0.01


def excerpt(path: str, sample_rate: int) -> Tensor:
    """Return 4 s of a file in mono, (1, 1, T) at a rate, from 4 s on or as late as there are so many."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if len(audio) < SECONDS * rate:
        raise SystemExit(f"{path}: lasts {len(audio) / rate:.1f} s; {SECONDS} are needed")
    start = min(SKIPPED_SECONDS * rate, len(audio) - SECONDS * rate)
    mono = audio[start : start + SECONDS * rate].mean(axis=1)
    return torch.from_numpy(resample(mono[None], rate, sample_rate))[None]


def by_part(restored: Tensor, clean: Tensor, sample_rate: int) -> list[float]:
    """Return the SI-SDR in dB of two signals (1, 1, T): of all, then of every half second."""
    part = round(PART_SECONDS * sample_rate)
    ranges = [slice(None), *(slice(start, start + part) for start in range(0, clean.shape[-1] - part + 1, part))]
    return [si_sdr_db(restored[..., place], clean[..., place]).item() for place in ranges]


def rows(method: str, files: Sequence[str], sample_rate: int) -> list[list[float]]:
    """Return the mean SI-SDR in dB, (2, parts + 1): alone, and behind what is louder."""
    restore, draw, values = clarion.load(method), torch.Generator().manual_seed(0), []
    for path in files:
        clean = excerpt(path, sample_rate)
        noise = scale_to_snr(clean, torch.randn(clean.shape, generator=draw), torch.tensor([SNR_DB]))
        given = clean + noise
        behind = restore(torch.cat([given, QUIETER * given], dim=-1), sample_rate)[..., clean.shape[-1] :] / QUIETER
        values.append([by_part(each, clean, sample_rate) for each in (restore(given, sample_rate), behind)])
    return torch.tensor(values).mean(dim=0).tolist()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="+", metavar="METHOD")
    parser.add_argument("--files", nargs="+", metavar="FILE", required=True)
    parser.add_argument("--sample-rate", type=int, default=16000, help="in Hz (default: 16000)")
    options = parser.parse_args()
    ends = [f"to {PART_SECONDS * part:.1f} s" for part in range(1, round(SECONDS / PART_SECONDS) + 1)]
    print(f"| SI-SDR, dB | all | {' | '.join(ends)} |\n|---|{'---|' * (len(ends) + 1)}")
    for method in options.methods:
        for name, values in zip(("alone", "behind"), rows(method, options.files, options.sample_rate), strict=True):
            print(f"| {Path(method).name}, {name} | {' | '.join(f'{value:.1f}' for value in values)} |", flush=True)


if __name__ == "__main__":
    main()
