import pytest
import torch

from datamodules.seeding import generator_for, mix_seed, shuffled


def test_seed_and_index_do_not_mix_by_addition():
    assert len({mix_seed(seed, index) for seed in range(30) for index in range(30)}) == 900


def test_lower_half_of_the_seed_is_mixed_too():
    assert len({mix_seed(0, index) % 2**32 for index in range(2000)}) == 2000


def test_seed_fits_every_generator():
    assert all(0 <= mix_seed("a", index) < 2**63 for index in range(100))


def test_same_parts_draw_the_same():
    assert torch.equal(
        torch.rand(3, generator=generator_for(1, "window", 2)), torch.rand(3, generator=generator_for(1, "window", 2))
    )
    assert not torch.equal(torch.rand(3, generator=generator_for(1, "a")), torch.rand(3, generator=generator_for(1, "b")))


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 1000])
def test_shuffled_places_are_a_permutation(count):
    assert sorted(shuffled(place, count, 5) for place in range(count)) == list(range(count))


def test_shuffled_order_differs_by_seed_and_leaves_little_in_place():
    orders = [[shuffled(place, 1000, seed) for place in range(1000)] for seed in (1, 2)]
    assert orders[0] != orders[1]
    assert sum(place == value for place, value in enumerate(orders[0])) < 10
    assert abs(torch.corrcoef(torch.tensor([orders[0], range(1000)], dtype=torch.float64))[0, 1]) < 0.1
