"""A file is the same only if its content is, whatever its size and times say."""

import os

import numpy as np
import pytest

from datamodules.identity import confirmed, identify


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.wav").write_bytes(np.random.default_rng(0).bytes(300_000))
    return str(tmp_path / "a.wav")


def rewrite(path, offset):
    state = os.stat(path)
    with open(path, "r+b") as stream:
        stream.seek(offset)
        byte = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes([byte ^ 1]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_an_untouched_file_is_the_same_without_being_read_whole(path, monkeypatch):
    known = identify(path)
    monkeypatch.setattr("datamodules.identity._digest", lambda stream: pytest.fail("read whole"))
    assert confirmed(known, path) == known


@pytest.mark.parametrize("offset", [0, 20_001, 150_000, 299_999])
def test_one_changed_byte_is_seen_with_equal_size_and_time_of_modification(path, offset):
    known = identify(path)
    rewrite(path, offset)
    assert confirmed(known, path) is None


def test_changed_ends_are_seen_where_the_system_keeps_no_time_of_change(path):
    known = identify(path)
    rewrite(path, 299_999)
    frozen = type(known)(os.stat(path).st_ctime_ns, known.sample, known.digest)
    assert confirmed(frozen, path) is None


def test_other_rights_leave_the_file_the_same(path):
    known = identify(path)
    os.chmod(path, 0o600)
    assert confirmed(known, path) == type(known)(os.stat(path).st_ctime_ns, known.sample, known.digest)
