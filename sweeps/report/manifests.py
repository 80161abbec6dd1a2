"""Keep apart what was tested on different pairs: scores of different test pairs cannot share a table."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.report.keys import flatten
from sweeps.report.runs import ReportedRun, ReportError

TRAINING_ONLY = (
    "batch_size",
    "cache",
    "cache_dir",
    "cache_dtype",
    "corruption",
    "level_db",
    "max_recordings.train",
    "max_recordings.val",
    "num_workers",
    "root",
    "root_weights",
    "samples_per_epoch",
    "seed",
    "window_samples",
)
"""Keys of `data` that do not decide which pairs are tested (the corruption is compared on its own)."""
SHOWN = 6


def evaluation_id(run: ReportedRun) -> str:
    """Return eight hexadecimal digits that two runs share exactly if they were scored on the same test pairs.

    The manifest's hash alone would not do: `trainer.limit_test_batches` tests only some of its pairs.
    """
    content = f"{run.result['manifest_hash']} {sorted(run.pairs.index)}"
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def group_runs(runs: Sequence[ReportedRun]) -> dict[str, list[ReportedRun]]:
    """Sort runs by the pairs they were tested on, the largest group first."""
    groups: dict[str, list[ReportedRun]] = {}
    for run in runs:
        groups.setdefault(evaluation_id(run), []).append(run)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def only_group(groups: Mapping[str, list[ReportedRun]]) -> str:
    """Return the one group there is.

    Raises:
        ReportError: if there are several, naming what differs and the options.
    """
    first, *others = groups
    if not others:
        return first
    lines = [f"the runs were tested on {len(groups)} different sets of pairs, whose scores cannot share a table:"]
    lines += [f"  {name}: {_describe(runs)}" for name, runs in groups.items()]
    for other in others:
        lines.append(f"  {other} differs from {first} in {'; '.join(differences(groups[first][0], groups[other][0]))}")
    lines.append(f"report one of them with --manifest {first}, or each on its own with --separately")
    raise ReportError("\n".join(lines))


def choose_group(groups: Mapping[str, list[ReportedRun]], start: str) -> str:
    """Return the group whose name begins so.

    Raises:
        ReportError: if none or several do.
    """
    found = [name for name in groups if name.startswith(start)]
    if len(found) != 1:
        known = "; ".join(f"{name}: {_describe(runs)}" for name, runs in groups.items())
        raise ReportError(f"--manifest {start} names {len(found)} of the sets of test pairs; known: {known}")
    return found[0]


def facts(run: ReportedRun) -> dict[str, Any]:
    """Return what a table over a run's test pairs says about them."""
    choices = run.config.get("choices") or {}
    return {
        "corruption": choices.get("corruption"),
        "data": choices.get("data"),
        "pairs": len(run.pairs.index),
        "recordings": len(set(run.pairs.files)),
        "sample_rate_hz": run.result.get("sample_rate_hz"),
        "manifest_hash": run.result["manifest_hash"],
    }


def _describe(runs: Sequence[ReportedRun]) -> str:
    known = facts(runs[0])
    names = ", ".join(run.name for run in runs[:SHOWN]) + (", ..." if len(runs) > SHOWN else "")
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"{count} ({names}): {known['corruption']} on {known['data']}, {known['pairs']} pairs"


def differences(run: ReportedRun, other: ReportedRun) -> list[str]:
    """Name what makes the test pairs of two runs differ: settings first, then the pairs themselves."""
    found = _changed(_settings(run), _settings(other))
    if len(run.pairs.index) != len(other.pairs.index):
        found.append(f"number of pairs: {len(other.pairs.index)}, not {len(run.pairs.index)}")
    found += _changed_pairs(run, other)
    if len(found) > SHOWN:
        found[SHOWN:] = [f"{len(found) - SHOWN} more"]
    return found or ["what the settings do not show: recorded noise, room responses, or the version of the program"]


def _settings(run: ReportedRun) -> dict[str, Any]:
    choices = run.config.get("choices") or {}
    data = {key: value for key, value in flatten(run.config.get("data") or {}).items() if not _training_only(key)}
    named = {f"data.{key}": value for key, value in data.items()}
    named |= {f"corruption.{key}": value for key, value in flatten(run.config.get("corruption") or {}).items()}
    return {"corruption": choices.get("corruption"), "sample rate": run.result.get("sample_rate_hz")} | named


def _training_only(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in TRAINING_ONLY)


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name changed settings; where the whole corruption is another one, its settings go without saying."""
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    if "corruption" in keys:
        keys = [key for key in keys if not key.startswith("corruption.")]
    return [f"{key}: {other.get(key)}, not {one.get(key)}" for key in keys]


def _changed_pairs(run: ReportedRun, other: ReportedRun) -> list[str]:
    """Name pairs of the same number that come from elsewhere, or whose audio is not the same."""
    theirs = dict(zip(other.pairs.index, other.pairs.places, strict=True))
    shared = [(place, theirs[index]) for index, place in zip(run.pairs.index, run.pairs.places, strict=True) if index in theirs]
    found = []
    for key, meaning in (("file", "recording"), ("offset_samples", "position"), ("checksum", "audio"), ("seed", "random draw")):
        count = sum(one.get(key) != two.get(key) for one, two in shared)
        if count:
            found.append(f"{meaning} of {count} of {len(shared)} pairs")
    return found[:1]
