"""PESQ, STOI and ESTOI through the optional packages `pesq` and `pystoi`, for speech.

Both are defined at low rates: audio of a higher one is resampled to 16 kHz, so that nothing above 8 kHz counts (of STOI nothing
above 4.3 kHz does anyway). At rates below what they listen to they are not offered.
"""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import soxr
import torch
from torch import Tensor

PESQ_WB_RATE_HZ = 16000
STOI_RATES_HZ = (8000, 16000)
"""What pystoi takes to its own 10 kHz; its filters would grow without bound at rates that have little in common with that."""


def pesq_wb(restored: Tensor, clean: Tensor, sample_rate: int = PESQ_WB_RATE_HZ) -> Tensor:
    """Return the wide-band PESQ (ITU-T P.862.2), about 1 to 4.64, averaged over channels.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: rate in Hz, at least 16 kHz; a higher one is resampled to 16 kHz.

    Returns:
        Values (B,); NaN where the score does not exist (no utterance found, or shorter than a quarter of a second).
    """
    return _over_channels(partial(_pesq_of_one, sample_rate=sample_rate), restored, clean)


def stoi(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the short-time objective intelligibility (Taal et al. 2011), averaged over channels.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: rate in Hz, at least 8 kHz; one that is neither 8 nor 16 kHz is resampled to 16 kHz.

    Returns:
        Values (B,); NaN where fewer than 30 non-silent frames exist.
    """
    return _over_channels(partial(_stoi_of_one, sample_rate=sample_rate), restored, clean)


def estoi(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the extended STOI (Jensen and Taal 2016), which also hears noise that comes and goes, averaged over channels.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: as of `stoi`.

    Returns:
        Values (B,); NaN where fewer than 30 non-silent frames exist.
    """
    return _over_channels(partial(_stoi_of_one, sample_rate=sample_rate, extended=True), restored, clean)


def _over_channels(score: Callable[[np.ndarray, np.ndarray], float], restored: Tensor, clean: Tensor) -> Tensor:
    """Apply a mono NumPy score (clean, restored) to every channel and average; (B, C, T) to (B,)."""
    pairs = zip(clean.flatten(0, 1).float().cpu().numpy(), restored.flatten(0, 1).float().cpu().numpy(), strict=True)
    values = torch.tensor([score(reference, estimate) for reference, estimate in pairs], device=restored.device)
    means: Tensor = values.unflatten(0, clean.shape[:2]).mean(dim=1)
    return means


def _pesq_of_one(clean: np.ndarray, restored: np.ndarray, sample_rate: int) -> float:
    """Return the PESQ of one channel, NaN where it is undefined."""
    import pesq

    if sample_rate != PESQ_WB_RATE_HZ:
        clean, restored = (soxr.resample(signal, sample_rate, PESQ_WB_RATE_HZ) for signal in (clean, restored))
    if not (clean.any() and restored.any()):  # the package divides by the peak
        return float("nan")
    try:
        return float(pesq.pesq(PESQ_WB_RATE_HZ, clean, restored, "wb"))
    except (pesq.PesqError, ValueError):
        return float("nan")


def _stoi_of_one(clean: np.ndarray, restored: np.ndarray, sample_rate: int, extended: bool = False) -> float:
    """Return the STOI, or the extended one, of one channel, NaN where it is undefined."""
    import pystoi

    if sample_rate not in STOI_RATES_HZ:
        clean, restored = (soxr.resample(signal, sample_rate, STOI_RATES_HZ[-1]) for signal in (clean, restored))
        sample_rate = STOI_RATES_HZ[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(pystoi.stoi(clean, restored, sample_rate, extended))
        except (RuntimeWarning, ValueError):
            return float("nan")
