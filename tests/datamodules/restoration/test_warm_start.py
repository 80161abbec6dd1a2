"""A second start opens no recording again, notices those that have changed, and names the unreadable ones as the first did."""

import os

import numpy as np
import pytest
import soundfile

from datamodules.audio import file_facts, io, library_lines, probing
from datamodules.duplicates import keep_together
from datamodules.streamed_recordings import StreamedRecordings

pytestmark = pytest.mark.posix


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Take files for such that have not been changed for long."""
    monkeypatch.setattr(file_facts, "_SETTLED_NS", -(10**9))


@pytest.fixture
def closed():
    """Refuse to open recordings, and return a function that ends it."""
    context = pytest.MonkeyPatch()

    def refuse(path, *arguments):
        pytest.fail(f"opened {path}")

    for module in ("datamodules.audio.io", "datamodules.audio.stream", "datamodules.audio.open_files"):
        context.setattr(f"{module}.open_audio", refuse)
    context.setattr("datamodules.cache_lookup.confirmed", lambda known, path: refuse(path))
    yield context.undo
    context.undo()


def windows(data):
    data.setup("fit")
    return data.counts(), [pair["clean"].numpy().tobytes() for pair in data._evals["val"]]


def test_a_second_start_opens_no_recording(make, root, request):
    for split in ("train", "val"):  # Equal lengths, which are compared.
        (root / f"{split}2.flac").write_bytes((root / f"{split}0.flac").read_bytes())
    (root / "MANIFEST.csv").unlink()
    first = make()
    windows_of_first = windows(first)
    request.getfixturevalue("closed")
    assert windows(make()) == windows_of_first


def test_a_second_start_by_stream_reads_no_header(make, write_noise, root, request):
    write_noise(root / "a.ogg", subtype="VORBIS")  # Of which more than the header is looked at.
    (root / "MANIFEST.csv").unlink()
    first = make(cache="stream")
    first.setup("fit")
    request.getfixturevalue("closed")
    source = make(cache="stream").source
    listed = keep_together(source.recordings(), source.facts)
    assert len(listed) == 9
    assert StreamedRecordings(listed, 8000, 1, source.facts).skipped == []


def test_a_changed_recording_is_noticed(make, root):
    make().setup("fit")
    state = os.stat(root / "val0.flac")
    soundfile.write(root / "val0.flac", 0.1 * np.random.default_rng(9).standard_normal(12_000), 8000)
    os.utime(root / "val0.flac", ns=(state.st_atime_ns, state.st_mtime_ns))
    changed = make()
    changed.setup("fit")
    assert changed._catalog.open("val").len_samples(0) == 12_000


def test_unreadable_recordings_are_named_at_every_start(make, root, caplog):
    (root / "val1.flac").write_bytes((root / "val1.flac").read_bytes()[:1000])
    for _ in range(2):
        caplog.clear()
        data = make()
        data.setup("fit")
        assert len([line for line in caplog.messages if "val1.flac" in line]) == 1
        assert len(data.skipped) == 1


def test_a_file_that_is_told_of_is_told_of_at_every_start(tmp_path, monkeypatch, write_noise):
    path = write_noise(tmp_path / "a.wav")
    facts = file_facts.FileFacts(tmp_path / "index.json")
    probed = []

    monkeypatch.setattr(probing.audio_io, "probe", lambda given, real=io.probe: (probed.append(given), real(given))[1])
    probing.probe_all([path], facts)
    probing.probe_all([path], facts)
    assert len(probed) == 1
    other = write_noise(tmp_path / "b.wav")
    library_lines.tell_once(other, "is odd")
    probing.probe_all([other], facts)
    probing.probe_all([other], facts)
    assert len(probed) == 3
