"""Times as Lightning's trainer reads them."""

import re
from typing import Any

DURATION = re.compile(r"(\d{1,3}):(\d\d):(\d\d):(\d\d)", re.ASCII)


def seconds_of(value: Any) -> int:
    """Return how many seconds a time DD:HH:MM:SS is long; 0 of what is none.

    >>> seconds_of("00:01:30:05"), seconds_of("5m"), seconds_of(None)
    (5405, 0, 0)
    """
    parts = DURATION.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        return 0
    days, hours, minutes, seconds = map(int, parts.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
