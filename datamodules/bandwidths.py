"""Which recordings may be targets where the upper band is to be restored: those that have something there.

Nothing above the estimate of a recording is sound that was recorded, so restoring silence there would be learned and rewarded.
"""

import logging
from collections.abc import Sequence

from datamodules.sources import Recording

LEAST_SHARE = 0.85
"""Of half the sample rate. Filters of converters end above it, the walls of lossy codecs (16 to 18 kHz at 44.1 kHz) below."""

log = logging.getLogger(__name__)


def wide_enough(recordings: Sequence[Recording], least_bandwidth_hz: float | None) -> list[Recording]:
    """Leave out recordings whose estimated bandwidth is known and lower, and say how many.

    Args:
        recordings: of all splits.
        least_bandwidth_hz: None leaves out nothing.
    """
    if least_bandwidth_hz is None:
        return list(recordings)
    narrow = [item for item in recordings if item.bandwidth_hz is not None and item.bandwidth_hz < least_bandwidth_hz]
    if narrow:
        log.warning(
            "left out %d of %d recordings, which hold nothing above %.0f Hz or less (e.g. %s) and so are no targets for a band "
            "up to %.0f Hz; data.narrow_targets=true uses them",
            len(narrow), len(recordings), max(item.bandwidth_hz or 0 for item in narrow), narrow[0].path,
            least_bandwidth_hz / LEAST_SHARE,
        )  # fmt: skip
    paths = {item.path for item in narrow}
    return [item for item in recordings if item.path not in paths]
