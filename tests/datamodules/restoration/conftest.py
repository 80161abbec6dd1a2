"""What the tests of the data module share: recordings, and corruptions of a line."""

import pytest
import torch

from datamodules.corruptions import Corruption
from datamodules.restoration import RestorationDataModule
from datamodules.sources.folder import FolderSource

HELD_OUT = [("val", 0), ("val", 1), ("test", 0), ("test", 1)]


class WhiteNoise(Corruption):
    """A corruption of the least kind; batches of more than one example show that training is corrupted as a whole."""

    def __init__(self, level=0.1):
        self.level = level

    def __call__(self, clean, sample_rate, generator):
        return clean + self.level * torch.randn(clean.shape, generator=generator, device=generator.device).to(clean.device)


@pytest.fixture
def root(tmp_path, write_noise):
    rows = ["file,split"]
    for seed, (split, number) in enumerate([("train", 0), ("train", 1), ("train", 2), ("train", 3), *HELD_OUT]):
        write_noise(tmp_path / "audio" / f"{split}{number}.flac", 0.5 + 0.1 * number, seed=seed)
        rows.append(f"{split}{number}.flac,{split}")
    (tmp_path / "audio" / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "audio"


@pytest.fixture
def make(root, tmp_path):
    def build(**changes):
        options = {"window_samples": 256, "batch_size": 4, "samples_per_epoch": 16, "eval_seconds": 0.1}
        options |= {"sample_rate": 8000, "cache_dir": str(tmp_path / "cache"), "corruption": WhiteNoise(), **changes}
        return RestorationDataModule(FolderSource(str(root)), **options)

    return build


def corrupted_epoch(data, epoch=0):
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return [data.on_after_batch_transfer(data.on_before_batch_transfer(batch, 0), 0) for batch in loader]


def level(batch):
    return (batch["corrupted"] - batch["clean"]).std().item()
