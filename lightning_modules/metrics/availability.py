"""Which metrics a sample rate and an installation allow; each one left out is told once."""

import importlib.util
import logging
from functools import cache

from lightning_modules.metrics.registry import METRICS, MetricInfo, computed_in

_log = logging.getLogger(__name__)


def offered_metrics(sample_rate: int) -> tuple[str, ...]:
    """Return the names of all metrics that this rate and this installation offer.

    Args:
        sample_rate: rate of the signals in Hz.
    """
    return tuple(name for name in computed_in("test") if _is_offered(METRICS[name], sample_rate))


def _is_offered(metric: MetricInfo, sample_rate: int) -> bool:
    return rate_allows(metric.lowest_rate_hz, sample_rate) and (metric.package is None or package_available(metric.package))


@cache
def rate_allows(lowest_rate_hz: int, sample_rate: int) -> bool:
    """Tell whether a rate in Hz is one that metrics from a lowest rate on work at; says once which are left out."""
    if sample_rate >= lowest_rate_hz:
        return True
    names = ", ".join(info.name for info in METRICS.values() if info.lowest_rate_hz == lowest_rate_hz)
    _log.info("left out at %d Hz, as it takes data.sample_rate=%d or more: %s", sample_rate, lowest_rate_hz, names)
    return False


@cache
def package_available(package: str) -> bool:
    """Tell whether an optional package is installed; says once that its metrics are left out."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        names = ", ".join(info.name for info in METRICS.values() if info.package == package)
        _log.info("left out without the package '%s', which `pip install %s` adds: %s", package, package, names)
    return found
