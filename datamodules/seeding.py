"""Turn a seed and the name of what is drawn (a window, a batch, a recording) into an independent random generator."""

import hashlib

import torch

_ROUNDS = 4


def mix_seed(*parts: int | str) -> int:
    """Hash any number of labels into one seed, so that neighboring indices and seeds share nothing.

    Adding a seed to an index would make example 1 of seed 0 equal example 0 of seed 1. Both halves of the hash are well
    mixed because PyTorch's CPU generator uses only the lower 32 bits of its seed.

    Args:
        *parts: what the draw belongs to, such as the seed, a name for the purpose and an index.

    Returns:
        A number in [0, 2**63).

    Example:
        >>> mix_seed(0, 1) == mix_seed(0, 1), mix_seed(0, 1) == mix_seed(1, 0)
        (True, False)
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator_for(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new generator seeded by `mix_seed` of the parts.

    Args:
        *parts: what the draw belongs to.
        device: where the generator draws.
    """
    return torch.Generator(device).manual_seed(mix_seed(*parts))


def shuffled(place: int, count: int, seed: int) -> int:
    """Return which of `count` things comes at a place of a random order, without ever listing the order.

    A Feistel network (Luby and Rackoff, "How to Construct Pseudorandom Permutations from Pseudorandom Functions", 1988) permutes
    the numbers of an even number of bits; what it sends beyond `count` goes through it again.

    Args:
        place: from 0 to count - 1.
        count: of things, at least 1.
        seed: of the order.

    Returns:
        A number from 0 to count - 1, another one for each place.

    Example:
        >>> sorted(shuffled(place, 5, seed=3) for place in range(5))
        [0, 1, 2, 3, 4]
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    while True:
        left, right = place >> half, place % (1 << half)
        for number in range(_ROUNDS):
            left, right = right, left ^ (mix_seed(seed, number, right) % (1 << half))
        place = (left << half) + right
        if place < count:
            return place


def place_of_draws(device: torch.device) -> torch.device:
    """Return where to draw for a batch: on its device if that is a CUDA GPU, else on the CPU.

    Draws reach other devices without a way over a bus: MPS shares the memory of the CPU, and has its very draws then.

    Args:
        device: where the batch is.

    Example:
        >>> place_of_draws(torch.device("cuda", 1)), place_of_draws(torch.device("mps"))
        (device(type='cuda', index=1), device(type='cpu'))
    """
    return device if device.type == "cuda" else torch.device("cpu")
