"""A lossy file comes out at the bit rate it had, at its level, and in step with its input."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.containers import mpeg
from datamodules.audio.encoding import encoder_settings
from datamodules.audio.io import probe, read
from datamodules.audio.stream import open_like, read_blocks

RATE_HZ = 44100


def music(seconds: float = 1.5) -> np.ndarray:
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal((time.size, 2))
    return 0.3 * np.sin(2 * np.pi * 440 * time)[:, None] + 0.05 * noise


def through(tmp_path: Path, name: str, **arguments: object) -> tuple[Path, Path]:
    source, target = tmp_path / name, tmp_path / f"b{name}"
    soundfile.write(source, music(), 48000 if name.endswith(".opus") else RATE_HZ, **arguments)
    with open_like(probe(source), target) as put:
        for block in read_blocks(source, RATE_HZ):
            put(block)
    return source, target


def gain(source: Path, target: Path) -> float:
    one, other = read(source)[:, 2000:-3000], read(target)[:, 2000:-3000]
    return float((one * other).sum() / (one * one).sum())


@pytest.mark.parametrize("level", [0.0, 0.45])
def test_constant_bit_rate_of_mp3_is_kept(tmp_path: Path, level: float) -> None:
    source, target = through(tmp_path, "a.mp3", bitrate_mode="CONSTANT", compression_level=level)
    kbps = []
    for path in (source, target):
        content = path.read_bytes()
        kbps.append({frame.kbps for frame in list(mpeg.frames(content, 0, len(content)))[1:]})
    assert kbps[0] == kbps[1]
    assert len(kbps[0]) == 1
    assert gain(source, target) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("level", [0.0, 0.5])
@pytest.mark.parametrize("mode", ["VARIABLE", "AVERAGE"])
def test_varying_bit_rate_of_mp3_is_about_kept(tmp_path: Path, mode: str, level: float) -> None:
    source, target = through(tmp_path, "a.mp3", bitrate_mode=mode, compression_level=level)
    assert target.stat().st_size == pytest.approx(source.stat().st_size, rel=0.15)
    assert gain(source, target) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("level", [0.2, 0.8])
@pytest.mark.parametrize(("name", "subtype"), [("a.ogg", "VORBIS"), ("a.opus", "OPUS")])
def test_quality_of_ogg_is_kept(tmp_path: Path, name: str, subtype: str, level: float) -> None:
    source, target = through(tmp_path, name, format="OGG", subtype=subtype, compression_level=level)
    assert target.stat().st_size == pytest.approx(source.stat().st_size, rel=0.15)
    assert gain(source, target) == pytest.approx(1.0, abs=0.02)


def test_what_was_of_another_codec_loses_as_little_as_it_can(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", music(0.1), RATE_HZ)
    settings = encoder_settings(probe(tmp_path / "a.wav"), "VORBIS")
    assert (settings.level, settings.mode, settings.gain) == (0.0, None, 1.0)
    assert encoder_settings(probe(tmp_path / "a.wav"), "PCM_16").level is None
