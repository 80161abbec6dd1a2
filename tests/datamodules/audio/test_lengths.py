"""No container loses samples silently: streams that follow each other, lengths of zero, headers that count too little."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.checks import AudioFileError
from datamodules.audio.containers import ogg
from datamodules.audio.io import probe, read
from datamodules.audio.stream import open_like, read_blocks

LENGTH_SAMPLES = 30011
RATE_HZ = 48000


def tone(length_samples: int = LENGTH_SAMPLES) -> np.ndarray:
    return 0.3 * np.sin(0.05 * np.arange(length_samples))


def make(path: Path, length_samples: int = LENGTH_SAMPLES, **arguments: object) -> bytearray:
    subtype = "OPUS" if path.suffix == ".opus" else None
    soundfile.write(path, tone(length_samples), RATE_HZ, subtype=subtype, format="OGG" if subtype else None, **arguments)
    return bytearray(path.read_bytes())


def copy(source: Path, target: Path) -> None:
    with open_like(probe(source), target) as put:
        for block in read_blocks(source, 7000):
            put(block)


def wav_length(content: bytearray, value: int) -> None:
    content[4:8] = content[40:44] = struct.pack("<I", value)


def au_length(content: bytearray, value: int) -> None:
    content[8:12] = struct.pack(">I", value)


def caf_length(content: bytearray, value: int) -> None:
    place = content.index(b"data") + 4
    content[place : place + 8] = struct.pack(">Q", value)


def aiff_length(content: bytearray, value: int) -> None:
    place = content.index(b"SSND") + 4
    content[place : place + 4] = struct.pack(">I", value)


def rf64_length(content: bytearray, value: int) -> None:
    content[28:36] = struct.pack("<Q", value)


@pytest.mark.parametrize(
    ("name", "set_length", "value"),
    [
        ("a.wav", wav_length, 0),
        ("a.wav", wav_length, 0xFFFFFFFF),
        ("a.wav", wav_length, 0x7FFFF000),
        ("a.au", au_length, 0),
        ("a.au", au_length, 0xFFFFFFFF),
        ("a.caf", caf_length, 0),
        ("a.caf", caf_length, 2**64 - 1),
        ("a.aiff", aiff_length, 0),
        ("a.rf64", rf64_length, 0),
    ],
)
def test_length_that_a_pipe_left_open_is_found(
    tmp_path: Path, name: str, set_length: Callable[[bytearray, int], None], value: int
) -> None:
    content = make(tmp_path / name)
    set_length(content, value)
    (tmp_path / name).write_bytes(content)
    copy(tmp_path / name, tmp_path / f"b{name}")
    np.testing.assert_allclose(read(tmp_path / f"b{name}")[0], tone(), atol=1e-4)
    assert soundfile.info(tmp_path / f"b{name}").frames == LENGTH_SAMPLES


def test_wav_without_samples_but_with_chunks_holds_none(tmp_path: Path) -> None:
    content = make(tmp_path / "a.wav", 0)
    (tmp_path / "a.wav").write_bytes(content + b"LIST" + struct.pack("<I", 4) + b"INFO")
    with pytest.raises(AudioFileError, match="holds no samples"):
        probe(tmp_path / "a.wav")


def set_total(content: bytearray, samples: int) -> None:
    value = int.from_bytes(content[18:26], "big") & ~((1 << 36) - 1) | samples
    content[18:26] = value.to_bytes(8, "big")


@pytest.mark.parametrize("told", [0, 20000])
def test_flac_that_tells_too_little_is_read_to_its_end(tmp_path: Path, told: int) -> None:
    content = make(tmp_path / "a.flac")
    set_total(content, told)
    (tmp_path / "a.flac").write_bytes(content)
    assert probe(tmp_path / "a.flac").frames == LENGTH_SAMPLES
    np.testing.assert_allclose(read(tmp_path / "a.flac", 25000)[0], tone()[25000:], atol=1e-4)
    copy(tmp_path / "a.flac", tmp_path / "b.flac")
    assert soundfile.info(tmp_path / "b.flac").frames == LENGTH_SAMPLES


def test_flac_of_unknown_length_is_read_up_to_where_it_is_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = make(tmp_path / "a.flac")
    set_total(content, 0)
    (tmp_path / "a.flac").write_bytes(content[:-300])
    frames = probe(tmp_path / "a.flac").frames
    assert frames == LENGTH_SAMPLES // 4096 * 4096
    np.testing.assert_allclose(read(tmp_path / "a.flac")[0], tone()[:frames], atol=1e-4)
    assert [record.getMessage() for record in caplog.records if "its last frame is cut off" in record.getMessage()]


@pytest.mark.parametrize("name", ["a.ogg", "a.opus", "a.flac", "a.mp3", "a.wav"])
@pytest.mark.parametrize("second", [LENGTH_SAMPLES, 12345])
def test_files_that_were_put_together_are_read_whole(tmp_path: Path, name: str, second: int) -> None:
    one, other = make(tmp_path / name), make(tmp_path / f"b{name}", second)
    parts = [read(tmp_path / name), read(tmp_path / f"b{name}")]
    (tmp_path / name).write_bytes(one + other)
    expected = np.concatenate(parts, axis=1)
    assert probe(tmp_path / name).frames == LENGTH_SAMPLES + second
    blocks = list(read_blocks(tmp_path / name, 7000))
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), expected, atol=1e-6)
    np.testing.assert_array_equal(read(tmp_path / name, 29000, 3000), np.concatenate(blocks, axis=1)[:, 29000:32000])
    copy(tmp_path / name, tmp_path / f"c{name}")
    assert soundfile.info(tmp_path / f"c{name}").frames == LENGTH_SAMPLES + second


def test_streams_of_another_rate_are_refused_with_both(tmp_path: Path) -> None:
    one = make(tmp_path / "a.ogg")
    soundfile.write(tmp_path / "b.ogg", tone(), 16000)
    (tmp_path / "a.ogg").write_bytes(one + (tmp_path / "b.ogg").read_bytes())
    with pytest.raises(AudioFileError, match="2 streams that differ .48000 Hz with 1 channels and 16000 Hz with 1 channels"):
        probe(tmp_path / "a.ogg")


def test_ogg_that_claims_more_than_it_holds_is_refused_at_once(tmp_path: Path) -> None:
    content = make(tmp_path / "a.ogg")
    place = content.rindex(b"OggS")
    content[place + 6 : place + 14] = struct.pack("<q", 2**31)
    content[place:] = ogg.with_checksum(bytes(content[place:]))
    (tmp_path / "a.ogg").write_bytes(content)
    with pytest.raises(AudioFileError, match="its last Ogg page claims 21474.* samples more than its packets can hold"):
        probe(tmp_path / "a.ogg")


def test_mp3_whose_header_counts_too_little_is_read_whole(tmp_path: Path) -> None:
    content = make(tmp_path / "a.mp3")
    whole = read(tmp_path / "a.mp3")
    place = content.index(b"Xing") + 8
    content[place : place + 4] = struct.pack(">I", 5)
    (tmp_path / "a.mp3").write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "a.mp3"), whole)


def test_mp3_of_varying_bit_rate_without_a_header_is_read_whole(tmp_path: Path) -> None:
    quiet_and_loud = np.concatenate([np.zeros(30000), np.random.default_rng(0).uniform(-0.5, 0.5, 60000)])
    soundfile.write(tmp_path / "a.mp3", quiet_and_loud, RATE_HZ, bitrate_mode="VARIABLE", compression_level=0.2)
    content = (tmp_path / "a.mp3").read_bytes()
    first = content.index(b"\xff\xfb", content.index(b"Xing"))
    (tmp_path / "a.mp3").write_bytes(content[first:])
    assert probe(tmp_path / "a.mp3").frames >= 90000
    assert read(tmp_path / "a.mp3").shape[1] == sum(block.shape[1] for block in read_blocks(tmp_path / "a.mp3", 5000))


def test_bytes_behind_the_samples_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = make(tmp_path / "a.wav")
    content[40:44] = struct.pack("<I", 1000)
    (tmp_path / "a.wav").write_bytes(content)
    assert probe(tmp_path / "a.wav").frames == 500
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.wav'}: {2 * LENGTH_SAMPLES - 1000} bytes behind its last chunk belong to none and are left out"
    ]
