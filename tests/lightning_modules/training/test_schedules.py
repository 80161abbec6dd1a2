"""Schedules at the end of an epoch: which are stepped, by what, and when not."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau

from lightning_modules.callbacks.budget import Budget
from lightning_modules.training.schedules import as_list, step_after_batch, step_after_epoch, step_plateaus


def trainer(epoch: int = 0, every: int = 1, whole: bool = True, done: int = 4, **others: Any) -> Any:
    progress = SimpleNamespace(is_last_batch=whole, total=SimpleNamespace(ready=done))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress), batch_idx=done - 1)
    metrics = {"val/snr_db": torch.tensor(1.0)}
    usual = {"val_check_interval": 1.0, "sanity_checking": False, "state": SimpleNamespace(fn="fit"), "callbacks": []}
    return SimpleNamespace(
        **(
            {"current_epoch": epoch, "check_val_every_n_epoch": every, "fit_loop": loop, "callback_metrics": metrics}
            | usual
            | others
        )
    )


def schedules() -> tuple[torch.optim.Optimizer, list[Any]]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    return optimizer, [ReduceLROnPlateau(optimizer, mode="max", patience=0, factor=0.1), ExponentialLR(optimizer, 0.5)]


def rate_after(steps: int, **circumstances: Any) -> float:
    optimizer, both = schedules()
    for _ in range(steps):
        step_plateaus(both, trainer(**circumstances), "val/snr_db")
    return float(optimizer.param_groups[0]["lr"])


def test_plateau_is_stepped_by_the_monitored_metric_alone() -> None:
    assert rate_after(1) == 1.0
    assert rate_after(2) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "circumstances",
    [{"whole": False}, {"epoch": 0, "every": 2}, {"sanity_checking": True}, {"state": SimpleNamespace(fn="test")}],
)
def test_epoch_cut_short_or_without_validation_teaches_a_plateau_nothing(circumstances: dict[str, Any]) -> None:
    assert rate_after(5, **circumstances) == 1.0


@pytest.mark.parametrize(("done", "expected"), [(3, 1.0), (4, 0.1), (5, 0.1), (6, 0.01)])
def test_validations_by_batches_teach_a_plateau_where_they_are_regular(done: int, expected: float) -> None:
    circumstances = {"every": None, "val_check_interval": 2, "val_check_batch": 2, "whole": False}
    optimizer, both = schedules()
    for batch in range(1, done + 1):
        step_plateaus(both, trainer(done=batch, **circumstances), "val/snr_db")
    assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)


def test_other_schedules_count_whole_epochs() -> None:
    optimizer, both = schedules()
    optimizer.step()
    step_after_epoch(both, trainer(whole=False))
    step_after_batch(both, trainer())
    assert optimizer.param_groups[0]["lr"] == 1.0
    step_after_epoch(both, trainer())
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_other_schedules_count_batches_where_the_training_does() -> None:
    optimizer, both = schedules()
    optimizer.step()
    counting = trainer(callbacks=[Budget(8)])
    step_after_epoch(both, counting)
    assert optimizer.param_groups[0]["lr"] == 1.0
    step_after_batch(both, counting)
    assert optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize(("given", "expected"), [(None, []), (1, [1]), ([1, 2], [1, 2]), ((1,), [1])])
def test_whatever_lightning_returns_becomes_a_list(given: object, expected: list[int]) -> None:
    assert as_list(given) == expected
