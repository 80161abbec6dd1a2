"""Read small files that others may have left damaged: every failure is one sentence that begins with the path."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning_modules.runs.printing import one_line, short
from machine.console import printable

LARGEST_BYTES = 1 << 26
"""No text that a run leaves for others to read is larger; what is would only exhaust the memory."""
LARGEST_JSON_BYTES = 1 << 24
"""Of a file that is one mapping."""


class DamagedFileError(ValueError):
    """A file that is not what its name says; the message is `<path> <what is wrong>`."""


def read_text(path: Path, most_bytes: int = LARGEST_BYTES) -> str:
    """Read a text file after looking at it: only regular files are opened, as a named pipe would be waited for.

    Args:
        path: of the file.
        most_bytes: that it may have.

    Raises:
        DamagedFileError: if it cannot be opened, is no regular file, is too large or no text.
    """
    name = printable(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DamagedFileError(f"{name} is not a regular file")
        if size > most_bytes:
            raise DamagedFileError(f"{name} is damaged: it has {size} bytes; at most {most_bytes} are read")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{name} is damaged: it is not text") from error
    except OSError as error:
        raise DamagedFileError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds a mapping; NaN, infinity and numbers beyond all floats become None.

    Raises:
        DamagedFileError: if it is not such a file.
    """
    return _parsed(read_text(path, LARGEST_JSON_BYTES), printable(path))


def read_json_lines(path: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """Read a file with a mapping in every line.

    Returns:
        The mappings, as `read_json`, and the numbers from 1 of the lines that hold none, such as the last one of a program that
        was killed while it wrote.

    Raises:
        DamagedFileError: if it cannot be read at all.
    """
    mappings, damaged = [], []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        try:
            if line.strip():
                mappings.append(_parsed(line, f"{printable(path)}:{number}"))
        except DamagedFileError:
            damaged.append(number)
    return mappings, damaged


def _parsed(text: str, name: str) -> dict[str, Any]:
    if not text.strip():
        raise DamagedFileError(f"{name} is damaged: it is empty")
    try:
        content = _finite(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{name} is damaged: it is not JSON ({one_line(error)})") from error
    if not isinstance(content, dict):
        raise DamagedFileError(f"{name} is damaged: it holds a {type(content).__name__} in place of a mapping")
    return content


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {storable(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, str):
        return storable(value)
    return value if not isinstance(value, int | float) or is_number(value) else None


def storable(text: str) -> str:
    """Return a text without the halves of characters that JSON and YAML can name and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_number(value: object) -> bool:
    """Say whether a value is a number that a float holds."""
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def check_entries(path: Path, content: Mapping[str, Any], entries: Mapping[str, Callable[[Any], bool]]) -> None:
    """Check the values of some keys.

    Args:
        path: of the file, for the message.
        content: its mapping.
        entries: what to ask of the value of each key.

    Raises:
        DamagedFileError: naming the first key that is missing or has another value.
    """
    for key, is_right in entries.items():
        if key not in content:
            raise DamagedFileError(f"{printable(path)} is damaged: it has no {key}")
        if not is_right(content[key]):
            raise DamagedFileError(f"{printable(path)} is damaged: {key} is {_shown(content[key])!r}")


def _shown(value: object) -> str:
    try:
        return short(value, 80)
    except ValueError:
        return "a number of thousands of digits"


def is_text(value: object) -> bool:
    """Say whether a value is a text."""
    return isinstance(value, str)
