"""Names that classes and keys had before, so that older checkpoints open and older runs go on."""

from collections.abc import Mapping
from typing import Any

MOVED = {
    "lightning_modules.shaping": "lightning_modules.training.shaping",
    "lightning_modules.warm_up": "lightning_modules.training.warm_up",
    "lightning_modules.tracking": "lightning_modules.runs.tracking",
}
"""Of every module that a `_target_` in a checkpoint or a run may name: where it was, and where it is."""
RENAMED = {
    "datamodules.corruptions.chain.Sometimes": "datamodules.corruptions.chain.RandomApply",
    "models.mugan.Generator": "models.mugan.MUGANGenerator",
}
"""Classes whose own name changed."""
KEYS = {"lightning_modules.training.shaping.Shaping": {"least_gain": "min_delta"}}
"""By the present name of a class: the old and the new names of its settings."""

ADVERSARIAL = (
    "adversarial.Adversarial",
    "mugan.MUGAN",
    "modular_gan.ModularGAN",
    "collaborative_gan.CollaborativeGAN",
    "staged.Staged",
)
NEW_KEYS: dict[str, dict[str, Any]] = {
    "models.mask_net.MaskNet": {"detailed_hz": None},
    **{name: {"neighborhood": 8} for name in ("models.conv_rnn.ConvRNN", "models.cold_diffusion.ColdDiffusionRNN")},
    **{
        f"lightning_modules.{name}Module": {"balance": {"_target_": "lightning_modules.training.balance.Weights"}}
        for name in ADVERSARIAL
    },
}
"""By class: settings that it had not at first, with the value that it had."""

LATER = ("max_steps", "val_check_interval", "fast_dev_run", "overfit_batches")
"""Keys of the trainer that the first version had not; without a value they change nothing."""


def present_names(node: Any) -> Any:
    """Return a description with the names that classes and settings have now.

    >>> present_names({"_target_": "lightning_modules.shaping.Shaping", "least_gain": 0.01})
    {'_target_': 'lightning_modules.training.shaping.Shaping', 'min_delta': 0.01}
    """
    return _renamed(node, {**MOVED, **RENAMED}, KEYS)


def first_names(node: Any) -> Any:
    """Return a description as it was written before anything moved or was added: what is compared across versions.

    >>> first_names({"_target_": "lightning_modules.training.shaping.Shaping", "min_delta": 0.01})
    {'_target_': 'lightning_modules.shaping.Shaping', 'least_gain': 0.01}
    """
    names = _reversed({**MOVED, **RENAMED})
    renamed = {_target(owner, names): _reversed(keys) for owner, keys in KEYS.items()}
    return _renamed(_without_new_keys(node), names, renamed)


def first_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with early stopping as the number that it was, and without later keys that are not set.

    What else is added stays where it is.

    >>> stopping = {"_target_": "pytorch_lightning.callbacks.EarlyStopping", "monitor": "val/lsd", "mode": "min", "patience": 5}
    >>> first_keys({"monitor": "val/lsd", "mode": "min", "callbacks": {"early_stopping": stopping}})
    {'monitor': 'val/lsd', 'mode': 'min', 'early_stopping_patience': 5}
    """
    kept = {key: value for key, value in config.items() if key != "callbacks"}
    if isinstance(kept.get("trainer"), Mapping):
        kept["trainer"] = {key: value for key, value in kept["trainer"].items() if value or key not in LATER}
    model = kept.get("model")
    if kept.get("init_from") in (None, model.get("base") if isinstance(model, Mapping) else None):
        kept.pop("init_from", None)
    if kept.get("freeze") is None:
        kept.pop("freeze", None)
    if "callbacks" not in config:
        return kept
    added = dict(config["callbacks"] or {})
    stopping = dict(added.pop("early_stopping", {}))
    patience = stopping.pop("patience", None)
    implied = {"_target_": "pytorch_lightning.callbacks.EarlyStopping", "monitor": kept.get("monitor"), "mode": kept.get("mode")}
    more = {key: value for key, value in stopping.items() if key not in implied or implied[key] != value}
    rest = added | ({"early_stopping": more} if more else {})
    return kept | {"early_stopping_patience": patience} | ({"callbacks": rest} if rest else {})


def _without_new_keys(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return [_without_new_keys(value) for value in node]
    if not isinstance(node, dict):
        return node
    new = NEW_KEYS.get(str(node.get("_target_")), {})
    return {key: _without_new_keys(value) for key, value in node.items() if key not in new or value != new[key]}


def _reversed(names: Mapping[str, str]) -> dict[str, str]:
    return {now: before for before, now in names.items()}


def _renamed(node: Any, names: Mapping[str, str], keys: Mapping[str, Mapping[str, str]]) -> Any:
    if isinstance(node, list | tuple):
        return [_renamed(value, names, keys) for value in node]
    if not isinstance(node, dict):
        return node
    named = {**node, "_target_": _target(node["_target_"], names)} if "_target_" in node else node
    own = keys.get(str(named.get("_target_")), {})
    return {own.get(key, key): _renamed(value, names, keys) for key, value in named.items()}


def _target(name: Any, names: Mapping[str, str]) -> Any:
    module, _, leaf = str(name).rpartition(".")
    return names.get(str(name)) or (f"{names[module]}.{leaf}" if module in names else name)
