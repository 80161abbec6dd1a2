"""The files that a run leaves behind beside result.json: per_example.csv, and examples to hear and see."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from lightning_modules.runs.evaluation import Example, Row, Scores
from lightning_modules.runs.figures import save_spectrograms


def flat_metrics(table: Sequence[Scores]) -> dict[str, float]:
    """Name the last row's means `test/...` and the corrupted row's `test/corrupted_...`, as the loggers do."""
    corrupted = next(row for row in table if row.kind == "corrupted")
    metrics = {f"test/{name}": value for name, value in table[-1].means.items()}
    return metrics | {f"test/corrupted_{name}": value for name, value in corrupted.means.items()}


def write_rows(path: Path, rows: Sequence[Row], manifest: Sequence[Mapping[str, Any]]) -> None:
    """Write one line per test pair: where it was cut, and every metric for the restored and the corrupted signal.

    What only some pairs have stays empty in the lines of the others.

    Args:
        path: of the CSV file.
        rows: from the test loop; `index` is the position in `manifest`.
        manifest: the evaluation manifest.
    """
    places = [manifest[int(row["index"])] for row in rows]
    names = dict.fromkeys(name for line in (*places, *rows) for name in line)  # some only pairs with an offset have
    lines = [{**place, **row} for place, row in zip(places, rows, strict=True)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(names))
        writer.writeheader()
        writer.writerows(lines)


def write_example(
    folder: Path, example: Example, sample_rate: int, write_audio: Callable[[Path, Any, int], None]
) -> dict[str, Path]:
    """Write an example as three audio files, and one for each control.

    They share one gain of at most 1, so that a corrupted peak above full scale does not clip and their levels can be compared.

    Args:
        folder: is created.
        example: from `restore_example`.
        sample_rate: in Hz.
        write_audio: writes (path, (C, T) array, sample_rate).

    Returns:
        The paths by name: corrupted, restored, clean, and `control_...` of each control.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signals = _signals(example) | {f"control_{name}": signal for name, signal in example.controls.items()}
    gain = min(1.0, 1.0 / max(float(signal.abs().max()) for signal in signals.values()) if _audible(signals) else 1.0)
    paths = {name: folder / f"{example.index:04d}_{name}.flac" for name in signals}
    for name, signal in signals.items():
        write_audio(paths[name], (signal * gain).numpy(), sample_rate)
    return paths


def draw_example(folder: Path, example: Example, sample_rate: int, title: str) -> Path:
    """Write the spectrograms of an example as a picture, and return its path.

    Args:
        folder: is created.
        example: from `restore_example`.
        sample_rate: in Hz.
        title: over the picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{example.index:04d}.png"
    save_spectrograms(path, _signals(example), sample_rate, title)
    return path


def _signals(example: Example) -> dict[str, Tensor]:
    return {"corrupted": example.corrupted, "restored": example.restored, "clean": example.clean}


def _audible(signals: Mapping[str, Tensor]) -> bool:
    return any(bool(signal.any()) for signal in signals.values())
