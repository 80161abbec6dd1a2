"""Real trainings of one parameter: which of their states are kept, and that a file is never left half written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader

from datamodules.samplers import EpochSampler, LateLoader
from lightning_modules.callbacks.best_and_last import BestEpoch, LastEpoch, best_scores
from lightning_modules.callbacks.budget import Budget
from lightning_modules.callbacks.mid_epoch import MidEpoch
from lightning_modules.runs.checkpoint_io import AtomicCheckpointIO

BATCHES = 4


class Scripted(pl.LightningModule):
    """Add 1 to a weight in every batch; validation returns the score of the epoch."""

    def __init__(self, scores: Sequence[float]) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.0))
        self.scores = scores

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return -self.weight

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("val/score", self.scores[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


class Numbers(pl.LightningDataModule):
    """As many batches as there are in an epoch, from a loader that keeps its place."""

    def train_dataloader(self) -> DataLoader[Any]:
        return LateLoader(torch.zeros(100, 1), EpochSampler(BATCHES), 1)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(torch.zeros(1, 1))  # type: ignore[arg-type]


class StopAfter(Callback):
    """Ask for an end after so many batches, as a signal or a time limit does."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.batches:
            trainer.should_stop = True


def fit(
    folder: Path,
    scores: Sequence[float],
    epochs: int = 3,
    stop: int = -1,
    mode: str = "max",
    budget: int | None = None,
    **settings: Any,
) -> pl.Trainer:
    last = folder / "last.ckpt"
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[MidEpoch(), StopAfter(stop), BestEpoch(folder, "val/score", mode), LastEpoch(folder)],
        plugins=[AtomicCheckpointIO()],
        **settings,
    )
    trainer.callbacks.append(Budget(budget))  # type: ignore[attr-defined]
    trainer.fit(Scripted(scores), datamodule=Numbers(), ckpt_path=last if last.exists() else None, weights_only=True)
    return trainer


def kept(folder: Path, name: str) -> tuple[int, float]:
    """Return the epoch and the weight of a checkpoint."""
    checkpoint = torch.load(folder / f"{name}.ckpt", weights_only=True)
    return checkpoint["epoch"], checkpoint["state_dict"]["weight"].item()


def test_best_and_last_are_kept_and_nothing_else(tmp_path: Path) -> None:
    fit(tmp_path, scores=[1, 3, 2])
    assert kept(tmp_path, "best") == (1, 8.0)
    assert kept(tmp_path, "last") == (2, 12.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt"]


def test_values_of_the_best_epoch_are_known_after_a_resume_too(tmp_path: Path) -> None:
    assert best_scores(fit(tmp_path, scores=[1, 3, 2])) == {"val/score": 3.0}
    assert best_scores(fit(tmp_path, scores=[1, 3, 2, 0], epochs=4)) == {"val/score": 3.0}
    assert best_scores(fit(tmp_path, scores=[1, 3, 2, 0, 5], epochs=5)) == {"val/score": 5.0}


def test_lowest_is_best_when_less_is_better(tmp_path: Path) -> None:
    fit(tmp_path, scores=[2, 1, 3], mode="min")
    assert kept(tmp_path, "best")[0] == 1


def test_unplanned_end_within_an_epoch_is_last_and_not_best(tmp_path: Path) -> None:
    trainer = fit(tmp_path, scores=[1, 9], stop=6)
    assert trainer.callback_metrics["val/score"] == 9  # It was validated all the same.
    assert kept(tmp_path, "best") == (0, 4.0)
    assert kept(tmp_path, "last") == (1, 6.0)


def test_without_a_whole_epoch_the_one_cut_short_is_best_and_last(tmp_path: Path) -> None:
    fit(tmp_path, scores=[1], stop=2)
    assert kept(tmp_path, "best") == kept(tmp_path, "last") == (0, 2.0)


@pytest.mark.parametrize(("steps", "scores"), [(6, [1, 9]), (3, [1]), (8, [1, 9])])
def test_end_after_a_number_of_batches_is_validated_and_may_be_best(tmp_path: Path, steps: int, scores: list[float]) -> None:
    trainer = fit(tmp_path, scores, epochs=-1, budget=steps, min_epochs=5)
    assert trainer.global_step == steps
    assert kept(tmp_path, "best") == kept(tmp_path, "last") == (len(scores) - 1, float(steps))


@pytest.mark.parametrize(
    "ends", [{"epochs": 3}, {"epochs": -1, "budget": 12}, {"epochs": -1, "budget": 9}, {"epochs": 9, "stop": 9}]
)
def test_every_end_is_validated_though_the_epoch_would_not_be(tmp_path: Path, ends: dict[str, Any]) -> None:
    trainer = fit(tmp_path, scores=[1, 2, 3], **ends, check_val_every_n_epoch=2)
    assert trainer.callback_metrics["val/score"] == 3
    assert kept(tmp_path, "last")[0] == 2
    assert kept(tmp_path, "best")[0] == (1 if "stop" in ends else 2)


def test_stop_with_the_last_batch_leaves_a_whole_epoch(tmp_path: Path) -> None:
    fit(tmp_path, scores=[1, 9], stop=8)
    assert kept(tmp_path, "best") == kept(tmp_path, "last") == (1, 8.0)


@pytest.mark.parametrize("scores", [[1, 3, 2], [3, 1, 2], [1, 2, 3]])
@pytest.mark.parametrize("stop", [5, 6, 8, 9])
def test_interrupted_and_resumed_run_keeps_what_the_uninterrupted_one_keeps(
    tmp_path: Path, scores: list[float], stop: int
) -> None:
    fit(tmp_path / "whole", scores)
    cut = [*scores[: stop // 4], *[9.0] * 3]  # What was cut short scores better than anything whole.
    fit(tmp_path / "parts", cut, stop=stop)
    assert kept(tmp_path / "parts", "last")[1] == stop
    fit(tmp_path / "parts", scores)
    for name in ("best", "last"):
        assert kept(tmp_path / "parts", name) == kept(tmp_path / "whole", name)


def test_validation_at_every_second_epoch_counts_where_it_is_regular(tmp_path: Path) -> None:
    fit(tmp_path, scores=[0, 1, 0, 9], epochs=4, stop=14, check_val_every_n_epoch=2)
    assert kept(tmp_path, "best") == (1, 8.0)
    assert kept(tmp_path, "last") == (3, 14.0)


def test_validation_within_an_epoch_counts(tmp_path: Path) -> None:
    trainer = fit(tmp_path, scores=[1, 2], epochs=2, val_check_interval=0.5)
    assert kept(tmp_path, "best") == (1, 6.0)
    assert trainer.global_step == 8


def test_moved_run_folder_keeps_its_best_score(tmp_path: Path) -> None:
    fit(tmp_path / "here", scores=[5], epochs=1)
    (tmp_path / "here").rename(tmp_path / "there")
    trainer = fit(tmp_path / "there", scores=[5, 3, 4])
    assert kept(tmp_path / "there", "best") == (0, 4.0)
    best, last = trainer.checkpoint_callbacks
    assert best.best_model_score == 5  # type: ignore[attr-defined]
    assert last.best_model_path == str(tmp_path / "there" / "last.ckpt")  # type: ignore[attr-defined]


def test_best_that_was_not_moved_along_is_chosen_anew(tmp_path: Path) -> None:
    fit(tmp_path / "here", scores=[5], epochs=1)
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "last.ckpt").rename(tmp_path / "there" / "last.ckpt")
    fit(tmp_path / "there", scores=[5, 3, 4])
    assert kept(tmp_path / "there", "best") == (2, 12.0)
