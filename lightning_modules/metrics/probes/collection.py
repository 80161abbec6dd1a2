"""Every probe by its name; what is known of them without computing them stands in the registry of metrics."""

from collections.abc import Mapping

from lightning_modules.metrics.availability import rate_allows
from lightning_modules.metrics.probes.pairs import noharm_db, si_sdr_quiet_db
from lightning_modules.metrics.probes.preecho import preecho_db
from lightning_modules.metrics.probes.subject import Probe
from lightning_modules.metrics.probes.two_samples import c2st
from lightning_modules.metrics.registry import METRICS, computed_in

_PROBES: dict[str, Probe] = {
    "noharm_db": noharm_db,
    "si_sdr_quiet_db": si_sdr_quiet_db,
    "preecho_db": preecho_db,
    "c2st": c2st,
}


def check_probes(named: Mapping[str, object]) -> None:
    """Refuse a registered probe that no function computes, and a function of no registered probe.

    Raises:
        LookupError: naming them.
    """
    if odd := set(named) ^ set(computed_in("probe")):
        raise LookupError(f"{', '.join(sorted(odd))}: a probe needs a line in registry.py and a function in probes/collection.py")


check_probes(_PROBES)


def offered_probes(sample_rate: int) -> dict[str, Probe]:
    """Return the probes that work at a rate in Hz, by name."""
    return {name: probe for name, probe in _PROBES.items() if rate_allows(METRICS[name].lowest_rate_hz, sample_rate)}
