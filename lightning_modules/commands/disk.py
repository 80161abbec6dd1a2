"""The disk that work will need, told before anything is made: checkpoints by counts of parameters, the cache, restored files."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from conf.compose import create
from conf.settings import TrainSettings
from datamodules.audio.probing import absolute
from datamodules.audio.tree import RestoreJob
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_new_restorer
from lightning_modules.runs.kept_files import KEPT
from machine.console import printable

MOMENTS = 2
"""Of each trained parameter, in the state of all optimizers but SGD."""
SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "ULAW": 1, "ALAW": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Of sample formats that are kept as they are, or lose nothing when they are compressed."""
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
    moments = _moments(module) * sum(value.nbytes for value in module.parameters() if value.requires_grad)
    return weights, weights * (2 if averaged else 1) + moments


def _moments(module: RestorationModule) -> int:
    """Return how many values an optimizer keeps of each parameter."""
    optimizer = getattr(module, "optimizer", None)
    if isinstance(optimizer, partial) and optimizer.func is torch.optim.SGD:
        return int(optimizer.keywords.get("momentum", 0) > 0)
    return MOMENTS


def tell_needs(needs: Sequence[Need], cache_folder: Path, run_folder: Path) -> int:
    """Print what one training, or the jobs of a sweep, need, and return the exit code: 1 if there is not that much room.

    Args:
        needs: of each, at least one.
        cache_folder: of their cache.
        run_folder: where their checkpoints go.
    """
    kept, most = sum(need.kept_bytes for need in needs), max(need.most_bytes - need.kept_bytes for need in needs)
    largest = max(needs, key=lambda need: need.most_bytes)
    jobs = f"{len(needs)} jobs, of which the largest has " if len(needs) > 1 else ""
    sizes = f"best.ckpt {_size(largest.best_bytes)} and last.ckpt {_size(largest.last_bytes)}"
    arrays = {path: size for need in needs for path, size in need.arrays.items()}
    print(f"checkpoints: {jobs}{sizes}; {_size(kept)} stay, and each training takes up to {_size(most)} more while it lasts")
    print(f"checkpoints are kept in {_room(run_folder)}")
    print(f"cache: up to {_size(sum(arrays.values()))} more in {_room(cache_folder)}")
    short = shortages([(run_folder, kept + most), (cache_folder, sum(arrays.values()))])
    for sentence in short:
        print(f"error: {sentence}", file=sys.stderr)
    return 1 if short else 0


def tell_need(settings: TrainSettings) -> int:
    """Print what one training needs, and return the exit code; see `tell_needs`."""
    folders = absolute(settings.config["data"]["cache_dir"]), absolute(settings.config["run_dir"])
    return tell_needs([Estimator().need(settings)], *folders)


def shortages(wanted: Sequence[tuple[Path, int]]) -> list[str]:
    """Say for each file system that lacks room what is needed in which folders of it, and what is free.

    Args:
        wanted: folders, which need not be there yet, and the bytes that will be written into them.
    """
    systems: dict[int, list[tuple[Path, int]]] = {}
    for folder, size in wanted:
        systems.setdefault(os.stat(_existing(folder)).st_dev, []).append((folder, size))
    told = []
    for members in systems.values():
        needed, free = sum(size for _, size in members), shutil.disk_usage(_existing(members[0][0])).free
        if needed > free:
            places = " and ".join(printable(folder) for folder, size in members if size)
            told.append(f"{places}: up to {_size(needed)} are needed, and {_size(free)} are free there")
    return told


def restored_bytes(jobs: Sequence[RestoreJob]) -> int:
    """Return how large restored files become at most: lossless ones as if uncompressed, others as large as their sources."""
    return sum(_restored_bytes(job) for job in jobs)


def _restored_bytes(job: RestoreJob) -> int:
    width = SAMPLE_BYTES.get(job.form.subtype)
    return os.path.getsize(job.source.path) if width is None else len(job.samples) * job.source.channels * width


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _room(folder: Path) -> str:
    return f"{printable(folder)}; {_size(shutil.disk_usage(_existing(folder)).free)} are free there"


def _size(size_bytes: int) -> str:
    """Write a size.

    >>> _size(1_234_567), _size(2_500_000_000)
    ('1.2 MB', '2.50 GB')
    """
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"
