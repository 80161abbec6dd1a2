"""Mean SNR of the decision-directed Wiener filter, with known and with estimated noise, on music in white noise.

    python benchmarks/wiener_check.py FOLDER

FOLDER holds audio files and a MANIFEST.csv with the columns `file`, `split` and `duration_s`. Of each test file longer than
one second the first ten seconds are taken, mixed to mono and brought to 16 kHz. In the repository's audio set these are ten.
"""

import argparse
import csv
import sys
from pathlib import Path

import soundfile
import soxr
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from datamodules.draws import scale_to_snr
from lightning_modules.metrics.snr import snr_db
from models.classical.wiener import Wiener, WienerOracle

SAMPLE_RATE_HZ = 16000
SECONDS = 10
INPUT_SNRS_DB = (0.0, 5.0, 10.0)


def read_excerpt(path: Path) -> Tensor:
    """Return the start of a file as (1, 1, T) at SAMPLE_RATE_HZ."""
    rate = soundfile.info(path).samplerate
    audio, _ = soundfile.read(path, frames=SECONDS * rate, always_2d=True)
    mono = soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE_HZ)
    return torch.from_numpy(mono).float()[None, None]


def add_white_noise(clean: Tensor, input_snr_db: float, generator: torch.Generator) -> Tensor:
    """Return clean + white Gaussian noise at exactly the asked SNR."""
    return clean + scale_to_snr(clean, torch.randn(clean.shape, generator=generator), torch.tensor([input_snr_db]))


def main(folder: Path) -> None:
    """Print the table: one row per input SNR."""
    with (folder / "MANIFEST.csv").open(newline="", encoding="utf-8") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["split"] == "test" and float(row["duration_s"]) > 1]
    excerpts = [read_excerpt(folder / row["file"]) for row in rows]
    blind, oracle = Wiener(SAMPLE_RATE_HZ), WienerOracle(SAMPLE_RATE_HZ)
    print(f"{len(excerpts)} files; mean SNR in dB\ninput | known noise | blind")
    for input_snr_db in INPUT_SNRS_DB:
        generator = torch.Generator().manual_seed(int(input_snr_db))
        noisy = [add_white_noise(clean, input_snr_db, generator) for clean in excerpts]
        pairs = list(zip(noisy, excerpts, strict=True))
        known = torch.stack([snr_db(oracle.restore_with_clean(x, clean), clean) for x, clean in pairs]).mean()
        unknown = torch.stack([snr_db(blind(x), clean) for x, clean in pairs]).mean()
        print(f"{input_snr_db:5.1f} | {known:11.2f} | {unknown:5.2f}")
    unchanged = [snr_db(blind(clean), clean).item() for clean in excerpts]
    print(f"blind on clean input: change at {min(unchanged):.1f} to {max(unchanged):.1f} dB below the signal")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    main(options.folder)
