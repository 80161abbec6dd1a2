"""What it costs to keep the noisy phase, and to restore bands in place of bins: clean log spectra laid on noisy signals.

    python benchmarks/mel_inversion.py FILE...            # at 5 dB of white noise, seed 0

The row of a spectrum is the mean SNR that a network reaches which finds the clean log spectrum.
"""

import argparse
import sys
from pathlib import Path
from statistics import fmean

import soundfile
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from datamodules.draws import scale_to_snr
from lightning_modules.metrics.snr import snr_db
from models.spectral_restorer import SpectralRestorer

SPECTRA = {"bins": (512, 128, None), "87 bands": (512, 128, 87), "64 bands": (512, 128, 64), "40 bands": (256, 128, 40)}
"""Samples of a frame, from frame to frame, and bands."""


class Known(SpectralRestorer):
    """Restore by the clean features of a signal."""

    wanted: Tensor

    def enhanced(self, features: Tensor) -> Tensor:
        """Return the clean features (N, D, L)."""
        return self.wanted


def noisy(clean: Tensor, wanted_db: float, generator: torch.Generator) -> Tensor:
    """Return a signal in white noise at a signal-to-noise ratio."""
    return clean + scale_to_snr(clean, torch.randn(clean.shape, generator=generator), torch.tensor([wanted_db]))


def reached_db(paths: list[str], wanted_db: float, spectrum: tuple[int, int, int | None]) -> float:
    """Return the mean signal-to-noise ratio that a spectrum allows."""
    generator, values = torch.Generator().manual_seed(0), []
    for path in paths:
        audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        clean = torch.from_numpy(audio.T[:1].copy())[None]
        corrupted, net = noisy(clean, wanted_db, generator), Known(sample_rate, *spectrum)
        net.wanted = net.features_of(corrupted, clean)[1]
        values.append(snr_db(net(corrupted), clean).item())
    return fmean(values)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings, none longer than 16 s")
    parser.add_argument("--snr-db", type=float, default=5.0, help="of the input (default: 5)")
    options = parser.parse_args()
    for name, spectrum in SPECTRA.items():
        print(f"{name}: {reached_db(options.files, options.snr_db, spectrum):.1f} dB")


if __name__ == "__main__":
    main()
