"""Where a training starts: the weights it takes over, and the parts it leaves as they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf.settings import TrainSettings
from lightning_modules.base import RestorationModule
from lightning_modules.collaborative_gan import INHERITED
from lightning_modules.runs.checkpoint import build_new_restorer, build_restorer, read_checkpoint
from lightning_modules.runs.folder import Run
from lightning_modules.runs.json_file import write_json
from lightning_modules.runs.starting import FILE, TakenOver, open_origin, start_from
from lightning_modules.training.freezing import freeze


@dataclass(frozen=True)
class Start:
    """What a new run took over, if anything, and what is said of what it leaves as it is."""

    taken: TakenOver | None
    frozen: Sequence[str]

    def record(self, run: Run) -> None:
        """Tell it, and keep in the folder of a run that begins what it took over; one that goes on has weights of its own."""
        if self.taken is not None and run.checkpoint is None:
            write_json(run.folder / FILE, self.taken.content())
            print("\n".join([*self.taken.lines(), f"  all of it: {run.folder / FILE}"]))
        for line in self.frozen:
            print(line)


def method_to_train(settings: TrainSettings) -> RestorationModule:
    """Create the method that a configuration describes; one that goes on has the networks that it began with.

    Raises:
        ValueError: if it cannot be created.
    """
    model = settings.config["model"]
    if not goes_on(settings) or model.get("base") is None:
        return build_new_restorer(model, settings.plugins)
    saved = read_checkpoint(Path(str(settings.resume)) / "checkpoints" / "last.ckpt")["model_config"]
    return build_restorer({**model, **{key: saved[key] for key in INHERITED if key in saved}}, settings.plugins)


def goes_on(settings: TrainSettings) -> bool:
    """Say whether a run is named to go on with."""
    return settings.resume not in (None, "auto")


def start_training(module: RestorationModule, settings: TrainSettings) -> Start:
    """Give a method its starting weights, unless it goes on with those of a run that is named, and freeze parts of it.

    Raises:
        ValueError: if there are no such weights, none of them fits, or there are no such parts.
    """
    taken = None
    if settings.init_from is not None and not goes_on(settings):
        taken = start_from(module, open_origin("init_from", settings.init_from))
    return Start(taken, [freeze(module, settings.freeze)] if settings.freeze else [])


def began_with(folder: Path) -> dict[str, Any]:
    """Return what a result says of the weights that a run began with: the checkpoint, and how many agreed or did not."""
    if not (folder / FILE).exists():
        return {}
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return {"init_from": {key: len(value) if isinstance(value, list) else value for key, value in content.items()}}
