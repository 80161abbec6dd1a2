"""Metadata that libsndfile does not know: carried over unchanged, and the audio beside it as well."""

from pathlib import Path

import numpy as np
import soundfile

from datamodules.audio.io import probe, read, write
from datamodules.audio.stream import open_like, read_blocks

PICTURE = (3).to_bytes(4, "big") + b"\x00\x00\x00\x09image/png" + bytes(20) + (20).to_bytes(4, "big") + b"not really a picture"
COMMENTS = (2).to_bytes(4, "little") + b"me" + (1).to_bytes(4, "little")  # vendor, number of comments
COMMENT = "REPLAYGAIN_TRACK_GAIN=-7 dB, größer".encode()


def add_flac_blocks(path: Path) -> None:
    data = path.read_bytes()
    stream_info = data[8:42]
    position, last = 4, 0
    while not last:
        last = data[position] & 0x80
        position += 4 + int.from_bytes(data[position + 1 : position + 4], "big")
    comments = COMMENTS + len(COMMENT).to_bytes(4, "little") + COMMENT
    head = b"fLaC" + bytes([0, 0, 0, 34]) + stream_info + bytes([4]) + len(comments).to_bytes(3, "big") + comments
    path.write_bytes(head + bytes([0x86]) + len(PICTURE).to_bytes(3, "big") + PICTURE + data[position:])


def copy(source: Path, output: Path) -> None:
    with open_like(probe(source), output) as put:
        for block in read_blocks(source, 5000):
            put(block)


def noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (2, 30011))


def test_flac_pictures_and_unusual_tags_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.flac", noise(), 44100)
    add_flac_blocks(tmp_path / "a.flac")
    copy(tmp_path / "a.flac", tmp_path / "b.flac")
    data = (tmp_path / "b.flac").read_bytes()
    assert PICTURE in data
    assert data.count(COMMENT) == 1
    np.testing.assert_array_equal(read(tmp_path / "b.flac"), read(tmp_path / "a.flac"))


def test_id3_tag_is_kept_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path / "plain.mp3", noise(), 44100, subtype="MPEG_LAYER_III")
    title = b"\x03" + "Größe 大".encode()
    frame = b"TIT2" + len(title).to_bytes(4, "big") + b"\x00\x00" + title
    padded = frame + bytes(200 - len(frame))
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 72]) + padded
    (tmp_path / "a.mp3").write_bytes(tag + (tmp_path / "plain.mp3").read_bytes())
    copy(tmp_path / "a.mp3", tmp_path / "b.mp3")
    assert (tmp_path / "b.mp3").read_bytes().startswith(tag)
    assert probe(tmp_path / "b.mp3").frames == 30011
    with soundfile.SoundFile(tmp_path / "b.mp3") as file:
        assert file.copy_metadata()["title"] == "Größe 大"


def test_id3v1_tag_stays_at_the_end(tmp_path: Path) -> None:
    write(tmp_path / "plain.mp3", noise(), 44100, subtype="MPEG_LAYER_III")
    tag = b"TAG" + b"Old title".ljust(30, b"\0") + b"Old artist".ljust(30, b"\0") + bytes(65)
    (tmp_path / "a.mp3").write_bytes((tmp_path / "plain.mp3").read_bytes() + tag)
    copy(tmp_path / "a.mp3", tmp_path / "b.mp3")
    data = (tmp_path / "b.mp3").read_bytes()
    assert data.endswith(tag)
    assert data.count(b"Old title") == 1
    assert probe(tmp_path / "b.mp3").frames == 30011


def test_untagged_files_stay_untagged(tmp_path: Path) -> None:
    write(tmp_path / "a.mp3", noise(), 44100, subtype="MPEG_LAYER_III")
    copy(tmp_path / "a.mp3", tmp_path / "b.mp3")
    assert not (tmp_path / "b.mp3").read_bytes().startswith(b"ID3")
    assert b"TAG" not in (tmp_path / "b.mp3").read_bytes()[-128:]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp3", "b.mp3"]
