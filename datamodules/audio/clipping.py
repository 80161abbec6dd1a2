"""Count what a format of integers cannot hold."""

import math
import re

import numpy as np

from datamodules.audio.output import LOSSY_SUBTYPES, UNCLIPPED_SUBTYPES

_FLOAT32_STEP = 2.0**-24  # What a method computes in float32 is not known better near full scale.


class Clipping:
    """Count the samples of a signal that lie outside of what a sample format holds, and so are clipped when they are written.

    Whatever was decoded from a file of the same format lies within, full scale included: only what was done to it counts.

    Args:
        subtype: libsndfile's name of the sample format, such as PCM_16.

    Attributes:
        samples: that were seen, of all channels.
        clipped: those among them that lie outside.
        gain: by which the signal was turned down before.
        is_lossy: whether they are written nevertheless, and clipped by whatever plays the file.
    """

    def __init__(self, subtype: str) -> None:
        self.is_lossy = subtype in LOSSY_SUBTYPES
        self._low, self._high = _bounds(subtype)
        self._peak = self.gain = 1.0
        self.samples = self.clipped = 0

    @property
    def excess_db(self) -> float:
        """By how much the peak exceeds full scale."""
        return 20 * math.log10(self._peak)

    def turn_down(self, lowest: float, highest: float) -> float:
        """Return the gain that brings a signal's peak to full scale, 1 where it does not exceed it; what is full scale stays."""
        low, high = (math.copysign(1.0, end) if math.isinf(end) else end for end in (self._low, self._high))
        self.gain = 1 / max(1.0, lowest / low, highest / min(1.0, high))
        return self.gain

    def watch(self, block: np.ndarray) -> np.ndarray:
        """Count in a block (C, n), full scale 1, and return it as it is."""
        self.samples += block.size
        self.clipped += int(np.count_nonzero((block < self._low) | (block > self._high)))
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        return block


def _bounds(subtype: str) -> tuple[float, float]:
    """Return the lowest and the highest sample that is not clipped: half a step beyond the ends, which rounding brings back."""
    if subtype in UNCLIPPED_SUBTYPES - LOSSY_SUBTYPES:
        return -math.inf, math.inf
    bits = re.fullmatch(r"(?:PCM|ALAC)_[SU]?(\d+)", subtype)
    step = 2.0 ** (1 - int(bits[1])) if bits else 0.0
    beyond = max(step / 2, _FLOAT32_STEP)
    return -1.0 - beyond, 1.0 - step + beyond
