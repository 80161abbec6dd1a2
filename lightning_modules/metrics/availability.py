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
    return rate_allows(metric, sample_rate) and (metric.package is None or package_available(metric.package))


@cache
def rate_allows(metric: MetricInfo, sample_rate: int) -> bool:
    """Tell whether a rate in Hz holds what a metric listens to; says once that it is left out."""
    lowest = metric.lowest_rate_hz
    if sample_rate < lowest:
        _log.info("the metric %s is left out at %d Hz: it needs data.sample_rate=%d or more", metric.name, sample_rate, lowest)
    return sample_rate >= lowest


@cache
def package_available(package: str) -> bool:
    """Tell whether an optional package is installed; says once that its metric is left out."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        _log.info("the metric of the package '%s' is left out: `pip install %s` adds it", package, package)
    return found
