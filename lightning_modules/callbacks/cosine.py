"""A cosine schedule put anywhere on its way, whole numbers or not.

After t of T epochs, batches or seconds the rate is eta_min + (base - eta_min) (1 + cos(pi t / T)) / 2 (SGDR, arXiv 1608.03983,
equation 5).
"""

import math
from collections.abc import Mapping
from typing import Any


def put(schedule: Any, position: float, settings: Mapping[str, Any] | None = None, is_new: bool = False) -> None:
    """Put a schedule at a position. What a recipe multiplied its rate by stays.

    Args:
        schedule: a `CosineAnnealingLR`; its optimizer gets the new rate.
        position: t.
        settings: the new T_max, eta_min and base_lrs; what is left out stays.
        is_new: whether the rate so far is not this schedule's.
    """
    groups, usual = schedule.optimizer.param_groups, _rates(schedule)
    factors = [1.0 if is_new else _factor(float(group["lr"]), was) for group, was in zip(groups, usual, strict=True)]
    vars(schedule).update(settings or {})
    schedule.last_epoch = position
    schedule._last_lr = [rate * factor for rate, factor in zip(_rates(schedule), factors, strict=True)]
    for group, rate in zip(groups, schedule._last_lr, strict=True):
        group["lr"] = rate


def _rates(schedule: Any) -> list[float]:
    share = (1 + math.cos(math.pi * min(schedule.last_epoch, schedule.T_max) / schedule.T_max)) / 2
    return [schedule.eta_min + (base - schedule.eta_min) * share for base in schedule.base_lrs]


def _factor(rate: float, usual: float) -> float:
    factor = rate / usual if usual > 0 else 1.0
    return 1.0 if math.isclose(factor, 1, rel_tol=1e-6) else factor
