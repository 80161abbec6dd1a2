"""Draws of a training step, which follow from the run's seed and the batch, so that a resumed run draws what it had drawn."""

import hashlib

import torch
from torch import Tensor


def generator_of(seed: int, purpose: str, index: Tensor) -> torch.Generator:
    """Return a new generator on the CPU for what is drawn once per batch.

    The seed is hashed: PyTorch uses the lower 32 bits of it, and neighboring seeds and batches should share nothing.

    Args:
        seed: of the run.
        purpose: names the draw, so that two of one batch are independent.
        index: (B,) the batch's global sample numbers.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{int(index.min())}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
