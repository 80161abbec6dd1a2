"""Optimizers and schedules of a run that goes on: what is configured now holds, not what its checkpoint was configured with."""

import inspect
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, EarlyStopping
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau

from lightning_modules.callbacks.budget import batches_done, steps_of
from lightning_modules.callbacks.cosine import put
from lightning_modules.callbacks.epoch_lines import say
from lightning_modules.callbacks.lengths import at_the_clock, is_timed, length_of, unit_of

OF_PLATEAU = ("mode", "factor", "min_lrs", "patience", "cooldown", "threshold", "threshold_mode", "eps", "mode_worse")
"""Attributes of a plateau schedule that are settings; the others are what it has seen."""
NO_SETTINGS = ("self", "optimizer", "last_epoch")
BY_THE_CLOCK = "the cosine schedule ends with trainer.max_time: its rate follows the clock, so that no two such runs are the same"
Settings = dict[str, Any]


class ConfiguredRates(Callback):
    """Give optimizers and schedules their configured settings again, which a checkpoint overrules.

    A changed learning rate keeps the reductions that a plateau schedule, or a recipe, made so far. A changed schedule is put
    where it would be had it been there from the start; without one any more the rate is the configured one. What did not change
    is left alone to the last bit.
    """

    def __init__(self) -> None:
        self._checkpoint: dict[str, Any] | None = None
        self._groups: list[list[Settings]] = []
        self._schedules: list[Settings] = []
        self._is_new: list[bool] = []
        self._rates_before: list[list[float]] = []

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Hold on to the checkpoint, which Lightning restores from later; early stopping has its patience from here on."""
        self._checkpoint = checkpoint
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # declared by none of Lightning's classes
            if isinstance(callback, EarlyStopping) and callback.state_key in checkpoint["callbacks"]:
                checkpoint["callbacks"][callback.state_key]["patience"] = callback.patience

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember the settings that everything is made with, before a checkpoint gives its own."""
        self._groups = [[_settings_of_group(group) for group in optimizer.param_groups] for optimizer in trainer.optimizers]
        self._schedules = [_settings_of(schedule) for schedule in _schedules(trainer)]
        if self._checkpoint is not None:
            states = [*self._checkpoint["lr_schedulers"], *[{}] * len(self._schedules)]
            own = [schedule.state_dict() for schedule in _schedules(trainer)]
            self._is_new = [state.keys() != fresh.keys() for state, fresh in zip(states, own, strict=False)]
            self._checkpoint["lr_schedulers"] = [
                fresh if is_new else state for state, fresh, is_new in zip(states, own, self._is_new, strict=False)
            ]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Give them back, and say so where a cosine schedule has another end, or follows the clock."""
        steps, is_told = steps_of(trainer), not trainer.is_global_zero
        for schedule, settings in zip(_schedules(trainer), self._schedules, strict=True):
            if steps is not None and settings.get("T_max") == steps:
                settings["T_max"] = length_of(trainer)
                if self._checkpoint is None:
                    schedule.T_max = settings["T_max"]
            if not is_told and is_timed(trainer, type(schedule), settings.get("T_max")):
                is_told = True
                say(BY_THE_CLOCK)
        if self._checkpoint is not None:
            self._checkpoint = None
            self._restore(trainer)

    def _restore(self, trainer: pl.Trainer) -> None:
        steered = set[int]()
        for schedule, settings, is_new in zip(_schedules(trainer), self._schedules, self._is_new, strict=True):
            if isinstance(schedule, ReduceLROnPlateau):
                _restore_plateau(schedule, settings)
                continue
            steered.add(id(schedule.optimizer))
            line = _restore_schedule(trainer, schedule, settings, is_new)
            if line and trainer.is_global_zero:
                say(line)
        for number, (optimizer, groups) in enumerate(zip(trainer.optimizers, self._groups, strict=True)):
            before = self._rates_before[number] if number < len(self._rates_before) else None
            _restore_groups(optimizer, groups, before, id(optimizer) in steered)

    def state_dict(self) -> dict[str, Any]:
        """Return the learning rates that are configured, which schedules and recipes change."""
        return {"rates": [[group["initial_lr"] for group in groups] for groups in self._groups]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over those of the run so far."""
        self._rates_before = state_dict["rates"]


def _schedules(trainer: pl.Trainer) -> list[Any]:
    return [config.scheduler for config in trainer.lr_scheduler_configs]


