"""Values that follow from others in a way that a reference in a file cannot express."""

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from lightning_modules.training.durations import seconds_of

DEFAULT_EPOCHS = 20
EPOCHS, STEPS = "${trainer.max_epochs}", "${trainer.max_steps}"
Changes = Mapping[str, Any]


def implied(cfg: DictConfig) -> Changes:
    """Return the values of keys that follow from how long a training is, and from what is only tried, by dotted names.

    Args:
        cfg: composed from conf/train.yaml; what is wrong in it is left for the check.
    """
    trainer = cfg.trainer
    tried, same, steps = (trainer.get(key) for key in ("fast_dev_run", "overfit_batches", "max_steps"))
    if isinstance(tried, int) and tried > 0:
        return _trial(cfg, int(tried))
    changes: dict[str, Any] = {}
    if same is not True and ((isinstance(same, int) and same > 0) or (isinstance(same, float) and 0 < same <= 1)):
        changes |= {"trainer.limit_train_batches": same, "trainer.limit_val_batches": same}
    seconds = seconds_of(trainer.get("max_time"))
    if steps is not None:
        changes |= dict.fromkeys(_lengths_of_schedules(cfg), STEPS)
    elif seconds and trainer.max_epochs in (None, -1):
        changes |= dict.fromkeys(_lengths_of_schedules(cfg), seconds)
    if trainer.max_epochs is None and steps is not None:
        changes["trainer.max_epochs"] = -1
    elif trainer.max_epochs is None and trainer.max_time is None:
        changes["trainer.max_epochs"] = DEFAULT_EPOCHS
    return changes


def _trial(cfg: DictConfig, batches: int) -> Changes:
    """Shrink a training to so many batches and pairs of everything."""
    limits = dict.fromkeys((f"trainer.limit_{part}_batches" for part in ("train", "val", "test")), batches)
    lengths = {"max_epochs": 1, "max_steps": None, "max_time": None, "check_val_every_n_epoch": 1, "val_check_interval": None}
    changes = limits | {f"trainer.{key}": value for key, value in lengths.items()} | {"trainer.num_sanity_val_steps": 0}
    return changes | {key: value for key, value in {"logger": None, "examples": 0, "resume": None}.items() if key in cfg}


def _lengths_of_schedules(cfg: DictConfig) -> list[str]:
    """Return where schedules are as long as the number of epochs says."""
    model = OmegaConf.to_container(cfg.model, resolve=False) if isinstance(cfg.get("model"), DictConfig) else {}
    assert isinstance(model, dict)
    several = model.get("schedulers")
    described = {f"schedulers.{name}": schedule for name, schedule in (several if isinstance(several, dict) else {}).items()}
    described["scheduler"] = model.get("scheduler")
    return [f"model.{name}.T_max" for name, node in described.items() if isinstance(node, dict) and node.get("T_max") == EPOCHS]
