"""The disk that a training will need, told before anything is made: checkpoints by counts of parameters, and the cache."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conf.compose import create
from conf.settings import TrainSettings
from datamodules.audio.probing import absolute
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_new_restorer
from lightning_modules.runs.kept_files import KEPT

MOMENTS = 2
"""Of each trained parameter, in the state of Adam and AdamW."""
STEERING = ("optimizer", "scheduler")
"""Keys of a model with these in their names do not change how large it is."""


@dataclass(frozen=True)
class Need:
    """What one training needs.

    Attributes:
        best_bytes: of best.ckpt.
        last_bytes: of last.ckpt.
        kept: names of the checkpoints that stay at its end.
        arrays: bytes by array of the cache that is still to be made.
    """

    best_bytes: int
    last_bytes: int
    kept: Sequence[str]
    arrays: Mapping[str, int]

    @property
    def kept_bytes(self) -> int:
        """What stays."""
        return sum({"best": self.best_bytes, "last": self.last_bytes}[name] for name in self.kept)

    @property
    def most_bytes(self) -> int:
        """What there is at most at one time: a new last.ckpt is written beside the one before it."""
        return self.best_bytes + 2 * self.last_bytes


class Estimator:
    """Tell what trainings need; what several of them share is looked at once."""

    def __init__(self) -> None:
        self._sizes: dict[str, tuple[int, int]] = {}
        self._arrays: dict[str, Mapping[str, int]] = {}

    def need(self, settings: TrainSettings) -> Need:
        """Tell what a training needs.

        Raises:
            ValueError: for anything wrong with its configuration or its recordings.
        """
        averaged, config = settings.ema_decay is not None, settings.config
        sized = {name: value for name, value in config["model"].items() if not any(word in name for word in STEERING)}
        model, data = (json.dumps(node, sort_keys=True) for node in (sized, config["data"]))
        if (key := f"{averaged} {model}") not in self._sizes:
            self._sizes[key] = checkpoint_bytes(build_new_restorer(config["model"], settings.plugins), averaged)
        if data not in self._arrays:
            self._arrays[data] = create(config, "data").arrays_to_make()
        return Need(*self._sizes[key], KEPT[settings.keep_checkpoints], self._arrays[data])


def checkpoint_bytes(module: RestorationModule, averaged: bool) -> tuple[int, int]:
    """Return about how large best.ckpt and last.ckpt become.

    Args:
        module: the method.
        averaged: whether the weights that are evaluated are kept beside those that are trained.
    """
    weights = sum(value.nbytes for value in module.state_dict().values())
    moments = MOMENTS * sum(value.nbytes for value in module.parameters() if value.requires_grad)
    return weights, weights * (2 if averaged else 1) + moments


def needs_told(needs: Sequence[Need], cache_folder: Path) -> str:
    """Say in two lines what one training, or the jobs of a sweep, need.

    Args:
        needs: of each, at least one.
        cache_folder: of their cache.
    """
    kept, most = sum(need.kept_bytes for need in needs), max(need.most_bytes - need.kept_bytes for need in needs)
    largest = max(needs, key=lambda need: need.most_bytes)
    jobs = f"{len(needs)} jobs, of which the largest has " if len(needs) > 1 else ""
    sizes = f"best.ckpt {_size(largest.best_bytes)} and last.ckpt {_size(largest.last_bytes)}"
    arrays = {path: size for need in needs for path, size in need.arrays.items()}
    return (
        f"checkpoints: {jobs}{sizes}; {_size(kept)} stay, and each training takes up to {_size(most)} more while it lasts\n"
        f"cache: up to {_size(sum(arrays.values()))} more in {cache_folder}; {_size(_free_bytes(cache_folder))} are free there"
    )


def tell_need(settings: TrainSettings) -> int:
    """Print what one training needs, and return the exit code."""
    print(needs_told([Estimator().need(settings)], absolute(settings.config["data"]["cache_dir"])))
    return 0


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.is_dir())).free


def _size(size_bytes: int) -> str:
    """Write a size.

    >>> _size(1_234_567), _size(2_500_000_000)
    ('1.2 MB', '2.50 GB')
    """
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"
