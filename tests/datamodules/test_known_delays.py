"""What was compared once is not compared again, unless it has changed."""

from pathlib import Path

import numpy as np
import pytest

from datamodules import known_delays
from datamodules.known_delays import KnownDelays

CLEAN = np.random.default_rng(0).standard_normal((1, 4000)).astype(np.float32)
LATE = np.roll(CLEAN, 7, axis=1)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the delays that were found by comparing."""
    found: list[int] = []
    compare = known_delays.clear_delay
    monkeypatch.setattr(known_delays, "clear_delay", lambda *pair: found.append(compare(*pair)) or found[-1])
    return found


def asked(path: Path | None, *pairs: tuple[np.ndarray, np.ndarray]) -> list[int]:
    delays = KnownDelays(path)
    answers = [delays.of(*pair) for pair in pairs]
    delays.keep()
    return answers


def test_second_run_compares_nothing_that_is_as_it_was(tmp_path: Path, compared: list[int]) -> None:
    path = tmp_path / "cache" / "delays.json"
    assert asked(path, (CLEAN, LATE), (CLEAN, CLEAN)) == [7, 0] == compared
    assert asked(path, (CLEAN, CLEAN), (CLEAN, LATE)) == [0, 7] and len(compared) == 2
    other = LATE.copy()
    other[0, 0] += 1e-6
    assert asked(path, (CLEAN, other)) == [7] and len(compared) == 3
    assert asked(path, (CLEAN, LATE), (CLEAN, other)) == [7, 7] and len(compared) == 3


def test_processes_add_to_what_others_have_found_meanwhile(tmp_path: Path, compared: list[int]) -> None:
    path = tmp_path / "delays.json"
    first, second = KnownDelays(path), KnownDelays(path)
    assert (first.of(CLEAN, LATE), second.of(CLEAN, CLEAN)) == (7, 0)
    first.keep()
    second.keep()
    assert asked(path, (CLEAN, LATE), (CLEAN, CLEAN)) == [7, 0] and len(compared) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": "b"}'])
def test_damaged_file_is_made_anew(content: bytes, tmp_path: Path, compared: list[int]) -> None:
    path = tmp_path / "delays.json"
    path.write_bytes(content)
    assert asked(path, (CLEAN, LATE)) == [7]
    assert asked(path, (CLEAN, LATE)) == [7] and len(compared) == 1


def test_value_that_is_no_number_is_compared_again(tmp_path: Path, compared: list[int]) -> None:
    path = tmp_path / "delays.json"
    asked(path, (CLEAN, LATE))
    path.write_text(path.read_text(encoding="utf-8").replace(": 7", ': "7"'), encoding="utf-8")
    assert asked(path, (CLEAN, LATE)) == [7] and len(compared) == 2


def test_folder_that_takes_no_file_costs_only_the_memory(tmp_path: Path, compared: list[int]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert asked(tmp_path / "file" / "delays.json", (CLEAN, LATE)) == [7]
    assert asked(None, (CLEAN, LATE)) == [7] and len(compared) == 2


def test_what_was_found_is_asked_for_once_in_a_run_too(tmp_path: Path, compared: list[int]) -> None:
    assert asked(tmp_path / "delays.json", (CLEAN, LATE), (CLEAN, LATE)) == [7, 7]
    assert len(compared) == 1
