"""Text is UTF-8 on every machine: Windows would take the code page of its country where no encoding is named."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("conf", "datamodules", "lightning_modules", "machine", "models", "sweeps", "benchmarks", "tests")
FILES = [*sorted(ROOT.glob("*.py")), *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
LIBRARIES = {"os", "av", "archive", "catalog", "browser"}
"""Whose `open` opens no text file."""


def mode_of(call: ast.Call, position: int) -> str | None:
    """Return the mode that `open` is given, "r" if none is, None if what is given is no mode of a file."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[position : position + 1]
    if not given:
        return "r"
    mode = given[0].value if isinstance(given[0], ast.Constant) else None
    return mode if isinstance(mode, str) and set(mode) <= set("rwaxbt+") else None


def opens_text(call: ast.Call) -> bool:
    """Say whether a call reads or writes a text file."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and "b" not in (mode_of(call, 1) or "")
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr in ("read_text", "write_text"):
        return True
    owner = ast.unparse(call.func.value).removeprefix("self.").removeprefix("_")
    mode = mode_of(call, 0)
    return call.func.attr == "open" and owner not in LIBRARIES and mode is not None and "b" not in mode


def without_encoding(source: str) -> list[str]:
    """Return the calls in a program that read or write text without naming its encoding."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and opens_text(node)]
    return [ast.unparse(call) for call in calls if "encoding" not in {keyword.arg for keyword in call.keywords}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_files_name_their_encoding(path: Path) -> None:
    assert without_encoding(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "call",
    ["open(path)", "open(path, 'w')", "path.open('a')", "path.open(newline='')", "path.read_text()", "path.write_text(text)"],
)
def test_one_without_is_seen(call: str) -> None:
    assert without_encoding(call) == [call]


@pytest.mark.parametrize(
    "call",
    [
        "open(path, 'rb')",
        "path.open('wb')",
        "os.open(path, os.O_RDONLY)",
        "path.read_bytes()",
        "path.read_text(encoding='utf-8')",
    ],
)
def test_bytes_and_utf_8_are_left_alone(call: str) -> None:
    assert without_encoding(call) == []
