"""Which states of a training are kept: the best by the monitored metric and the last."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from lightning_modules.callbacks.budget import is_meant

EVALUATED = ("state_dict", "model_config", "epoch", "global_step", "pytorch-lightning_version")
"""What evaluating and restoring need of the state of a training."""


class _InRunFolder(ModelCheckpoint):
    """Keep one file in a run folder, which may be moved between two parts of a run."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the score of the kept file if that file still lies in this folder, wherever the folder lay before."""
        assert self.dirpath is not None
        kept = Path(self.dirpath) / Path(state_dict["best_model_path"]).name
        if kept.is_file():
            paths = dict.fromkeys(("best_model_path", "kth_best_model_path"), str(kept))
            scores = {str(kept): score for score in state_dict["best_k_models"].values()}
            super().load_state_dict(state_dict | paths | {"dirpath": self.dirpath, "best_k_models": scores})


class BestEpoch(_InRunFolder):
    """Keep `best.ckpt`, the weights with the best validation value of `monitor`, and in `scores` all its validation values.

    These are the weights that are evaluated, averaged ones if there are such; what only a training needs is in `last.ckpt`.

    The validation where a signal or a time limit ended a run counts only as long as there is no other: a run that goes on from
    there keeps what an uninterrupted run keeps.
    """

    def __init__(self, folder: Path, monitor: str, mode: str) -> None:
        super().__init__(folder, "best", monitor=monitor, mode=mode, save_top_k=1, enable_version_counter=False)
        self.scores: dict[str, float] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save if this is the best epoch so far, when every epoch is validated."""
        if not self.best_model_path or is_meant(trainer):
            before = self.best_model_score
            super().on_train_epoch_end(trainer, pl_module)
            self._keep_scores(trainer, before)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save if this is the best validation so far, when epochs and validations do not coincide."""
        if not self.best_model_path or is_meant(trainer):
            before = self.best_model_score
            super().on_validation_end(trainer, pl_module)
            self._keep_scores(trainer, before)

    def forget(self) -> None:
        """Take the next validation for the best, whatever came before; its file takes the place of the kept one."""
        self.best_k_models, self.best_model_path, self.kth_best_model_path = {}, "", ""
        self.best_model_score = self.current_score = None
        self.scores = {}

    def state_dict(self) -> dict[str, Any]:
        """Add the values to what a resumed run gets back."""
        return super().state_dict() | {"scores": self.scores}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the values of the kept file (none are known of one that an older version wrote)."""
        super().load_state_dict(state_dict)
        if self.best_model_path:
            self.scores = dict(state_dict.get("scores", {}))

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        state = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
        trainer.strategy.save_checkpoint({key: state[key] for key in EVALUATED if key in state}, filepath)
        trainer.strategy.barrier("best.ckpt")
        self._last_global_step_saved, self._last_checkpoint_saved = trainer.global_step, filepath

    def _keep_scores(self, trainer: pl.Trainer, before: Tensor | None) -> None:
        if self.best_model_score is not before:
            self.scores = validation_values(trainer)


class LastEpoch(_InRunFolder):
    """Keep `last.ckpt`, the state at the end of the last epoch, or where the training ended in the middle of one.

    A run goes on from there, see `MidEpoch`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "last", save_top_k=1, save_on_train_epoch_end=True, enable_version_counter=False)


def validation_values(trainer: pl.Trainer) -> dict[str, float]:
    """Return what the latest validation logged, by name."""
    return {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}


def best_scores(trainer: pl.Trainer) -> dict[str, float]:
    """Return all validation values of the best epoch of a finished training."""
    return next(callback.scores for callback in trainer.checkpoint_callbacks if isinstance(callback, BestEpoch))
