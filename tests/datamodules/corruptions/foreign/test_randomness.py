"""Code that draws from global generators follows from a seed, and leaves no trace in them."""

import random

import numpy as np
import pytest
import torch

from datamodules.corruptions.foreign.randomness import draw_seeds, seeded_globals

CPU = torch.device("cpu")


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def seed_all(seed: int) -> None:
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)


def test_block_draws_by_its_seed_whatever_the_global_state_is() -> None:
    drawn = []
    for outer in (1, 2):
        seed_all(outer)
        with seeded_globals(5, CPU):
            drawn.append(draw())
    with seeded_globals(6, CPU):
        other = draw()
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(other)


def test_what_comes_after_is_drawn_as_if_there_had_been_no_block() -> None:
    seed_all(1)
    expected = draw()
    seed_all(1)
    with seeded_globals(5, CPU):
        draw()
    assert draw() == expected


def test_state_comes_back_after_an_error_too() -> None:
    seed_all(1)
    expected = draw()
    seed_all(1)
    with pytest.raises(KeyError), seeded_globals(5, CPU):
        raise KeyError
    assert draw() == expected


def test_seeds_come_from_the_generator_and_differ() -> None:
    first, again = (draw_seeds(100, torch.Generator().manual_seed(3)) for _ in range(2))
    assert first == again and len(set(first)) == 100
    assert min(first) >= 0 and max(first) < 2**31


@pytest.mark.gpu
def test_generator_of_a_gpu_is_seeded_and_comes_back() -> None:
    place = torch.device("cuda", 0)
    torch.cuda.manual_seed(1)
    expected = torch.rand(3, device=place)
    torch.cuda.manual_seed(1)
    drawn = []
    for _ in range(2):
        with seeded_globals(5, place):
            drawn.append(torch.rand(3, device=place))
    assert torch.equal(*drawn) and torch.equal(torch.rand(3, device=place), expected)
