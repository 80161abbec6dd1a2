"""Find out by how much one of two signals is late, whatever noise and filters are between them.

Knapp and Carter, "The Generalized Correlation Method for Estimation of Time Delay", IEEE Transactions on Acoustics, Speech, and
Signal Processing 24(4), 1976: of the cross-spectrum the phase is kept and the magnitude is not (their phase transform).
"""

import numpy as np
from scipy import fft

ALLOWED_SAMPLES = 1
"""What resampling one of them elsewhere may have shifted."""

_CLEAR = 2.0  # Times the correlation without delay: less may be chance, or a reflection as strong as the direct sound.
_ABOVE_CHANCE = 8.0  # Times the RMS of the correlation over all delays.
_FLOOR = 1e-2  # Of the mean magnitude; weaker bins hold no phase.


def clear_delay(clean: np.ndarray, corrupted: np.ndarray) -> int:
    """Return by how many samples a signal is late, or early (negative), where that is beyond doubt and more than is allowed.

    Args:
        clean: (C, T).
        corrupted: (C, T), at most T / 2 late or early.

    Returns:
        The delay; 0 where there is none, it is within `ALLOWED_SAMPLES`, or nothing can be told.
    """
    length = clean.shape[1]
    size = fft.next_fast_len(2 * length, real=True)
    cross = np.sum(np.conj(fft.rfft(clean, size)) * fft.rfft(corrupted, size), axis=0)
    floor = _FLOOR * float(np.mean(np.abs(cross)))
    if not floor > 0:
        return 0
    correlation = np.abs(fft.irfft(cross / (np.abs(cross) + floor), size))
    reach = max(length // 2, ALLOWED_SAMPLES)
    near = np.concatenate([correlation[-reach:], correlation[: reach + 1]])  # delays from -reach to reach
    delay = int(np.argmax(near)) - reach
    in_place = near[reach - ALLOWED_SAMPLES : reach + ALLOWED_SAMPLES + 1].max()
    chance = float(np.sqrt(np.mean(near**2)))
    is_clear = near.max() > max(_CLEAR * in_place, _ABOVE_CHANCE * chance)
    return delay if is_clear else 0
