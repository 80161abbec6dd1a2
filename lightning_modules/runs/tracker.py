"""What a tracker is told of a run, whatever it is; each of them says how it takes what it can carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.evaluation import Example

FACTS = (
    "verdict",
    "status",
    "params",
    "training_seconds",
    "training_core_seconds",
    "real_time_factor",
    "gpu_memory_mb",
    "pairs",
    "sample_rate_hz",
    "manifest_hash",
)
"""What of a result, beside metrics, a table of runs can be sorted by."""


@dataclass(frozen=True)
class Shown:
    """A test pair to hear and see.

    Attributes:
        name: of the recording, and the place in it.
        example: its signals.
        audio: paths of the files: corrupted, restored, clean.
        picture: path of the spectrograms; None if they could not be drawn.
        sample_rate_hz: of the signals.
    """

    name: str
    example: Example
    audio: Mapping[str, Path]
    picture: Path | None
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.example.clean.shape[-1] / self.sample_rate_hz


class Tracker:
    """Any logger of Lightning: it takes the means; everything else is left out.

    Args:
        logger: to tell.
    """

    def __init__(self, logger: Logger) -> None:
        self.logger = logger

    def means(self, result: Mapping[str, Any]) -> None:
        """Tell the means over the test pairs, at the step and the epoch that the training ended with.

        Args:
            result: what result.json holds; that of an evaluation has neither.
        """
        epoch = {"epoch": result["epochs"]} if "epochs" in result else {}
        self.logger.log_metrics(result["metrics"] | epoch, result.get("global_step"))
        self.logger.save()

    def summary(self, result: Mapping[str, Any]) -> None:
        """Tell what a table of runs is sorted by, see `summary_of`.

        Args:
            result: what result.json holds.
        """

    def examples(self, shown: Sequence[Shown], step: int | None) -> None:
        """Show test pairs, each with its audio and its spectrograms.

        Args:
            shown: the pairs.
            step: that the training ended with.
        """

    def pictures(self, paths: Sequence[Path], step: int | None) -> None:
        """Show further pictures.

        Args:
            paths: of PNG files.
            step: that the training ended with.
        """

    def animations(self, paths: Sequence[Path], step: int | None) -> None:
        """Show pictures that move.

        Args:
            paths: of GIF files.
            step: that the training ended with.
        """

    def close(self, exit_code: int) -> None:
        """End the run, so that the next one of the process starts its own."""


def summary_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table of runs is sorted by, by name; what is not known is left out.

    `best_epoch/METRIC` are the validation values of the best epoch, `baseline/NAME/METRIC` the test means of other methods.

    >>> methods = {"corrupted": {"lsd": 2.0}, "sinc": {"kind": "classical", "lsd": 1.5}, "unet": {"lsd": 1.0}}
    >>> summary_of({"params": 9, "validation": {"val/lsd": 1.25}, "methods": methods})
    {'params': 9, 'best_epoch/lsd': 1.25, 'baseline/sinc/lsd': 1.5}
    """
    facts = {key: result[key] for key in FACTS if result.get(key) is not None}
    best = {f"best_epoch/{name.removeprefix('val/')}": value for name, value in result.get("validation", {}).items()}
    others = list(result["methods"].items())[1:-1]  # between the input and the method in question, which `means` tells
    rows = {f"baseline/{name}/{key}": value for name, row in others for key, value in row.items() if key in METRICS}
    return facts | best | rows
