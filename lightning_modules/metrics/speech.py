"""PESQ and STOI through the optional packages `pesq` and `pystoi`, for speech.

Both are defined at low rates: audio of a higher one is resampled to 16 kHz, so that nothing above 8 kHz counts (of STOI nothing
above 4.3 kHz does anyway). At rates below what they listen to they are not offered.
"""

import importlib.util
import logging
import warnings
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import soxr
import torch
from torch import Tensor

PESQ_WB_RATE_HZ = 16000
STOI_RATES_HZ = (8000, 16000)
"""What pystoi takes to its own 10 kHz; its filters would grow without bound at rates that have little in common with that."""
LOWEST_RATES_HZ = {"pesq_wb": PESQ_WB_RATE_HZ, "stoi": STOI_RATES_HZ[0]}

_log = logging.getLogger(__name__)


@cache
def package_available(package: str) -> bool:
    """Tell whether an optional package is installed; says once that its metric is left out."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        _log.info("the metric of the package '%s' is left out: `pip install %s` adds it", package, package)
    return found


def speech_metrics(sample_rate: int) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Return the speech metrics that this rate and this installation allow.

    Args:
        sample_rate: Rate of the signals in Hz.

    Returns:
        Functions of (B, C, T), (B, C, T) to (B,) by name: `pesq_wb` from 16 kHz on, `stoi` from 8 kHz on.
    """
    metrics: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}
    if _rate_allows("pesq_wb", sample_rate) and package_available("pesq"):
        metrics["pesq_wb"] = partial(pesq_wb, sample_rate=sample_rate)
    if _rate_allows("stoi", sample_rate) and package_available("pystoi"):
        metrics["stoi"] = partial(stoi, sample_rate=sample_rate)
    return metrics


@cache
def _rate_allows(metric: str, sample_rate: int) -> bool:
    """Tell whether a rate holds what a metric listens to; says once that it is left out."""
    lowest = LOWEST_RATES_HZ[metric]
    if sample_rate < lowest:
        _log.info("the metric %s is left out at %d Hz: it needs data.sample_rate=%d or more", metric, sample_rate, lowest)
    return sample_rate >= lowest


def pesq_wb(restored: Tensor, clean: Tensor, sample_rate: int = PESQ_WB_RATE_HZ) -> Tensor:
    """Return the wide-band PESQ (ITU-T P.862.2), about 1 to 4.64, averaged over channels.

    Args:
        restored: Estimate (B, C, T).
        clean: Reference (B, C, T).
        sample_rate: Rate in Hz, at least 16 kHz; a higher one is resampled to 16 kHz.

    Returns:
        Values (B,); NaN where the score does not exist (no utterance found, or shorter than a quarter of a second).
    """
    return _over_channels(partial(_pesq_of_one, sample_rate=sample_rate), restored, clean)


def stoi(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the short-time objective intelligibility (Taal et al. 2011), averaged over channels.

    Args:
        restored: Estimate (B, C, T).
        clean: Reference (B, C, T).
        sample_rate: Rate in Hz, at least 8 kHz; one that is neither 8 nor 16 kHz is resampled to 16 kHz.

    Returns:
        Values (B,); NaN where fewer than 30 non-silent frames exist.
    """
    return _over_channels(partial(_stoi_of_one, sample_rate=sample_rate), restored, clean)


def _over_channels(score: Callable[[np.ndarray, np.ndarray], float], restored: Tensor, clean: Tensor) -> Tensor:
    """Apply a mono NumPy score (clean, restored) to every channel and average; (B, C, T) to (B,)."""
    pairs = zip(clean.flatten(0, 1).float().cpu().numpy(), restored.flatten(0, 1).float().cpu().numpy(), strict=True)
    values = torch.tensor([score(reference, estimate) for reference, estimate in pairs], device=restored.device)
    return values.unflatten(0, clean.shape[:2]).mean(dim=1)


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


def _stoi_of_one(clean: np.ndarray, restored: np.ndarray, sample_rate: int) -> float:
    """Return the STOI of one channel, NaN where it is undefined."""
    import pystoi

    if sample_rate not in STOI_RATES_HZ:
        clean, restored = (soxr.resample(signal, sample_rate, STOI_RATES_HZ[-1]) for signal in (clean, restored))
        sample_rate = STOI_RATES_HZ[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(pystoi.stoi(clean, restored, sample_rate))
        except (RuntimeWarning, ValueError):
            return float("nan")
