"""What the noise feature of the stereo autoencoder adds to one song, above several frequencies.

    python benchmarks/stereo_noise.py SONG.flac RUN [RUN ...]

Each run is one of `model=stereo_autoencoder` or `model=stereo_autoencoder_noise` with `data.split=time`. The last 10 %
of the song are restored; distances are those of the suite, the log-spectral one down to 60 dB below the peak of a frame.
"""

import argparse
import sys
from pathlib import Path

import soundfile
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from datamodules.time_parts import time_part
from lightning_modules.commands.opening import open_method
from lightning_modules.metrics.lsd import lsd_hf60
from lightning_modules.metrics.mel import mel_hf
from lightning_modules.metrics.snr import snr_db

ABOVE_HZ = (4000, 8000)


def head() -> str:
    """Return the first lines of the table."""
    distances = [f"{name} above {hz} Hz" for hz in ABOVE_HZ for name in ("LSD-HF60", "log-mel")]
    return f"| run | SNR dB | {' | '.join(distances)} |\n|---|---|{'---|' * len(distances)}"


def line(name: str, restored: Tensor, clean: Tensor, rate_hz: int) -> str:
    """Return a row for (1, 2, T) each."""
    values = [float(metric(rate_hz, hz)(restored, clean)) for hz in ABOVE_HZ for metric in (lsd_hf60, mel_hf)]
    return f"| {name} | {float(snr_db(restored, clean)):.2f} | {' | '.join(f'{value:.3f}' for value in values)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("song", type=Path, help="a stereo file")
    parser.add_argument("runs", nargs="+", help="run folders or checkpoints")
    given = parser.parse_args()
    audio, rate_hz = soundfile.read(given.song, dtype="float32", always_2d=True)
    if audio.shape[1] != 2:
        sys.exit(f"{given.song} has {audio.shape[1]} channels; a song in stereo is needed")
    start, length = time_part(len(audio), rate_hz, "test")
    clean = torch.from_numpy(audio[start : start + length].T.copy())[None]
    print(head())
    for run in given.runs:
        with torch.inference_mode():
            print(line(Path(run).name, open_method(run, "cpu")(rate_hz).restore(clean), clean, rate_hz), flush=True)


if __name__ == "__main__":
    main()
