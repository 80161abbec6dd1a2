"""Keep apart what models of hearing were asked in different ways: such values cannot share a column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lightning_modules.metrics.registry import computed_in
from lightning_modules.runs.printing import short
from sweeps.report.runs import ReportedRun


def asked_alike(runs: Sequence[ReportedRun]) -> tuple[list[ReportedRun], list[str]]:
    """Return runs without perceptual metrics where these are about different numbers of pairs or kinds of signals.

    Args:
        runs: with the same test pairs.

    Returns:
        The runs, and a sentence if values were left out.
    """
    panels = {_panel(told) for run in runs if isinstance(told := run.result.get("perceptual"), Mapping)}
    if len(panels) < 2:
        return list(runs), []
    told_names = [name for name in computed_in("perceptual") if any(name in row for run in runs for row in _rows(run).values())]
    return [_without(run) for run in runs], [f"{', '.join(told_names)} left out: {'; '.join(sorted(panels))} cannot be compared"]


def _panel(told: Mapping[str, object]) -> str:
    return short(f"{told.get('pairs')} pairs heard as {told.get('kind')}")


def _rows(run: ReportedRun) -> Mapping[str, Mapping[str, object]]:
    rows: Mapping[str, Mapping[str, object]] = run.result["methods"]
    return rows


def _without(run: ReportedRun) -> ReportedRun:
    left_out = computed_in("perceptual")
    rows = {name: {key: value for key, value in row.items() if key not in left_out} for name, row in _rows(run).items()}
    return replace(run, result={**run.result, "methods": rows})
