"""What a run leaves behind: result.json, per_example.csv, examples to hear and see, and the table on the screen."""

import csv
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from torch import Tensor

from lightning_modules.evaluation import Example, Row, Scores, is_better, unbeaten
from lightning_modules.figures import save_spectrograms
from lightning_modules.metric_names import HIGHER_IS_BETTER

BELOW_INPUT = "▼"


def flat_metrics(table: Sequence[Scores]) -> dict[str, float]:
    """Name the last row's means `test/...` and the corrupted row's `test/corrupted_...`, as the loggers do."""
    corrupted = next(row for row in table if row.kind == "corrupted")
    metrics = {f"test/{name}": value for name, value in table[-1].means.items()}
    return metrics | {f"test/corrupted_{name}": value for name, value in corrupted.means.items()}


def write_rows(path: Path, rows: Sequence[Row], manifest: Sequence[Mapping[str, Any]]) -> None:
    """Write one line per test pair: where it was cut, and every metric for the restored and the corrupted signal.

    Args:
        path: of the CSV file.
        rows: from the test loop; `index` is the position in `manifest`.
        manifest: the evaluation manifest.
    """
    if not rows:
        raise ValueError("no test pair was scored, so there is nothing to write")
    lines = [{**manifest[int(row["index"])], **row} for row in rows]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def write_examples(
    folder: Path, examples: Sequence[Example], sample_rate: int, write_audio: Callable[[Path, Any, int], None]
) -> list[dict[str, Path]]:
    """Write each example as three audio files and a picture.

    The three signals of an example share one gain of at most 1, so that a corrupted peak above full scale does not clip and
    their levels can be compared.

    Args:
        folder: is created.
        examples: from `restore_examples`.
        sample_rate: in Hz.
        write_audio: writes (path, (C, T) array, sample_rate).

    Returns:
        Per example the paths by name: corrupted, restored, clean, spectrogram.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_write_example(folder, example, sample_rate, write_audio) for example in examples]


def _write_example(folder: Path, example: Example, sample_rate: int, write_audio: Callable[..., None]) -> dict[str, Path]:
    signals = {"corrupted": example.corrupted, "restored": example.restored, "clean": example.clean}
    gain = min(1.0, 1.0 / max(float(signal.abs().max()) for signal in signals.values()) if _audible(signals) else 1.0)
    paths = {name: folder / f"{example.index:04d}_{name}.flac" for name in signals}
    for name, signal in signals.items():
        write_audio(paths[name], (signal * gain).numpy(), sample_rate)
    paths["spectrogram"] = folder / f"{example.index:04d}.png"
    save_spectrograms(paths["spectrogram"], signals, sample_rate, f"test pair {example.index}")
    return paths


def _audible(signals: Mapping[str, Tensor]) -> bool:
    return any(bool(signal.any()) for signal in signals.values())


def render_table(table: Sequence[Scores]) -> Table:
    """Lay out the comparison for the terminal, a line per metric; a value worse than the input's is marked.

    Args:
        table: corrupted first, the method in question last.
    """
    title = f"test pairs ({BELOW_INPUT} = worse than the input)"
    view = Table(title=title, title_justify="left", box=None, padding=(0, 0, 0, 1))
    view.add_column("metric", no_wrap=True)
    for row in table:
        view.add_column(row.name, justify="right", overflow="fold")  # the steps of a method stand at the end of its name
    for name in table[-1].means:
        view.add_row(f"{name} {'↑' if HIGHER_IS_BETTER[name] else '↓'}", *(_cell(row, table[0], name) for row in table))
    return view


def _cell(row: Scores, corrupted: Scores, metric: str) -> str:
    worse = row is not corrupted and is_better(metric, corrupted.means[metric], row.means[metric])
    return f"{row.means[metric]:.2f} {BELOW_INPUT if worse else ' '}"


def verdict(table: Sequence[Scores], metric: str) -> str:
    """Say in one sentence whether the method beats its input and the classical methods in `metric`.

    An oracle is a bound, and the same method after other numbers of steps no rival.
    """
    method, others = table[-1], [row for row in table[:-1] if row.kind in ("corrupted", "classical")]
    if method.kind == "oracle":
        return f"{method.name} is told the clean signal: its row bounds or reproduces, and restores nothing"
    left = unbeaten(method, others, metric)
    if left:
        return f"✗ {method.name} does not beat {' and '.join(left)} in {metric}"
    return f"✓ {method.name} beats {' and '.join(other.name for other in others)} in {metric}"


def git_commit(folder: Path) -> str | None:
    """Return the commit of a checkout, with `-dirty` when files changed; None outside of one."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def show(table: Sequence[Scores], metric: str, paths: Mapping[str, Path]) -> None:
    """Print the table, the verdict in `metric`, and where everything is."""
    console = Console()
    console.print(render_table(table))
    console.print(verdict(table, metric), highlight=False)
    for name, path in paths.items():
        console.print(f"{name}: {path}", highlight=False, soft_wrap=True)
