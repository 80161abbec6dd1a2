"""Keys of the data that were given and change nothing, because of what another key says: each is told in a line."""

import logging
from collections.abc import Sequence

log = logging.getLogger(__name__)


def tell_idle_keys(split: str, cache: bool, limits_band: bool, given: Sequence[str], dividing: Sequence[str]) -> list[str]:
    """Log a line for each key that has another value than its default and no effect, and return the lines.

    Args:
        split: how recordings are divided, of `catalog.CATALOGS`.
        cache: whether files are decoded into a cache.
        limits_band: whether the corruption takes everything above a frequency.
        given: keys of the data module whose values differ from their defaults.
        dividing: such keys of the source, of those that say which recordings are held out and nothing else.
    """
    by_time = "data.split=time cuts every recording"
    reasons = {}
    if split == "time":
        reasons = dict.fromkeys(dividing, f"{by_time} into train, val and test, whoever is held out")
        reasons["allow_duplicates"] = f"{by_time} and its copies at the same moments, so that none is in two splits"
    if not cache:
        reasons["cache_dtype"] = "nothing decoded is kept without data.cache=true"
    if not limits_band:
        reasons["narrow_targets"] = "data.corruption does not limit the band, so that recordings of every bandwidth are used"
    lines = [f"data.{key} has no effect: {reason}" for key, reason in reasons.items() if key in (*given, *dividing)]
    for line in lines:
        log.warning(line)
    return lines
