"""What a method costs to use: time for a second of audio, and memory of the device."""

import time
from typing import Protocol

import torch
from torch import Tensor


class Restores(Protocol):
    """A method, as far as its cost is concerned."""

    sample_rate: int

    def restore_pair(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Map (B, C, T) and (B, C, T) to (B, C, T)."""


def real_time_factor(module: Restores, corrupted: Tensor, clean: Tensor) -> float:
    """Return the seconds that a second of audio takes on the module's device, one signal at a time.

    Args:
        module: the method; it has restored such a pair before, as the first time takes longer.
        corrupted: (B, C, T), of which the first is used.
        clean: (B, C, T), for oracles.
    """
    one = corrupted[:1], clean[:1]
    _wait(corrupted.device)
    started = time.perf_counter()
    module.restore_pair(*one)
    _wait(corrupted.device)
    return (time.perf_counter() - started) * module.sample_rate / corrupted.shape[-1]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def gpu_memory_mb() -> float | None:
    """Return the most GPU memory that tensors of this process have held, in MiB; None if it used no GPU."""
    if not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return torch.cuda.max_memory_allocated() / 2**20
