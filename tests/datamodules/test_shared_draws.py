"""Processes that train together corrupt their windows as one process does that has all of them."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module

from conf.compose import create, plain
from datamodules import batches, samplers

RATE_HZ = 16000
FILES = sorted((Path(__file__).parents[2] / "conf" / "corruption").glob("*.yaml"))
NEEDS_MORE = {"callable", "pipeline", "torchaudio", "recorded"}
"""Corruptions that are nothing without a choice of the user's or a package."""
NAMES = [path.stem for path in FILES if path.stem not in NEEDS_MORE and not path.stem.startswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_every_corruption_is_drawn_once_for_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=["data=synthetic", f"data.sample_rate={RATE_HZ}", f"corruption={name}", *NAMED])
    data = create(plain(cfg), "data")
    time = torch.arange(8192) / RATE_HZ
    clean = torch.stack([0.3 * torch.sin(2 * torch.pi * hz * time) for hz in (200.0, 440.0, 1000.0, 3000.0)]).unsqueeze(1)

    def corrupted(rank: int, world_size: int) -> torch.Tensor:
        for module in (batches, samplers):
            monkeypatch.setattr(module, "rank_and_world_size", lambda: (rank, world_size))
        batch = {"clean": clean[rank::world_size], "index": torch.arange(8, 12)[rank::world_size]}
        batch = data.on_after_batch_transfer(data.on_before_batch_transfer(batch, 0), 0)
        found: torch.Tensor = batch["corrupted"]
        return found

    alone, shares = corrupted(0, 1), [corrupted(rank, 2) for rank in range(2)]
    together = torch.stack(shares, dim=1).flatten(0, 1)
    assert torch.allclose(together, alone, atol=1e-6)


NAMED = ["run_name=r", "run_dir=r", "choices.model=m", "choices.data=d", "choices.corruption=c"]
