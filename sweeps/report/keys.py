"""Which settings make one run differ from another, and what to call a run after them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from lightning_modules.runs.folder import FOLLOWING_THE_RUN, VOLATILE, fingerprint
from sweeps.report.runs import ReportedRun

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
    """Join nested keys by dots; lists become JSON text.

    >>> flatten({"net": {"depth": 6, "channels": [4, 8]}, "scheduler": None})
    {'net.depth': 6, 'net.channels': '[4, 8]', 'scheduler': None}
    """
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = json.dumps(value) if isinstance(value, list) else value
    return flat


def run_settings(run: ReportedRun) -> dict[str, Any]:
    """Return the settings of a run that may matter, by dotted key, and its `model`; without training only the model's do."""
    flat = {key: value for key, value in flatten(run.trained).items() if not _ignored(key)}
    matter = flat if run.kind == "learned" else {key: value for key, value in flat.items() if key.startswith("model.")}
    return {"model": run.model} | {key: value for key, value in matter.items() if key != "model"}


@cache
def _ignored(key: str) -> bool:
    return key.endswith("._partial_") or any(key == name or key.startswith(f"{name}.") for name in NOT_SWEPT)


def method_id(run: ReportedRun) -> str:
    """Return twelve hexadecimal digits that runs of one method share: the same settings but for the seed."""
    return fingerprint({key: value for key, value in run_settings(run).items() if key != "seed" and value is not None})[:12]


def swept_keys(runs: Sequence[ReportedRun]) -> list[str]:
    """Return the settings that a sweep varied: those that differ among runs of one model, `model` first if there are several.

    Of keys that have the same values in every run (one follows the other) the shortest is kept.
    """
    table = [run_settings(run) for run in runs]
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
    """Return the keys whose values differ.

    A key that some runs do not have is that of another class, or of another version of the program: only the class counts.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [key for key in keys if len({row.get(key) for row in rows if key in row or key.endswith("._target_")}) > 1]


def telling_keys(runs: Sequence[ReportedRun]) -> list[str]:
    """Return the fewest swept keys that tell apart whatever all of them do, taken greedily, for names to be short.

    What a method is comes before how long it was trained: methods whose epochs differ too are not named by their epochs.
    """
    keys = [key for key in swept_keys(runs) if key not in ("model", "seed")]
    table = [run_settings(run) for run in runs]
    told: list[str] = []

    def groups(chosen: Sequence[str]) -> int:
        return len({tuple(str(row.get(key)) for key in ("model", *chosen)) for row in table})

    while groups(told) < groups(keys):
        gains = {key: groups([*told, key]) - groups(told) for key in keys if key not in told}
        told.append(max(gains, key=lambda key: (gains[key] > 0, _rank(key), gains[key])))
    return sorted(told, key=keys.index)


def _rank(key: str) -> int:
    """Return how much a key says about a method: 2 of its own, 1 of its training, 0 what follows the training's length."""
    follows = key.removeprefix("model.") in FOLLOWING_THE_RUN
    return 0 if follows else 2 if key.startswith("model.") else 1


def keys_of_names(runs: Sequence[ReportedRun]) -> dict[str, list[str]]:
    """Return for each model the telling keys that differ among its own runs: what a name has to say beside the model."""
    told, tables = telling_keys(runs), dict[str, list[dict[str, Any]]]()
    for row in map(run_settings, runs):
        tables.setdefault(row["model"], []).append(row)
    return {name: [key for key in told if len({str(row.get(key)) for row in table}) > 1] for name, table in tables.items()}


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Shorten dotted keys to as little of their end as is unambiguous.

    >>> short_keys(["model.optimizer.lr", "model.scheduler._target_"])
    {'model.optimizer.lr': 'lr', 'model.scheduler._target_': 'scheduler'}
    >>> short_keys(["model.optimizer.lr", "model.generator_optimizer.lr"])
    {'model.optimizer.lr': 'optimizer.lr', 'model.generator_optimizer.lr': 'generator_optimizer.lr'}
    """
    plain = {key: key.removesuffix("._target_") for key in keys}
    seen = Counter(end for name in plain.values() for end in _ends(name))
    return {key: next((end for end in _ends(name) if seen[end] == 1), name) for key, name in plain.items()}


def _ends(name: str) -> list[str]:
    """Return the ends of a dotted name, the shortest first."""
    parts = name.split(".")
    return [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]


def shown_value(value: Any) -> str:
    """Write a setting as short as it can be read."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text.rsplit(".", 1)[-1] if text.startswith(("torch.", "models.", "lightning_modules.", "datamodules.")) else text


def label(run: ReportedRun, keys: Sequence[str]) -> str:
    """Name a method by its model and its values of the swept keys."""
    values, names = run_settings(run), short_keys(keys)
    known = [key for key in keys if key not in ("model", "seed") and values.get(key) is not None]
    return " ".join([run.model, *(f"{names[key]}={shown_value(values[key])}" for key in known)])
