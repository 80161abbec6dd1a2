"""A batch is corrupted by the seed and the windows, and keeps what belongs to them."""

import torch

from datamodules.batches import corrupted, seeded


def double_with_noise(clean, sample_rate, generator):
    return 2 * clean + torch.rand(clean.shape, generator=generator)


def batch_of(*windows):
    index = torch.tensor(windows)
    return {"clean": torch.ones(len(windows), 1, 8), "index": index, "labels": torch.zeros(len(windows), 3)}


def test_seed_and_windows_decide_what_is_drawn():
    seeds = {seeded(batch_of(*windows), seed)["corruption_seed"] for windows in [(0, 1), (0, 2)] for seed in (0, 1)}
    assert len(seeds) == 4
    assert seeded(batch_of(0, 1), 0)["corruption_seed"] in seeds


def test_both_sides_are_turned_and_the_rest_is_kept():
    batch = seeded(batch_of(3, 4), 0)
    first, again = (corrupted(batch, double_with_noise, 8000, lambda audio: -audio) for _ in range(2))
    assert set(first) == {"clean", "corrupted", "index", "labels"}
    assert torch.equal(first["clean"], -batch["clean"]) and torch.equal(first["index"], batch["index"])
    assert torch.equal(first["corrupted"], again["corrupted"])
    assert bool(((first["corrupted"] >= -3) & (first["corrupted"] <= -2)).all())


def test_the_recorded_partner_is_corrupted_in_place_of_the_clean_side():
    batch = {**seeded(batch_of(3), 0), "recorded": torch.full((1, 1, 8), 10.0)}
    assert bool((corrupted(batch, double_with_noise, 8000, lambda audio: audio)["corrupted"] >= 20).all())
