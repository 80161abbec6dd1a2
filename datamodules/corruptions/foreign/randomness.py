"""Other people's code draws from global generators: here they are seeded for it alone, and come back as they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch

from datamodules.draws import integers


def draw_seeds(count: int, generator: torch.Generator) -> list[int]:
    """Draw a seed for each of `count` examples."""
    seeds: list[int] = integers(0, 2**31 - 1, (count,), generator).tolist()
    return seeds


@contextmanager
def seeded_globals(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators of Python, NumPy and torch for a block, and leave them as they were before it.

    So what the block draws follows from the seed alone, and what comes after it is drawn as if there had been no block.

    Args:
        seed: from 0 to 2^31 - 1.
        device: where the block computes; of a CUDA GPU the generator is seeded too.
    """
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    with _seeded_gpu(seed, device) if device.type == "cuda" else nullcontext():
        try:
            random.seed(seed)
            np.random.seed(seed)
            torch.default_generator.manual_seed(seed)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
            torch.set_rng_state(cpu)


@contextmanager
def _seeded_gpu(seed: int, device: torch.device) -> Iterator[None]:
    state = torch.cuda.get_rng_state(device)
    with torch.cuda.device(device):
        torch.cuda.manual_seed(seed)
    try:
        yield
    finally:
        torch.cuda.set_rng_state(state, device)
