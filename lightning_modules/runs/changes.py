"""A run that goes on with another configuration: what may change, and is told, and what the weights of the run forbid."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning_modules.runs.card import RunFolderError
from lightning_modules.runs.folder import check_same_model
from lightning_modules.training.durations import seconds_of
from machine.console import printable

Values = Mapping[str, Any]
NETWORKS = ("model.net.", "model.discriminator.", "model.autoencoder.")
FIXED = (
    "model._target_",
    "data.sample_rate",
    "model.autoencoder_checkpoint",
    "model.base",
    "freeze",
    "model.warm_up._target_",
    "monitor",
    "mode",
)
"""What the state of a run belongs to: its networks, its optimizers, and the metric that chose its best epoch."""
PRESENCE = {"discriminator": ("adversarial", "feature_matching"), "autoencoder": ("feature",)}
"""By a network: the weights of losses, one of which has to be above 0 for it to be trained."""
ALIKE = ("torch.optim.Adam", "torch.optim.AdamW")
"""Optimizers that keep the same of every weight."""
UNTOLD = (
    "resume",
    "from_run",
    "run_name",
    "run_dir",
    "run_id",
    "group",
    "job_type",
    "choices",
    "logger",
    "test_trainer",
    "plugins",
    "rerun",
    "sweep_hours",
)
"""What says where a run is and what it is called, or follows other keys."""
FOLLOWING = {
    "data.corruption": "corruption",
    "data.seed": "seed",
    "model.monitor": "monitor",
    "model.sample_rate": "data.sample_rate",
}
"""Keys that have the values of others."""
OF_TRAINING = ("batch_size", "samples_per_epoch", "stride_samples", "num_workers", "cache", "cache_dir", "level_db", "seed")
"""Keys of the data that leave the validation pairs as they are."""
NOTHING = "null"


def told_changes(folder: Path, before: Values | None, now: Values) -> list[str]:
    """Return a line for every key with another value than the run had.

    Args:
        folder: of the run.
        before: its resolved configuration; None if that is not known, and then the model has to be the same in all.
        now: the one to go on with.

    Raises:
        RunFolderError: naming the keys whose values cannot change, with both.
    """
    if before is None:
        check_same_model(folder, now)
        return []
    changes = {key: values for key, *values in _changes(before, now)}
    fixed = [key for key, (old, new) in changes.items() if _is_fixed(key, old, new)]
    fixed += [key for name in PRESENCE for key in _switched(name, before, now)]
    classes = [key.removesuffix("_target_") for key in fixed if key.endswith("._target_")]
    fixed = [key for key in fixed if not any(key.startswith(place) and key != f"{place}_target_" for place in classes)]
    if fixed:
        said = ", ".join(f"{key}={_shown(changes[key][1])} (it has {_shown(changes[key][0])})" for key in fixed)
        raise RunFolderError(
            f"resume={printable(folder)}: this run cannot go on with {said}; what the weights belong to stays as it is, "
            "so begin a new run"
        )
    return [_told(key, old, new) for key, (old, new) in changes.items()]


def plain_changes(before: Values, now: Values) -> list[str]:
    """Return a line for every key with another value, whatever it is."""
    return [f"{key}={_shown(new)}, was {_shown(old)}" for key, old, new in _changes(before, now)]


def _told(key: str, old: Any, new: Any) -> str:
    if key == "init_from":
        return f"init_from={_shown(new)} is left aside: the run goes on with weights of its own; it began with {_shown(old)}"
    return f"changed: {key}={_shown(new)}, was {_shown(old)}"


def validates_otherwise(before: Values | None, now: Values) -> bool:
    """Say whether scores from before cannot be compared with those to come, because other pairs are validated.

    Args:
        before: as of `told_changes`.
        now: likewise.
    """
    keys = [key.split(".") for key, *_ in _changes(before or now, now)]
    of_data = any(key[0] == "data" and key[1] not in OF_TRAINING for key in keys)
    return of_data or any(key[0] == "corruption" or key == ["trainer", "limit_val_batches"] for key in keys)


def _changes(before: Values, now: Values) -> Iterator[tuple[str, Any, Any]]:
    old, new = dict(_flat(before)), dict(_flat(now))
    for key in [*new, *(key for key in old if key not in new)]:
        values = old.get(key, NOTHING), new.get(key, NOTHING)
        if values[0] != values[1] and not _is_unset(*values) and not _is_under(key, UNTOLD) and not _follows(key, new):
            yield key, *values


def _is_unset(old: Any, new: Any) -> bool:
    """Say whether a key that one side does not have is off on the other."""
    return NOTHING in (old, new) and any(value in (0, False) for value in (old, new))


def _flat(values: Values, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all keys that are no groups, with dots between the levels; null and nothing are the same."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        elif value is not None:
            yield f"{place}{name}", value


def _is_under(key: str, names: tuple[str, ...]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _follows(key: str, now: Values) -> bool:
    """Say whether a key only repeats what another one says."""
    for name, owner in FOLLOWING.items():
        if _is_under(key, (name,)):
            return bool(now.get(key, NOTHING) == now.get(owner + key.removeprefix(name), NOTHING))
    lengths = (now.get("trainer.max_epochs"), now.get("trainer.max_steps"), seconds_of(now.get("trainer.max_time")))
    return key.startswith("model.schedul") and key.endswith(".T_max") and now.get(key) in lengths


def _is_fixed(key: str, old: Any, new: Any) -> bool:
    leaf = key.rpartition(".")[2]
    if key.startswith(NETWORKS):
        return not leaf.endswith("dropout")
    if "optimizer." in key:
        return (leaf == "_target_" and not {old, new} <= set(ALIKE)) or leaf == "amsgrad"
    return key in FIXED


def _switched(network: str, before: Values, now: Values) -> list[str]:
    """Return the weights by which a network would join the run, or leave it."""
    weights = [dict((values.get("model") or {}).get("loss_weights") or {}) for values in (before, now)]
    present = [any(weight.get(name, 0) > 0 for name in PRESENCE[network]) for weight in weights]
    changed = [name for name in PRESENCE[network] if weights[0].get(name, 0) != weights[1].get(name, 0)]
    return [f"model.loss_weights.{name}" for name in changed] if present[0] != present[1] else []


def _shown(value: Any) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return printable(text)
