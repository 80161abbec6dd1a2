"""What is written over pictures: the recording, and what was won on it; the words for what is drawn."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from lightning_modules.metrics.registry import METRICS


def pair_name(place: Mapping[str, Any], sample_rate_hz: int) -> str:
    """Name a test pair by its recording and the place in it.

    Args:
        place: a line of the evaluation manifest.
        sample_rate_hz: of the data.

    >>> pair_name({"file": "music/song.flac", "offset_samples": 8000, "length_samples": 32000}, 16000)
    'song, 0.5 to 2.5 s'
    """
    start, length = (int(place[key]) / sample_rate_hz for key in ("offset_samples", "length_samples"))
    return f"{PurePath(place['file']).stem}, {start:.1f} to {start + length:.1f} s"


def title_of(name: str, metric: str, row: Mapping[str, float] | None) -> str:
    """Write the recording over a picture, and below it the score before and after, which way is better, and the unit.

    Args:
        name: of the pair.
        metric: that is told.
        row: of the pair, every metric of the restored and (`corrupted_...`) of the corrupted signal; None if it was not scored.

    >>> title_of("song, 0.5 to 2.5 s", "lsd", {"corrupted_lsd": 2.0, "lsd": 1.5}).splitlines()
    ['song, 0.5 to 2.5 s', 'log-spectral distance (lower is better): 2.00 corrupted, 1.50 restored']
    """
    if row is None or metric not in row:
        return name
    unit = f" {METRICS[metric].unit}" if METRICS[metric].unit else ""
    before, after = (f"{row[key]:.2f}{unit}" for key in (f"corrupted_{metric}", metric))
    return f"{name}\n{METRICS[metric].title} ({direction(metric)}): {before} corrupted, {after} restored"


def direction(metric: str) -> str:
    """Say which way a metric is better.

    >>> direction("snr_db"), direction("lsd")
    ('higher is better', 'lower is better')
    """
    return "higher is better" if METRICS[metric].higher_is_better else "lower is better"
