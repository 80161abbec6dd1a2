"""Comments of Ogg files are kept byte for byte, with pictures of any size, and every page stays sound."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.containers import ogg
from datamodules.audio.io import probe, read
from datamodules.audio.ogg_tags import copy_ogg_comments
from datamodules.audio.stream import open_like, read_blocks

KINDS = [("a.ogg", "OGG", "VORBIS"), ("a.opus", "OGG", "OPUS"), ("a.ogg", "FLAC", "PCM_16")]


def make(path: Path, form: str, subtype: str) -> Path:
    audio = 0.3 * np.sin(0.05 * np.arange(60000))
    soundfile.write(path, audio, 48000, format="OGG" if form == "FLAC" else form, subtype=None if form == "FLAC" else subtype)
    return path


def comments(entries: list[bytes]) -> bytes:
    made = b"".join(len(entry).to_bytes(4, "little") + entry for entry in entries)
    return len(entries).to_bytes(4, "little") + made


def put_comments(path: Path, entries: list[bytes]) -> None:
    """Replace the comments of a file in place, in pages of its own."""
    with open(path, "rb") as stream:
        first = ogg.page_at(stream, 0)
        assert first is not None
        count = 2 if b"OpusHead" in stream.read(40) or path.suffix == ".opus" else 3
        packets, end = ogg.head_packets(stream, 0, count)
        kind = b"OpusTags" if path.suffix == ".opus" else b"\x03vorbis"
        tags = kind + (2).to_bytes(4, "little") + b"me" + comments(entries) + (b"" if path.suffix == ".opus" else b"\x01")
        pages = ogg.paged([tags, *packets[2:count]], first.serial, 1)
        stream.seek(0)
        head, rest = stream.read(first.end), []
        for page in ogg.pages(stream, end):
            stream.seek(page.place)
            rest.append(ogg.renumbered(stream.read(page.end - page.place), len(pages) - 1))
    path.write_bytes(head + b"".join(pages) + b"".join(rest))


def check_pages(path: Path) -> None:
    with open(path, "rb") as stream:
        found = list(ogg.pages(stream))
        assert [page.number for page in found] == list(range(len(found)))
        for page in found:
            stream.seek(page.place)
            content = stream.read(page.end - page.place)
            assert ogg.with_checksum(content) == content


@pytest.mark.parametrize(("name", "form", "subtype"), KINDS[:2])
def test_comments_and_pictures_are_kept(tmp_path: Path, name: str, form: str, subtype: str) -> None:
    picture = b"METADATA_BLOCK_PICTURE=" + bytes(np.random.default_rng(0).integers(65, 90, 200_000, dtype=np.uint8))
    entries = ["TITLE=Größe 大".encode(), b"R128_TRACK_GAIN=-7", b"TITLE=twice", picture]
    source = make(tmp_path / name, form, subtype)
    put_comments(source, entries)
    target = tmp_path / f"b{source.suffix}"
    with open_like(probe(source), target) as put:
        for block in read_blocks(source, 5000):
            put(block)
    assert comments(entries) in b"".join(head(target))
    check_pages(target)
    assert probe(target).frames == probe(source).frames == 60000
    assert np.corrcoef(read(source)[0], read(target)[0])[0, 1] > 0.99


def head(path: Path) -> list[bytes]:
    with open(path, "rb") as stream:
        return ogg.head_packets(stream, 0, 2)[0]


def test_checksum_is_that_of_the_encoder(tmp_path: Path) -> None:
    check_pages(make(tmp_path / "a.ogg", "OGG", "VORBIS"))


def test_comments_of_another_codec_are_refused(tmp_path: Path) -> None:
    one, other = make(tmp_path / "a.ogg", "OGG", "VORBIS"), make(tmp_path / "a.opus", "OGG", "OPUS")
    with pytest.raises(ValueError, match="another codec"):
        copy_ogg_comments(one, other)
