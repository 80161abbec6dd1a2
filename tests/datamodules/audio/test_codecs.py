"""Every kind of file that libsndfile writes is read to its end from anywhere, and written without losing a sample."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.checks import AudioFileError
from datamodules.audio.forms import Wish, form_of
from datamodules.audio.io import probe, read
from datamodules.audio.output import Target, check_form, open_output
from datamodules.audio.stream import open_like, read_blocks

LENGTH_SAMPLES = 30011
BLOCK_CODECS = [
    ("a.wav", "WAV", "IMA_ADPCM"),
    ("a.wav", "WAV", "MS_ADPCM"),
    ("a.wav", "WAV", "GSM610"),
    ("a.wav", "WAV", "G721_32"),
    ("a.wav", "WAV", "NMS_ADPCM_16"),
    ("a.w64", "W64", "IMA_ADPCM"),
    ("a.aif", "AIFF", "IMA_ADPCM"),
    ("a.aif", "AIFF", "GSM610"),
    ("a.au", "AU", "G721_32"),
    ("a.au", "AU", "G723_40"),
    ("a.paf", "PAF", "PCM_24"),
    ("a.paf", "PAF", "PCM_16"),
]


def tone(length_samples: int = LENGTH_SAMPLES) -> np.ndarray:
    return 0.3 * np.sin(0.05 * np.arange(length_samples))


def write_tone(path: Path, form: str, subtype: str) -> Path:
    with soundfile.SoundFile(path, "w", samplerate=16000, channels=1, format=form, subtype=subtype) as file:
        file.write(tone())
    return path


@pytest.mark.parametrize(("name", "form", "subtype"), BLOCK_CODECS)
@pytest.mark.parametrize("block_samples", [16000, 997])
def test_blocks_and_parts_are_the_whole(tmp_path: Path, name: str, form: str, subtype: str, block_samples: int) -> None:
    path = write_tone(tmp_path / name, form, subtype)
    info = probe(path)
    assert info.frames >= LENGTH_SAMPLES
    whole = read(path)
    np.testing.assert_array_equal(np.concatenate(list(read_blocks(path, block_samples)), axis=1), whole)
    for start, count in ((0, 10), (12345, 678), (info.frames - 3, 3), (info.frames - 15, 15)):
        np.testing.assert_array_equal(read(path, start, count), whole[:, start : start + count])
    assert np.corrcoef(whole[0, :LENGTH_SAMPLES], tone())[0, 1] > 0.95


@pytest.mark.parametrize("frames", [LENGTH_SAMPLES, 32010])
def test_last_block_of_24_bit_paf_is_read(tmp_path: Path, frames: int) -> None:
    with open_output(tmp_path / "a.paf", Target("PAF", "PCM_24", 16000, 1)) as put:
        put(tone(frames)[None])
    decoded = np.concatenate(list(read_blocks(tmp_path / "a.paf", 16000)), axis=1)[0]
    np.testing.assert_allclose(decoded[:frames], tone(frames), atol=2**-23)
    assert not decoded[frames:].any()


@pytest.mark.parametrize(("name", "form", "subtype"), BLOCK_CODECS)
def test_written_like_another_file_it_has_its_length(tmp_path: Path, name: str, form: str, subtype: str) -> None:
    source = probe(write_tone(tmp_path / name, form, subtype))
    with open_like(source, tmp_path / f"b{name}") as put:
        for block in read_blocks(source.path, 4000):
            put(block)
    assert probe(tmp_path / f"b{name}").frames == source.frames


def foreign_blocks(path: Path, subtype: str) -> Path:
    """Write a file with blocks of another length than libsndfile makes at its rate, as other encoders do, and its true length."""
    soundfile.write(path, tone(), 8000, subtype=subtype)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", 44100)
    place = content.index(b"fact") + 8
    content[place : place + 4] = struct.pack("<I", LENGTH_SAMPLES)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM"])
def test_blocks_of_another_encoder_are_followed_by_padding_only(tmp_path: Path, subtype: str) -> None:
    source = probe(foreign_blocks(tmp_path / "a.wav", subtype))
    with open_like(source, tmp_path / "b.wav") as put:
        put(read(source.path).astype(float))
    written = read(tmp_path / "b.wav")[0]
    assert len(written) > source.frames
    assert np.abs(written[source.frames + 20 :]).max() < 1e-3  # an ADPCM codec takes some samples to fall silent
    content = (tmp_path / "b.wav").read_bytes()
    assert struct.unpack_from("<I", content, content.index(b"fact") + 8) == (LENGTH_SAMPLES,)


def test_length_that_does_not_fit_the_blocks_is_not_believed(tmp_path: Path) -> None:
    source = foreign_blocks(tmp_path / "a.wav", "MS_ADPCM")
    content = bytearray(source.read_bytes())
    place = content.index(b"fact") + 8
    content[place : place + 4] = struct.pack("<I", 0xFFFFFFFF)
    source.write_bytes(content)
    info = probe(source)
    with open_like(info, tmp_path / "b.wav") as put:
        put(read(source).astype(float))
    written = (tmp_path / "b.wav").read_bytes()
    assert struct.unpack_from("<I", written, written.index(b"fact") + 8) == (info.frames,)


@pytest.mark.parametrize("subtype", ["DWVW_12", "GSM610"])
def test_form_without_an_encoder_is_refused(subtype: str) -> None:
    with pytest.raises(
        AudioFileError, match=f"a.aif: is read, but AIFF of subtype {subtype} with 2 channels at 16000 Hz cannot be"
    ):
        check_form("a.aif", Target("AIFF", subtype, 16000, 2))


def mpeg_layer_2(path: Path) -> Path:
    """Write silence as MPEG-1 layer II (ISO 11172-3): 128 kbit/s, 48 kHz, one channel, no sample allocated."""
    frame = bytes([0xFF, 0xFD, 0x84, 0xC0]).ljust(144 * 128 // 48, b"\0")
    path.write_bytes(60 * frame)
    return path


def test_mpeg_layer_2_is_read_but_not_written(tmp_path: Path) -> None:
    source = probe(mpeg_layer_2(tmp_path / "a.mp2"))
    with pytest.raises(AudioFileError, match="a.mp2: is read, but MP3 of subtype MPEG_LAYER_II "):
        form_of(source, Wish())


@pytest.mark.parametrize("taken", [1, 200, 1000])
def test_ogg_with_half_a_last_page_is_truncated(tmp_path: Path, taken: int) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, tone(), 16000)
    path.write_bytes(path.read_bytes()[:-taken])
    with pytest.raises(AudioFileError, match="is truncated"):
        probe(path)


def test_mp3_cut_within_its_slack_keeps_its_length(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(), 16000)
    frames = soundfile.info(path).frames
    path.write_bytes(path.read_bytes()[:-200])
    assert sum(block.shape[1] for block in read_blocks(path, 4000)) == frames
