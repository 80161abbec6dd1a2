"""The band of a telephone: 300 to 3,400 Hz, as ITU-T Recommendation G.712 bounds the response of PCM channels.

Hirsch and Pearce, "The Aurora Experimental Framework for the Performance Evaluation of Speech Recognition Systems under Noisy
Conditions", ISCA ASR2000, filter speech and noise by that Recommendation. The filter here is of its own design, with linear phase
whose delay is taken back: within 0.2 dB from 300 to 3,400 Hz, and 40 dB down below 100 Hz and above 3,800 Hz.
"""

import functools

import numpy as np
import torch
from scipy import signal
from torch import Tensor
from torch.nn import functional

from datamodules.corruptions import Corruption

LOWEST_HZ, HIGHEST_HZ = 300.0, 3400.0
LEAST_RATE_HZ = 8000

_EDGES_HZ = (200.0, 3700.0)  # Where it is 6 dB down.
_TRANSITION_HZ = 200.0
_KAISER_BETA = 3.4  # About 40 dB.


class G712(Corruption):
    """Keep the band of a telephone."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Filter a batch, whose ends are continued by silence.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: nothing is drawn.

        Returns:
            Filtered audio, (B, C, T), not delayed.
        """
        taps = torch.from_numpy(_taps(sample_rate)).to(clean)
        rows = functional.conv1d(clean.reshape(-1, 1, clean.shape[2]), taps.view(1, 1, -1), padding=len(taps) // 2)
        return rows.view(clean.shape)

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return 3,400 Hz; see `Corruption.cutoff_hz`."""
        return min(HIGHEST_HZ, sample_rate / 2)

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse rates that do not hold the band; see `Corruption.check`."""
        if sample_rate < LEAST_RATE_HZ:
            lacking = f"the band of a telephone, which data.sample_rate={sample_rate} does not hold"
            raise ValueError(f"_target_=G712 keeps {lacking}: give at least {LEAST_RATE_HZ} Hz")


@functools.lru_cache(8)
def _taps(sample_rate: int) -> np.ndarray:
    """Return an odd number of taps, symmetric, (N,) float32."""
    count = round(2.3 * sample_rate / _TRANSITION_HZ) // 2 * 2 + 1
    low, high = _EDGES_HZ
    taps: np.ndarray = signal.firwin(count, [low, high], window=("kaiser", _KAISER_BETA), pass_zero=False, fs=sample_rate)
    single: np.ndarray = taps.astype(np.float32)
    return single
