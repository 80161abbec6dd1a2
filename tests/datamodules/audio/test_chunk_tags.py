"""Chunks that nobody reads come out byte for byte, on the side of the samples where they stood."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.containers.chunks import header_of, layout_of, walk
from datamodules.audio.forms import Wish, form_of
from datamodules.audio.io import probe, read
from datamodules.audio.stream import open_like, read_blocks

CHUNKS = {
    "WAV": [b"bext", b"iXML", b"cue ", b"smpl", b"LIST", b"id3 ", b"zzzz"],
    "WAVEX": [b"bext", b"axml"],
    "RF64": [b"bext", b"iXML"],
    "W64": [b"bext", b"cue "],
    "AIFF": [b"MARK", b"INST", b"COMT", b"ID3 ", b"ANNO", b"NAME"],
    "CAF": [b"info", b"uuid", b"midi"],
}
READ_BY_LIBSNDFILE = {
    b"MARK": bytes.fromhex("0001 0001 00000064 03616263 0000"),
    b"INST": bytes(20),
    b"bext": bytes(602),
    b"COMT": bytes(2),
}
SUFFIXES = {"WAV": ".wav", "WAVEX": ".wav", "RF64": ".rf64", "W64": ".w64", "AIFF": ".aiff", "CAF": ".caf"}


def chunked(path: Path, form: str, names: list[bytes]) -> dict[bytes, bytes]:
    """Write a file with chunks of odd and even length, half of them before its samples, and return their contents."""
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (3001, 2))
    soundfile.write(path, audio, 44100, format=form, subtype="PCM_24")
    contents = {name: READ_BY_LIBSNDFILE.get(name, bytes([number]) + name * (number + 3)) for number, name in enumerate(names)}
    with open(path, "rb") as stream:
        whole = stream.read()
        layout = layout_of(whole)
        assert layout is not None
        data = next(chunk for chunk in walk(stream, layout, len(whole)) if chunk.letters == layout.data)
    made = [header_of(layout, name, len(content)) + content for name, content in contents.items()]
    made = [chunk + bytes(-len(chunk) % layout.alignment) for chunk in made]
    half = len(made) // 2
    tail = whole[data.place :] + bytes(-len(whole) % layout.alignment)
    path.write_bytes(whole[: data.place] + b"".join(made[:half]) + tail + b"".join(made[half:]))
    return contents


def found(path: Path) -> list[tuple[bytes, bytes]]:
    with open(path, "rb") as stream:
        whole = stream.read()
        layout = layout_of(whole)
        assert layout is not None
        return [(chunk.letters, whole[chunk.start : chunk.end]) for chunk in walk(stream, layout, len(whole))]


def copy(source: Path, target: Path, wish: Wish) -> None:
    info = probe(source)
    with open_like(info, target, form_of(info, wish)) as put:
        for block in read_blocks(source, 1000):
            put(block)


@pytest.mark.parametrize("form", CHUNKS)
def test_chunks_are_kept_in_their_order(tmp_path: Path, form: str) -> None:
    source, target = tmp_path / f"a{SUFFIXES[form]}", tmp_path / f"b{SUFFIXES[form]}"
    contents = chunked(source, form, CHUNKS[form])
    copy(source, target, Wish())
    kept = [(name, content) for name, content in found(target) if name in contents]
    assert kept == list(contents.items())
    names = [name for name, _ in found(target)]
    data = next(place for place, name in enumerate(names) if name in {b"data", b"SSND"})
    assert [name in names[:data] for name in contents] == [number < len(contents) // 2 for number in range(len(contents))]
    np.testing.assert_array_equal(read(target), read(source))
    assert probe(target).frames == probe(source).frames == 3001


@pytest.mark.parametrize("letters", [b"RF64", b"BW64"])
def test_long_riff_files_of_either_name_keep_odd_chunks_before_their_samples(tmp_path: Path, letters: bytes) -> None:
    path = tmp_path / "a.wav"
    given = chunked(path, "RF64", [b"odd1", b"axml", b"chna", b"odd2"])
    assert len(given[b"odd1"]) % 2 == 1
    path.write_bytes(letters + path.read_bytes()[4:])
    copy(path, tmp_path / "b.wav", Wish())
    written = found(tmp_path / "b.wav")
    assert [content for content in written if content[0] in given] == list(given.items())
    assert (tmp_path / "b.wav").read_bytes()[:4] == letters
    np.testing.assert_array_equal(read(tmp_path / "b.wav"), read(path))


def test_total_length_of_a_riff_file_counts_the_chunks(tmp_path: Path) -> None:
    chunked(tmp_path / "a.wav", "WAV", CHUNKS["WAV"])
    copy(tmp_path / "a.wav", tmp_path / "b.wav", Wish())
    content = (tmp_path / "b.wav").read_bytes()
    assert struct.unpack_from("<I", content, 4) == (len(content) - 8,)


def test_chunks_go_to_formats_of_the_same_kind(tmp_path: Path) -> None:
    contents = chunked(tmp_path / "a.wav", "WAV", [b"bext", b"cue "])
    copy(tmp_path / "a.wav", tmp_path / "b.w64", Wish("w64"))
    assert dict(found(tmp_path / "b.w64")).items() >= contents.items()


def test_checksum_of_the_old_samples_is_left_out(tmp_path: Path) -> None:
    chunked(tmp_path / "a.wav", "WAV", [b"MD5 ", b"bext"])
    copy(tmp_path / "a.wav", tmp_path / "b.wav", Wish())
    assert [name for name, _ in found(tmp_path / "b.wav")] == [b"fmt ", b"data", b"bext"]


def test_loudspeakers_of_the_channels_are_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((100, 3)), 48000, format="WAVEX", subtype="PCM_24")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    place = content.index(b"fmt ") + 8 + 20
    content[place : place + 4] = struct.pack("<I", 0x105)
    (tmp_path / "a.wav").write_bytes(content)
    copy(tmp_path / "a.wav", tmp_path / "b.wav", Wish())
    assert (tmp_path / "b.wav").read_bytes()[place : place + 4] == struct.pack("<I", 0x105)
