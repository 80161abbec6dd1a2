"""Training batches are corrupted as a whole where they are, by what is drawn for the batches of all processes together."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.samplers import of_all_processes, rank_and_world_size
from datamodules.seeding import generator_for, mix_seed, place_of_draws

BatchDict = dict[str, Any]


def seeded(batch: BatchDict, seed: int) -> BatchDict:
    """Add `corruption_seed`, which the run's seed and the windows of all processes decide.

    Args:
        batch: with `index` (B,), on the CPU: reading it back from a GPU would stall that.
        seed: the run's.
    """
    together = of_all_processes(batch["index"].tolist())
    return {**batch, "corruption_seed": mix_seed(seed, "corruption", *together)}


def corrupted(batch: BatchDict, corruption: Corruption, sample_rate: int, turn: Callable[[Tensor], Tensor]) -> BatchDict:
    """Return `clean` and `corrupted`, (B, C, T), with `index` and `labels` as they are given.

    Args:
        batch: what `seeded` returns, with `clean` (B, C, T) and in a corpus of pairs `recorded` (B, C, T).
        corruption: of the training.
        sample_rate: in Hz.
        turn: into the layout of the channels; see `channel_layouts`.
    """
    clean: Tensor = batch["clean"]
    generator = generator_for(batch["corruption_seed"], device=place_of_draws(clean.device))
    rank, world_size = rank_and_world_size()
    with torch.no_grad():
        whole = batch.get("recorded", clean).repeat_interleave(world_size, dim=0)  # in the places of the others: own windows
        own = corruption(whole, sample_rate, generator)[rank::world_size]
    others: BatchDict = {name: batch[name] for name in ("index", "labels") if name in batch}
    return {"clean": turn(clean), "corrupted": turn(own), **others}
