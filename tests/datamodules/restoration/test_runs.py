"""A resumed run hears the same; splits have recordings of their own."""

import warnings

import pytest
import pytorch_lightning as pl
import torch

from datamodules.corruptions.bandwidth import Bandwidth
from datamodules.corruptions.codec import Codec
from datamodules.corruptions.noise import Noise
from datamodules.restoration import RestorationDataModule
from datamodules.sources.folder import FolderSource
from tests.datamodules.restoration.conftest import WhiteNoise, corrupted_epoch, level


class Listener(pl.LightningModule):
    """Remember the indices and inputs of every epoch."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))
        self.heard = []

    def training_step(self, batch, batch_idx):
        self.heard.append((self.current_epoch, batch["index"].tolist(), batch["corrupted"].sum().item()))
        return (self.gain * batch["corrupted"] - batch["clean"]).square().mean()

    def validation_step(self, batch, batch_idx):
        assert set(batch) == {"clean", "corrupted", "index"}

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


def fit(data, folder, epochs, checkpoint=None):
    listener = Listener()
    callback = pl.callbacks.ModelCheckpoint(folder, "last", save_on_train_epoch_end=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=epochs, callbacks=[callback], use_distributed_sampler=False, logger=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(listener, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    return listener.heard


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_hears_what_an_uninterrupted_one_hears(make, tmp_path, workers):
    whole = fit(make(), tmp_path / "whole", 3)
    begun = fit(make(num_workers=workers), tmp_path / "part", 2)
    resumed = fit(make(num_workers=workers), tmp_path / "part", 3, tmp_path / "part" / "last.ckpt")
    assert begun + resumed == whole
    assert [epoch for epoch, *_ in whole] == [0] * 4 + [1] * 4 + [2] * 4
    assert sorted(index for _, indices, _ in whole for index in indices) == list(range(48))


class Recorded(WhiteNoise):
    """Noise whose level tells the split that it serves."""

    skipped = ()

    def __init__(self, level=0.0, skipped=()):
        super().__init__(level)
        self.skipped = list(skipped)

    def for_split(self, split):
        return Recorded({"train": 1.0, "val": 2.0, "test": 3.0}[split], self.skipped)


def test_each_split_is_corrupted_by_its_own_recordings(make):
    data = make(corruption=Recorded())
    assert level(corrupted_epoch(data)[0]) == pytest.approx(1.0, rel=0.1)
    assert level(next(iter(data.val_dataloader()))) == pytest.approx(2.0, rel=0.1)
    assert level(next(iter(data.test_dataloader()))) == pytest.approx(3.0, rel=0.1)
    assert data.manifest_hash == make(corruption=Recorded(skipped=["a.wav: is silent"])).manifest_hash


def test_noise_that_is_missing_in_a_split_stops_before_training(make, tmp_path, write_noise):
    write_noise(tmp_path / "noise" / "a.wav")
    (tmp_path / "noise" / "MANIFEST.csv").write_text("file,split\na.wav,train\n", encoding="utf-8")
    data = make(corruption=Noise(["recorded"], noise_root=str(tmp_path / "noise")))
    with pytest.raises(ValueError, match=r"no usable file of split 'val'.*corruption\.noise_split=null"):
        data.setup("fit")


def test_unusable_files_of_the_corruption_are_counted(make):
    data = make(corruption=Recorded(skipped=["a.wav: is silent"]))
    data.setup("test")
    assert data.skipped == ["a.wav: is silent"]
    assert "files that could not be used: 1" in data.summary()


def test_a_function_is_no_corruption(make):
    with pytest.raises(
        ValueError, match="corruption holds <function .*>, which is not a corruption: give the _target_ of a class"
    ):
        make(corruption=lambda clean, sample_rate, generator: clean)


def test_an_impossible_corruption_stops_before_any_file_is_read(make):
    with pytest.raises(ValueError, match="corruption.low_rate_hz=8000 is not below data.sample_rate=8000"):
        make(corruption=Bandwidth(8000))
    with pytest.raises(ValueError, match="mp3 holds one or two channels, not 3"):
        make(corruption=Codec(), channels=3)


@pytest.mark.parametrize("cache", [True, "stream", False])
def test_a_single_file_is_enough_where_time_splits(tmp_path, write_noise, cache):
    path = write_noise(tmp_path / "one" / "song.flac", 6.0)
    options = {
        "sample_rate": 8000,
        "window_samples": 256,
        "eval_seconds": 0.1,
        "cache_dir": str(tmp_path / "cache"),
        "cache": cache,
    }
    data = RestorationDataModule(FolderSource(str(path.parent)), WhiteNoise(), split="time", **options)
    data.setup("fit")
    assert data.manifest()[0]["part_samples"] == (44_800, 3200)
    assert data.manifest("val")[0]["part_samples"] == (33_600, 3200)
    with pytest.raises(ValueError, match=r"split 'val' is empty: none of the 1 usable .*data.split=time cuts every recording"):
        RestorationDataModule(FolderSource(str(path.parent)), WhiteNoise(), **options).setup("fit")


def test_copies_are_in_one_split_unless_they_are_allowed(tmp_path, write_noise, caplog):
    for number in range(4):
        write_noise(tmp_path / "four" / f"copy{number}.flac", seed=1)
    for number in range(3):
        write_noise(tmp_path / "four" / f"other{number}.flac", seed=2 + number)
    options = {"sample_rate": 8000, "window_samples": 256, "eval_seconds": 0.1, "cache_dir": str(tmp_path / "cache")}

    def homes(**changes):
        data = RestorationDataModule(FolderSource(str(tmp_path / "four")), WhiteNoise(), **options, **changes)
        data.setup("fit")
        opened = {split: data._catalog.open(split).recordings for split in ("train", "val", "test")}
        return [split for split, members in opened.items() if any("copy" in item.path for item in members)]

    assert len(homes()) == 1
    assert sum("3 of 7 recordings are copies" in line for line in caplog.messages) == 1
    assert len(homes(allow_duplicates=True)) > 1
