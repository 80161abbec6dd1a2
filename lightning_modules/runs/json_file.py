"""Files that are whole or not there, JSON among them, for programs with and without tensors."""

import contextlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from machine.console import printable


class UnwritableError(OSError):
    """A file that could not be written; the message names it, and what was there before is as it was."""


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file in one step, so that a reader never sees half of it; NaN and infinity become null.

    Raises:
        UnwritableError: if the disk does not take it.
    """
    finite = {key: _finite(value) for key, value in content.items()}
    write_whole(path, json.dumps(finite, indent=2, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text file beside its target and rename it, so that a reader never sees half of it.

    Raises:
        UnwritableError: if the disk does not take it.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    except OSError as error:
        raise UnwritableError(f"{printable(path)} cannot be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
