"""The probes of a method at the end of its test, each a column of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from lightning_modules.base import RestorationModule
from lightning_modules.metrics.probes.collection import offered_probes
from lightning_modules.metrics.probes.subject import Pairs, Subject
from lightning_modules.runs.evaluation import Scores
from lightning_modules.runs.parts import KeptResult


def probed(row: Scores, subject: Subject, names: Sequence[str] | None, kept: KeptResult) -> Scores:
    """Return a row with the values of probes; one that fails is told, and the rest goes on.

    Args:
        row: of the method.
        subject: the method, see `subject_of`.
        names: of the probes; None: all; those that do not work at the rate have no value.
        kept: the result of the run.
    """
    probes = {name: probe for name, probe in offered_probes(subject.sample_rate).items() if names is None or name in names}
    found = {name: kept.part(f"{name} of {row.name}", probe, subject) for name, probe in probes.items()}
    return replace(row, means=row.means | {name: value for name, value in found.items() if value is not None})


def subject_of(module: RestorationModule | None, data: Any, rows: Sequence[Mapping[str, float]]) -> Subject:
    """Return a method as probes see it; None is the untouched input.

    Args:
        module: that restores without the clean signal.
        data: has the test pairs.
        rows: of the pairs that were scored, by their `index`.
    """
    manifest = data.manifest()
    recordings = {int(row["index"]): str(manifest[int(row["index"])]["file"]) for row in rows}
    pairs = Pairs(data.test_dataloader().dataset, recordings)
    channels = pairs.dataset[next(iter(recordings))]["clean"].shape[0]
    if module is None:
        return Subject(lambda signal: signal, data.sample_rate, channels, pairs)
    module.eval()

    def restored(signal: Tensor) -> Tensor:
        return module.restore(signal.to(module.device))

    return Subject(restored, data.sample_rate, channels, pairs)
