"""Loudness as Recommendation ITU-R BS.1770-5 measures it, so that versions can be heard at the same level.

K-weighting (a high shelf, then a high pass), mean square of 400 ms blocks that overlap by 75 %, and two gates: absolute at
-70 LUFS, relative 10 LU below the mean of what passes the first.
"""

import math

import numpy as np
from scipy.signal import sosfilt

from datamodules.audio.io import resample

RATE_HZ = 48000
"""The Recommendation states its filters at this rate; other signals are resampled to it."""
K_WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""Tables 1 and 2 of the Recommendation as second-order sections."""
OFFSET_DB = -0.691
BLOCK_SAMPLES, HOP_SAMPLES = 19200, 4800
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0


def loudness_lufs(audio: np.ndarray, rate_hz: int) -> float:
    """Return the integrated loudness; a signal shorter than one block counts as one.

    A full-scale sine of 997 Hz in one channel has -3.01 LUFS.

    Args:
        audio: (C, T) with at least one sample, mono or the left and right channels, which weigh alike.
        rate_hz: sample rate.

    Returns:
        LUFS; minus infinity if nothing passes the absolute gate.
    """
    weighted = sosfilt(K_WEIGHTING, resample(audio, rate_hz, RATE_HZ).astype(np.float64))
    powers = _block_powers(weighted)
    loud = powers[_lufs(powers) > ABSOLUTE_GATE_LUFS]
    if not loud.size:
        return -math.inf
    gate = float(_lufs(loud.mean())) + RELATIVE_GATE_LU
    return float(_lufs(loud[_lufs(loud) > gate].mean()))


def _block_powers(weighted: np.ndarray) -> np.ndarray:
    """Return the mean square of each block, summed over channels."""
    if weighted.shape[1] <= BLOCK_SAMPLES:
        return np.array([np.square(weighted).mean(axis=1).sum()])
    blocks = np.lib.stride_tricks.sliding_window_view(np.square(weighted), BLOCK_SAMPLES, axis=1)[:, ::HOP_SAMPLES]
    return np.asarray(blocks.mean(axis=2).sum(axis=0))


def _lufs(power: np.ndarray) -> np.ndarray:
    level: np.ndarray = OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-30))
    return level


def matching_gains_db(lufs: dict[str, float], peaks: dict[str, float], reference: str, most_db: float = 20.0) -> dict[str, float]:
    """Return the gain that brings each version to one loudness without clipping any.

    All are brought to the reference's loudness, then lowered together as far as the highest peak needs. What is silent, and what
    would need more than `most_db`, gets no more than that: it is quiet because the method made it so.

    Args:
        lufs: loudness by version.
        peaks: largest absolute sample by version.
        reference: the version whose loudness is aimed at.
        most_db: largest gain.

    Returns:
        Gain in dB by version.
    """
    target = lufs[reference]
    wanted = {name: _wanted_db(value, target, most_db) for name, value in lufs.items()}
    levels = [20 * math.log10(peaks[name]) + gain for name, gain in wanted.items() if peaks[name] > 0]
    excess = max([0.0, *levels])
    return {name: gain - excess for name, gain in wanted.items()}


def _wanted_db(lufs: float, target: float, most_db: float) -> float:
    return min(target - lufs, most_db) if math.isfinite(lufs) and math.isfinite(target) else 0.0
