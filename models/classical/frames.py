"""Frames of a duration: what a method resolves in time and frequency must not depend on the sample rate."""

import math


def frame_samples(seconds: float, sample_rate: int) -> int:
    """Return the power of two nearest to a duration, on a logarithmic axis.

    Args:
        seconds: duration.
        sample_rate: in Hz; a frame of it has at least one sample.

    Returns:
        Length in samples.

    >>> [frame_samples(0.064, sample_rate) for sample_rate in (4000, 16000, 44100, 48000)]
    [256, 1024, 2048, 4096]
    """
    return 1 << max(0, round(math.log2(seconds * sample_rate)))
