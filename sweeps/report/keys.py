"""Which settings make one run differ from another, and what to call a run after them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lightning_modules.run_folder import VOLATILE, fingerprint
from sweeps.report.runs import Run

NOT_SWEPT = (
    *VOLATILE,
    "checkpoint",
    "choices",
    "data.corruption",
    "data.root",
    "data.seed",
    "model.monitor",
    "model.sample_rate",
    "test_trainer",
    "trainer.accelerator",
    "trainer.log_every_n_steps",
)
"""Keys that follow others, or say where and how a run was made, with dots between the levels."""


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Join nested keys by dots; lists become JSON text, and what is null is left out.

    >>> flatten({"net": {"depth": 6, "channels": [4, 8]}, "scheduler": None})
    {'net.depth': 6, 'net.channels': '[4, 8]'}
    """
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        elif value is not None:
            flat[f"{prefix}{key}"] = json.dumps(value) if isinstance(value, list) else value
    return flat


def settings(run: Run) -> dict[str, Any]:
    """Return the settings of a run that may matter, by dotted key, and its `model`."""
    flat = flatten(run.trained)
    return {"model": run.model} | {key: value for key, value in flat.items() if not _ignored(key)}


def _ignored(key: str) -> bool:
    return key.endswith("._partial_") or any(key == name or key.startswith(f"{name}.") for name in NOT_SWEPT)


def method_id(run: Run) -> str:
    """Return twelve hexadecimal digits that runs of one method share: the same settings but for the seed."""
    return fingerprint({key: value for key, value in settings(run).items() if key != "seed"})[:12]


def swept_keys(runs: Sequence[Run]) -> list[str]:
    """Return the settings that a sweep varied: those that differ among runs of one model, `model` first if there are several.

    Of keys that have the same values in every run (one follows the other) the shortest is kept.
    """
    table = [settings(run) for run in runs]
    models = {row["model"] for row in table}
    varied = ["model"] if len(models) > 1 else []
    for model in sorted(models):
        rows = [row for row in table if row["model"] == model]
        varied += [key for key in _varying(rows) if key not in varied]
    kept: dict[str, str] = {}
    for key in sorted(varied, key=lambda key: (key.count("."), len(key))):
        kept.setdefault(json.dumps([row.get(key) for row in table]), key)
    return sorted(kept.values(), key=varied.index)


def _varying(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys whose values differ, but for those that only come and go with another class of the same object."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    varying = [key for key in keys if len({row.get(key) for row in rows}) > 1]
    owners = tuple(key.removesuffix("_target_") for key in varying if key.endswith("._target_"))
    return [key for key in varying if key.endswith("._target_") or not key.startswith(owners) or all(key in row for row in rows)]


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Shorten dotted keys to their last part where that is unambiguous.

    >>> short_keys(["model.optimizer.lr", "model.scheduler._target_"])
    {'model.optimizer.lr': 'lr', 'model.scheduler._target_': 'scheduler'}
    """
    plain = {key: key.removesuffix("._target_") for key in keys}
    seen = Counter(name.rsplit(".", 1)[-1] for name in plain.values())
    return {key: name.rsplit(".", 1)[-1] if seen[name.rsplit(".", 1)[-1]] == 1 else name for key, name in plain.items()}


def shown_value(value: Any) -> str:
    """Write a setting as short as it can be read."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text.rsplit(".", 1)[-1] if text.startswith(("torch.", "models.", "lightning_modules.", "datamodules.")) else text


def label(run: Run, keys: Sequence[str]) -> str:
    """Name a method by its model and its values of the swept keys."""
    values, names = settings(run), short_keys(keys)
    parts = [f"{names[key]}={shown_value(values[key])}" for key in keys if key in values and key not in ("model", "seed")]
    return " ".join([run.model, *parts])
