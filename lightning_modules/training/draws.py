"""Draws of a training step, which follow from the run's seed and the batch, so that a resumed run draws what it had drawn."""

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor


def generator_of(seed: int, purpose: str, index: Tensor) -> torch.Generator:
    """Return a new generator on the CPU for what is drawn once per batch, the same in all processes that train on it together.

    The seed is hashed: PyTorch uses the lower 32 bits of it, and neighboring seeds and batches should share nothing.

    Args:
        seed: of the run.
        purpose: names the draw, so that two of one batch are independent.
        index: (B,) the global sample numbers of this process's part of the batch.
    """
    return _generator(f"{seed}/{purpose}/{int(index.min()) - rank_and_world_size()[0]}")


def own_generator_of(seed: int, purpose: str, index: Tensor) -> torch.Generator:
    """Return a new generator as `generator_of` does, another one in every process.

    Args:
        seed: of the run.
        purpose: names the draw.
        index: (B,) the global sample numbers of this process's part of the batch.
    """
    return _generator(f"{seed}/{purpose}/{int(index.min())}")


def own_rows(draw: Callable[[int], Tensor], examples: int) -> Tensor:
    """Draw for the examples of all processes, who take them in turn, and return what is for those of this one.

    Args:
        draw: gives so many rows, by a generator that is the same in all processes.
        examples: B, of this process's part of the batch.

    Returns:
        (B, ...).
    """
    rank, world_size = rank_and_world_size()
    return draw(examples * world_size)[rank::world_size]


def rank_and_world_size() -> tuple[int, int]:
    """Return this process's number and how many train together; (0, 1) where it trains alone."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def _generator(label: str) -> torch.Generator:
    digest = hashlib.sha256(label.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
