"""Small files are read whole or named, and numbers that no page can show are none."""

import os
from pathlib import Path

import pytest

from lightning_modules.runs import damage
from lightning_modules.runs.damage import DamagedFileError, check_entries, is_number, read_json, read_json_lines, read_text


def test_numbers_that_are_none_become_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"a": NaN, "b": [-Infinity, 1e999, 1.5], "c": {"d": 1' + "0" * 400 + '}, "e": true}', encoding="utf-8"
    )
    assert read_json(tmp_path / "a.json") == {"a": None, "b": [None, None, 1.5], "c": {"d": None}, "e": True}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"a": 1', "it is not JSON"),
        (b"[1]", "it holds a list in place of a mapping"),
        (b"\xff\xfe\x00", "it is not text"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "it is not JSON"),
    ],
)
def test_damage_is_one_sentence_with_the_path(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DamagedFileError, match=f"^{tmp_path / 'a.json'} is damaged: {reason}") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


@pytest.mark.posix
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(DamagedFileError, match=f"^{path} is not a regular file$"):
            read_text(path)
    with pytest.raises(DamagedFileError, match="nothing cannot be read: no such file or directory"):
        read_text(tmp_path / "nothing")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(damage.LARGEST_JSON_BYTES + 1)
    with pytest.raises(DamagedFileError, match="it has 16777217 bytes; at most 16777216 are read"):
        read_json(tmp_path / "huge.json")


def test_damaged_lines_lose_only_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": \n[]\n\n{"a": 2}\n{"a"', encoding="utf-8")
    assert read_json_lines(tmp_path / "a.jsonl") == ([{"a": 1}, {"a": 2}], [2, 3, 6])


def test_entries_are_checked_by_key(tmp_path: Path) -> None:
    check_entries(tmp_path, {"a": 1.0}, {"a": is_number})
    with pytest.raises(DamagedFileError, match="is damaged: it has no b"):
        check_entries(tmp_path, {"a": 1.0}, {"b": is_number})
    with pytest.raises(DamagedFileError, match="is damaged: a is 'x'"):
        check_entries(tmp_path, {"a": "x"}, {"a": is_number})


@pytest.mark.parametrize(("value", "expected"), [(1, True), (0.5, True), (float("nan"), False), (10**400, False), ("1", False)])
def test_number_is_what_a_float_holds(value: object, expected: bool) -> None:
    assert is_number(value) is expected
