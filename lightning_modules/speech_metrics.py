"""PESQ and STOI through the optional packages `pesq` and `pystoi`, for speech at the rates these are defined for."""

import importlib.util
import logging
import warnings
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

PESQ_WB_RATE_HZ = 16000
STOI_RATES_HZ = (8000, 16000)

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
        Functions of (B, C, T), (B, C, T) to (B,) by name: `pesq_wb` at 16 kHz, `stoi` at 8 and 16 kHz.
    """
    metrics: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}
    if sample_rate == PESQ_WB_RATE_HZ and package_available("pesq"):
        metrics["pesq_wb"] = pesq_wb
    if sample_rate in STOI_RATES_HZ and package_available("pystoi"):
        metrics["stoi"] = partial(stoi, sample_rate=sample_rate)
    return metrics


def pesq_wb(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the wide-band PESQ (ITU-T P.862.2), about 1 to 4.64, averaged over channels.

    Args:
        restored: Estimate (B, C, T) at 16 kHz.
        clean: Reference (B, C, T) at 16 kHz.

    Returns:
        Values (B,); NaN where the score does not exist (no utterance found, or shorter than a quarter of a second).
    """
    return _over_channels(_pesq_of_one, restored, clean)


def stoi(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the short-time objective intelligibility (Taal et al. 2011), averaged over channels.

    Args:
        restored: Estimate (B, C, T).
        clean: Reference (B, C, T).
        sample_rate: Rate in Hz.

    Returns:
        Values (B,); NaN where fewer than 30 non-silent frames exist.
    """
    return _over_channels(partial(_stoi_of_one, sample_rate=sample_rate), restored, clean)


def _over_channels(score: Callable[[np.ndarray, np.ndarray], float], restored: Tensor, clean: Tensor) -> Tensor:
    """Apply a mono NumPy score (clean, restored) to every channel and average; (B, C, T) to (B,)."""
    pairs = zip(clean.flatten(0, 1).float().cpu().numpy(), restored.flatten(0, 1).float().cpu().numpy(), strict=True)
    values = torch.tensor([score(reference, estimate) for reference, estimate in pairs], device=restored.device)
    return values.unflatten(0, clean.shape[:2]).mean(dim=1)


def _pesq_of_one(clean: np.ndarray, restored: np.ndarray) -> float:
    """Return the PESQ of one channel, NaN where it is undefined."""
    import pesq

    if not (clean.any() and restored.any()):  # the package divides by the peak
        return float("nan")
    try:
        return float(pesq.pesq(PESQ_WB_RATE_HZ, clean, restored, "wb"))
    except (pesq.PesqError, ValueError):
        return float("nan")


def _stoi_of_one(clean: np.ndarray, restored: np.ndarray, sample_rate: int) -> float:
    """Return the STOI of one channel, NaN where it is undefined."""
    import pystoi

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(pystoi.stoi(clean, restored, sample_rate))
        except (RuntimeWarning, ValueError):
            return float("nan")
