"""The median stopping rule: which job of a sweep is to be ended early.

A job is stopped after an epoch if its best value so far is worse than the median of what the others had reached by that epoch
(Golovin et al., Google Vizier, KDD 2017, section 3.2, with best values in place of running averages). It needs nothing but the
epochs.jsonl of the runs, so it works with every sweeper and launcher.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lightning_modules.runs.damage import DamagedFileError, is_number, read_json_lines

FEWEST_OTHERS = 3
"""A median of fewer jobs says little."""


@dataclass(frozen=True)
class MedianRule:
    """Decide about one job from the files of all.

    Args:
        sweep: holds the folders of the jobs.
        metric: as in epochs.jsonl.
        maximize: whether higher is better.
        after_epochs: what every job gets.
        epochs: of a whole run; a job that has them all is not stopped any more. None or -1: not known.
    """

    sweep: Path
    metric: str
    maximize: bool
    after_epochs: int
    epochs: int | None

    def should_prune(self, folder: Path) -> bool:
        """Say whether the job in a folder should be stopped now."""
        values = self._best_so_far(folder)
        reached = len(values)
        if reached < max(self.after_epochs, 1) or reached == self.epochs:
            return False
        others = [self._best_so_far(card.parent) for card in self.sweep.glob("*/epochs.jsonl") if card.parent != folder]
        at_this_epoch = [other[reached - 1] for other in others if len(other) >= reached]
        if len(at_this_epoch) < FEWEST_OTHERS:
            return False
        return values[-1] < statistics.median(at_this_epoch)

    def _best_so_far(self, folder: Path) -> Sequence[float]:
        """Return the best value up to each epoch, so that higher is better."""
        sign = 1.0 if self.maximize else -1.0
        best: list[float] = []
        for value in epoch_values(folder, self.metric):
            best.append(max([-math.inf if math.isnan(value) else sign * value, *best[-1:]]))
        return best


def epoch_values(folder: Path, metric: str) -> list[float]:
    """Return a run's validation values of a metric in the order of the epochs; an epoch that was repeated counts once.

    The value is NaN where an epoch has none; lines that are damaged or still being written do not count.
    """
    try:
        lines, _ = read_json_lines(folder / "epochs.jsonl")
    except DamagedFileError:
        return []
    values = {line["epoch"]: line[metric] for line in lines if is_number(line.get("epoch")) and metric in line}
    return [float(value) if is_number(value) else math.nan for value in values.values()]