def _settings_of_group(group: Settings) -> Settings:
    kept = {name: value for name, value in group.items() if name != "params"}
    configured = group["initial_lr"] if "initial_lr" in group else group["lr"]  # a schedule may have changed the rate already
    return kept | {"initial_lr": float(configured)}


def _settings_of(schedule: LRScheduler) -> Settings:
    own = vars(schedule)
    if isinstance(schedule, ReduceLROnPlateau):
        return {name: own[name] for name in OF_PLATEAU if name in own}
    names = [name for name in inspect.signature(type(schedule)).parameters if name not in NO_SETTINGS]
    return {name: own[name] for name in [*names, "base_lrs"] if name in own}


def _restore_groups(optimizer: Optimizer, groups: list[Settings], before: list[float] | None, is_steered: bool) -> None:
    """Set what is configured; the rate goes in proportion, unless a schedule has set it.

    Args:
        optimizer: as the checkpoint left it.
        groups: settings by group of parameters.
        before: rates that the checkpoint was configured with, by group; None: not known.
        is_steered: whether a schedule has set the rate.
    """
    for number, (group, settings) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        known = group["initial_lr"] if "initial_lr" in group else group["lr"]
        old = float(before[number] if before else known)
        new, rate = settings["initial_lr"], float(group["lr"])
        group.update({name: value for name, value in settings.items() if name not in ("lr", "initial_lr")})
        if is_steered:
            group["initial_lr"] = new
        elif group.pop("initial_lr", None) is not None or rate == old or old == 0:  # no schedule any more, or none was in effect
            group["lr"] = new
        else:
            group["lr"] = rate * new / old if new != old else rate


def _restore_plateau(schedule: ReduceLROnPlateau, settings: Settings) -> None:
    """Set what is configured, and forget the best value if another direction is better now."""
    is_turned = schedule.mode != settings["mode"]
    vars(schedule).update(settings)
    if is_turned:
        schedule._reset()


def _restore_schedule(trainer: pl.Trainer, schedule: Any, settings: Settings, is_new: bool) -> str:
    """Set what is configured, and the rate that follows from it.

    Args:
        trainer: at the start of what is left of the training.
        schedule: as the checkpoint left it.
        settings: configured.
        is_new: whether the run had no such schedule before.

    Returns:
        What to tell; empty for nothing.
    """
    by_clock, is_same = is_timed(trainer, type(schedule), settings.get("T_max")), _has(schedule, settings) and not is_new
    unit = unit_of(trainer) if by_clock or steps_of(trainer) is not None else "epoch"
    position: float = {"epoch": trainer.current_epoch, "batch": batches_done(trainer), "second": 0}[unit]
    if is_same and (by_clock or schedule.last_epoch == position):
        return ""
    if isinstance(schedule, CosineAnnealingLR):
        return _stretch(schedule, settings, at_the_clock(trainer, position) if by_clock else position, is_new, unit)
    vars(schedule).update(settings)
    _replay(schedule, int(position))
    return ""


def _has(schedule: Any, settings: Settings) -> bool:
    return all(getattr(schedule, name) == settings[name] for name in settings)


def _stretch(schedule: Any, settings: Settings, position: float, is_new: bool, unit: str) -> str:
    """Put a schedule where one of other settings would be by now.

    Args:
        schedule: its optimizer gets the new rate.
        settings: the new T_max, eta_min and base_lrs; what is left out stays.
        position: how many epochs, batches or seconds are over.
        is_new: whether the rate so far is not this schedule's.
        unit: epoch, batch or second.

    Returns:
        What changes, in a line; empty if the end does not.
    """
    before, rate = schedule.T_max, float(schedule.optimizer.param_groups[0]["lr"])
    put(schedule, position, settings, is_new)
    if before == schedule.T_max:
        return ""
    units = {"epoch": "epochs", "batch": "batches", "second": "seconds"}[unit]
    return (
        f"the cosine schedule now ends after {schedule.T_max} {units}, not {before}: "
        f"after {unit} {round(position)} the learning rate is {schedule.get_last_lr()[0]:.3g}, not {rate:.3g}"
    )


def _replay(schedule: LRScheduler, position: int) -> None:
    """Step a schedule of another kind from its start."""
    for group, base in zip(schedule.optimizer.param_groups, schedule.base_lrs, strict=True):
        group["lr"] = base
    schedule.last_epoch, schedule._step_count = 0, 2  # torch asks in the first steps whether the optimizer went before
    for _ in range(position):
        schedule.step()
