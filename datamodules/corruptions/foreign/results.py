"""What other people's code gives back for a signal is looked at before anything learns from it."""

import numpy as np
import torch
from torch import Tensor

SHORTEST_SAMPLES = 4096
"""Shorter signals are followed by zeros up to this, as what works in frames or by delays needs some samples."""


def signal_like(result: object, given: Tensor, name: str) -> Tensor:
    """Return what came of a signal as a tensor, if it is a signal of the same form.

    Args:
        result: of the other code, a tensor or a NumPy array.
        given: what it was given, (..., C, T).
        name: of the other code, for the message.

    Returns:
        Tensor of the shape of `given`, floating point, on any device.

    Raises:
        ValueError: if it is no tensor or array, has another shape or no real floating-point numbers, or holds NaN or infinity.
    """
    signal = _as_tensor(result) if isinstance(result, np.ndarray) and result.dtype.kind in "biuf" else result
    if not isinstance(signal, Tensor):
        kind = f"an array of {result.dtype}" if isinstance(result, np.ndarray) else f"a {type(result).__name__}"
        raise ValueError(f"{name} returns {kind} instead of a signal of floating-point numbers")
    if signal.shape != given.shape:
        raise ValueError(f"{name} {_difference(tuple(given.shape), tuple(signal.shape))}; it has to keep them")
    if not signal.is_floating_point():
        raise ValueError(f"{name} returns {str(signal.dtype).removeprefix('torch.')}; it has to return floating-point numbers")
    if not bool(signal.isfinite().all()):
        raise ValueError(f"{name} returns NaN or infinite samples")
    return signal


def padded(audio: Tensor) -> Tensor:
    """Return a copy of audio (B, C, T) in single precision and contiguous memory, zeros behind it if it is short."""
    missing = max(0, SHORTEST_SAMPLES - audio.shape[-1])
    return torch.nn.functional.pad(audio.float(), (0, missing)).clone(memory_format=torch.contiguous_format)


def trial_signal(channels: int) -> Tensor:
    """Return silence that is followed by noise, (2, C, T) with a peak near 0.4, the same in every call."""
    noise = 0.1 * torch.randn(2, channels, SHORTEST_SAMPLES, generator=torch.Generator().manual_seed(0))
    return noise * (torch.arange(SHORTEST_SAMPLES) >= SHORTEST_SAMPLES // 2)


def _as_tensor(array: np.ndarray) -> Tensor:
    """Return an array of numbers as a tensor, whatever its strides, byte order and precision.

    torch knows no backward strides, no foreign byte order and no floating-point numbers of more than 64 bits.
    """
    floats = np.dtype(float) if array.dtype.kind == "f" and array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
    return torch.from_numpy(np.array(array, floats, order="C"))


def _difference(given: tuple[int, ...], found: tuple[int, ...]) -> str:
    """Say in which way a shape is another one."""
    if len(found) != len(given):
        return f"turns the shape {given} into {found}"
    if found[-1] != given[-1]:
        return f"changes the length from {given[-1]} to {found[-1]} samples"
    if found[-2] != given[-2]:
        return f"changes the number of channels from {given[-2]} to {found[-2]}"
    return f"changes the number of examples from {given[0]} to {found[0]}"
