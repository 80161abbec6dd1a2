"""Mid and side hold what left and right do, and a pair keeps its ratios."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.channel_layouts import to_mid_side
from datamodules.corruptions.clipping import Clipping
from datamodules.corruptions.noise import Noise
from datamodules.restoration import RestorationDataModule
from datamodules.sources.folder import FolderSource

PAIR = torch.randn(2, 3, 2, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_sum_and_difference_of_mid_and_side_are_left_and_right() -> None:
    mid, side = to_mid_side(PAIR).unbind(-2)
    assert torch.allclose(torch.stack([mid + side, mid - side], dim=-2), PAIR, atol=1e-15)


def test_equal_channels_are_mid_alone_and_opposite_ones_side_alone() -> None:
    mono = PAIR[0, 0, :1]
    assert torch.equal(to_mid_side(torch.cat([mono, mono])), torch.cat([mono, 0 * mono]))
    assert torch.equal(to_mid_side(torch.cat([mono, -mono])), torch.cat([0 * mono, mono]))


def test_full_scale_is_not_left_and_ratios_stay() -> None:
    assert to_mid_side(torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, -1.0]])).abs().max() == 1
    clean, noise = PAIR
    turned = to_mid_side(clean).square().sum((1, 2)) / to_mid_side(noise).square().sum((1, 2))
    assert torch.allclose(turned, clean.square().sum((1, 2)) / noise.square().sum((1, 2)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = ["file,split"]
    for number, split in enumerate(("train", "val", "test")):
        audio = 0.2 * np.random.default_rng(number).standard_normal((8000, 2))
        soundfile.write(tmp_path / f"{number}.wav", audio, 8000, subtype="FLOAT")
        rows.append(f"{number}.wav,{split}")
    (tmp_path / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def data(root: Path, layout: str, corruption=None) -> RestorationDataModule:
    options = {"window_samples": 256, "batch_size": 2, "samples_per_epoch": 4, "eval_seconds": 0.1, "cache": False}
    source, clipping = FolderSource(str(root)), Clipping(depth_db=6)
    return RestorationDataModule(source, corruption or clipping, 8000, channels=2, channel_layout=layout, **options)


def batches(module: RestorationDataModule) -> list[dict[str, torch.Tensor]]:
    train = next(iter(module.train_dataloader()))
    train = module.on_after_batch_transfer(module.on_before_batch_transfer(train, 0), 0)
    return [train, next(iter(module.val_dataloader())), next(iter(module.test_dataloader()))]


def test_both_sides_of_every_pair_are_turned_after_the_corruption(root: Path) -> None:
    for turned, recorded in zip(batches(data(root, "mid_side")), batches(data(root, "left_right")), strict=True):
        for side in ("clean", "corrupted"):
            assert torch.equal(turned[side], to_mid_side(recorded[side]))


def test_layout_is_part_of_what_makes_results_comparable(root: Path) -> None:
    hashes = [data(root, layout, Noise()).manifest_hash for layout in ("left_right", "mid_side", "left_right")]
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize(
    ("layout", "channels", "why"), [("mid_side", 1, "needs data.channels=2; this is 1"), ("x", 2, "unknown")]
)
def test_layout_that_cannot_be_is_refused(root: Path, layout: str, channels: int, why: str) -> None:
    with pytest.raises(ValueError, match=rf"data\.channel_layout=.*{why}"):
        RestorationDataModule(FolderSource(str(root)), Noise(), 8000, channels=channels, channel_layout=layout)
