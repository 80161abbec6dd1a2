"""Rate against quality of the stereo autoencoder's code on one song, beside MP3, Opus and Vorbis.

    python benchmarks/stereo_rates.py SONG.flac

Networks with codes of few channels are trained on the first 80 % of the song as `experiment=stereo_autoencoder` does, as mid
and side, seed 0. Their codes are rounded to steps of several sizes, and the last 10 % of the song is coded. The bytes counted are
those from which an arithmetic coder gives the same numbers back, its tables of frequencies for each channel included, the
weights of the network not. The bytes of the codecs are those of their files, settings as in `datamodules.corruptions.codec`
(Opus: of one channel). Every row has its own rate, of both channels.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import soundfile
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from datamodules.audio import io as audio_io
from datamodules.corruptions import codec
from datamodules.time_parts import time_part
from lightning_modules.metrics.lsd import lsd
from lightning_modules.metrics.snr import snr_db
from models.layers.mid_side import as_mid_side
from models.layers.range_coding import decoded, encoded
from models.layers.straight_through import rounded_to
from models.stereo_autoencoder import StereoAutoencoder

BATCH, WINDOW, RATE, SEED = 100, 1024, 3e-3, 0
CODES = ((4, 4), (8, 4), (8, 8), (8, 16))
"""Channels and stride."""
STEPS = (0.02, 0.05, 0.1, 0.2, 0.4)
WAYS = {
    "mp3": (codec.through_mp3, codec.mp3_file, None, (32.0, 64.0, 128.0, 320.0)),
    "vorbis": (codec.through_vorbis, codec.vorbis_file, None, (0.0, 0.3, 0.6, 1.0)),
    "opus": (codec.through_opus, codec.opus_file, 48_000, (16.0, 32.0, 64.0, 160.0)),
}
"""By name: sound from sound, bytes from sound, the rate in Hz that it is coded at, and settings as these take them."""


def trained(song: Tensor, channels: int, stride: int, steps: int) -> StereoAutoencoder:
    """Return a network that has learned windows of a song (2, T)."""
    torch.manual_seed(SEED)
    net, generator = StereoAutoencoder(channels, stride=stride, layout="mid_side"), torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    for _ in range(steps):
        starts = torch.randint(song.shape[1] - WINDOW, (BATCH,), generator=generator).tolist()
        clean = torch.stack([song[:, start : start + WINDOW] for start in starts])
        optimizer.zero_grad()
        (net(clean) - clean).square().mean().backward()
        optimizer.step()
    return net.eval()


def coded_bytes(code: Tensor, step: float) -> int:
    """Return how many bytes a rounded code (C, L) takes, channel by channel, after making sure that they give it back.

    Raises:
        ArithmeticError: if they do not.
    """
    size = 0
    for channel in (code / step).round().int().tolist():
        content = encoded(channel)
        if decoded(content) != channel:
            raise ArithmeticError("the bytes of a code do not give it back")
        size += len(content)
    return size


def autoencoder_rows(song: Tensor, test: Tensor, rate_hz: int, steps: int) -> Iterator[str]:
    """Yield a line for every code and step: its kbit/s and what comes back."""
    for channels, stride in CODES:
        net = trained(song, channels, stride, steps)
        with torch.no_grad():
            code = net.encode(test[None])
            for step in STEPS:
                rounded = rounded_to(code, step)
                kbps = 8 * coded_bytes(rounded[0], step) / (test.shape[1] / rate_hz) / 1000
                yield line(
                    f"{channels} channels, stride {stride}, step {step:g}", kbps, net.decode(rounded, test.shape[1])[0], test
                )
            yield line(f"{channels} channels, stride {stride}, not rounded", float("nan"), net(test[None])[0], test)


def codec_rows(test: Tensor, rate_hz: int) -> Iterator[str]:
    """Yield a line for every codec and setting."""
    audio = test.numpy()
    for name, (through, file_of, coded_hz, settings) in WAYS.items():
        resampled = audio if coded_hz is None else audio_io.resample(audio, rate_hz, coded_hz)
        for setting in settings:
            kbps = 8 * len(file_of(resampled, coded_hz or rate_hz, setting)) / (test.shape[1] / rate_hz) / 1000
            yield line(f"{name} {setting:g}", f"{kbps:.0f}", torch.from_numpy(through(audio, rate_hz, setting)), test)


def line(name: str, kbps: str, restored: Tensor, clean: Tensor) -> str:
    """Return a row of the table: rate, SNR of all, of mid and of side, LSD."""
    pair = restored[None].float(), clean[None]
    turned = [as_mid_side(signal) for signal in pair]
    parts = [float(snr_db(turned[0][:, place : place + 1], turned[1][:, place : place + 1])) for place in (0, 1)]
    return f"| {name} | {kbps} | {float(snr_db(*pair)):.2f} | {parts[0]:.2f} | {parts[1]:.2f} | {float(lsd(*pair)):.2f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("song", type=Path, help="a stereo file of 44.1 or 48 kHz")
    parser.add_argument("--steps", type=int, default=150, help="of each training; as the experiment's unless told")
    given = parser.parse_args()
    audio, rate_hz = soundfile.read(given.song, dtype="float32", always_2d=True)
    if audio.shape[1] != 2:
        sys.exit(f"{given.song} has {audio.shape[1]} channels; a song in stereo is needed")
    song = torch.from_numpy(audio.T.copy())
    parts = {split: time_part(song.shape[1], rate_hz, split) for split in ("train", "test")}
    train, test = (song[:, start : start + length] for start, length in (parts["train"], parts["test"]))
    print("| way | kbit/s | SNR dB | mid dB | side dB | LSD |\n|---|---|---|---|---|---|")
    for row in chain(codec_rows(test, rate_hz), autoencoder_rows(train, test, rate_hz, given.steps)):
        print(row, flush=True)


if __name__ == "__main__":
    main()
