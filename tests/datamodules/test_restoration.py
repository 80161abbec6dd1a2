import warnings

import pytest
import pytorch_lightning as pl
import torch

from datamodules.corruptions import Corruption
from datamodules.corruptions.bandwidth import Bandwidth
from datamodules.corruptions.chain import Chain
from datamodules.corruptions.codec import Codec
from datamodules.corruptions.noise import Noise
from datamodules.restoration import RestorationDataModule, restoration_data
from datamodules.sources.folder import FolderSource
from datamodules.sources.synthetic import SyntheticSource

HELD_OUT = [("val", 0), ("val", 1), ("test", 0), ("test", 1)]


class WhiteNoise(Corruption):
    """A corruption of the least kind; batches of more than one example show that training is corrupted as a whole."""

    def __init__(self, level=0.1):
        self.level = level

    def __call__(self, clean, sample_rate, generator):
        return clean + self.level * torch.randn(clean.shape, generator=generator, device=generator.device).to(clean.device)


class LowPass(WhiteNoise):
    def cutoff_hz(self, sample_rate):
        return sample_rate / 8


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


def equal(one, other):
    return len(one) == len(other) and all(
        all(torch.equal(a[key], b[key]) for key in ("clean", "corrupted", "index")) for a, b in zip(one, other, strict=True)
    )


def test_training_batches_hold_pairs_and_indices(make):
    batches = corrupted_epoch(make(), epoch=2)
    assert len(batches) == 4
    assert set(batches[0]) == {"clean", "corrupted", "index"}
    assert batches[0]["clean"].shape == batches[0]["corrupted"].shape == (4, 1, 256)
    assert torch.cat([batch["index"] for batch in batches]).tolist() == list(range(32, 48))
    assert (batches[0]["corrupted"] - batches[0]["clean"]).std() == pytest.approx(0.1, rel=0.1)


def test_same_epoch_is_the_same_in_every_run_and_others_differ(make):
    assert equal(corrupted_epoch(make(seed=1), 3), corrupted_epoch(make(seed=1), 3))
    assert not equal(corrupted_epoch(make(seed=1), 3), corrupted_epoch(make(seed=1), 4))
    assert not equal(corrupted_epoch(make(seed=1), 3), corrupted_epoch(make(seed=2), 3))


def test_corruption_of_training_follows_the_seed_of_the_run(make):
    def noises(seed):
        return torch.stack([batch["corrupted"] - batch["clean"] for batch in corrupted_epoch(make(seed=seed))])

    assert torch.equal(noises(1), noises(1))
    assert not torch.allclose(noises(1), noises(2), atol=1e-3)


def test_batches_have_noise_of_their_own(make):
    noises = [batch["corrupted"] - batch["clean"] for batch in corrupted_epoch(make())]
    assert not torch.allclose(noises[0], noises[1], atol=1e-3)


@pytest.mark.parametrize("cache", [True, False])
def test_worker_processes_change_nothing(make, cache):
    alone, helped = make(cache=cache), make(cache=cache, num_workers=2)
    assert equal(corrupted_epoch(alone, 1), corrupted_epoch(helped, 1))
    assert equal(list(alone.val_dataloader()), list(helped.val_dataloader()))


def test_reading_from_the_files_gives_the_same_windows_as_the_cache(make):
    assert equal(corrupted_epoch(make()), corrupted_epoch(make(cache=False)))


def test_evaluation_pairs_ignore_the_training_seed(make):
    one, other = make(seed=1, batch_size=2, samples_per_epoch=4), make(seed=2)
    for loader in ("val_dataloader", "test_dataloader", "predict_dataloader"):
        assert equal(list(getattr(one, loader)()), list(getattr(other, loader)()))
    assert one.manifest_hash == other.manifest_hash
    assert make(eval_seed=1).manifest_hash != one.manifest_hash


def test_evaluation_batches_are_left_alone_by_the_hooks(make):
    data = make()
    batch = next(iter(data.val_dataloader()))
    assert batch["clean"].shape[0] == 1
    assert data.on_after_batch_transfer(data.on_before_batch_transfer(batch, 0), 0) is batch


def test_hash_follows_the_corruption_and_the_data(make):
    hashes = {make(**change).manifest_hash for change in ({}, {"corruption": WhiteNoise(0.2)}, {"corruption": LowPass()})}
    hashes |= {
        make(**change).manifest_hash for change in ({"sample_rate": 4000}, {"eval_windows": 1}, {"max_recordings": {"test": 1}})
    }
    assert len(hashes) == 6


def test_hash_follows_the_audio_behind_the_names(make, root, write_noise):
    before = make().manifest_hash
    write_noise(root / "val0.flac", 0.5, seed=99)
    assert make().manifest_hash == before
    write_noise(root / "test0.flac", 0.5, seed=99)
    assert make().manifest_hash != before


@pytest.mark.parametrize("sample_rate", [4000, 8000, 11025])
def test_hash_does_not_depend_on_how_or_where_the_audio_is_kept(make, root, tmp_path, sample_rate):
    hashes = {make(sample_rate=sample_rate, **how).manifest_hash for how in ({}, {"cache_dtype": "float32"}, {"cache": False})}
    root.rename(tmp_path / "moved")
    root.symlink_to(tmp_path / "moved")
    hashes.add(make(sample_rate=sample_rate, cache_dir=str(tmp_path / "other")).manifest_hash)
    source, cache_dir = FolderSource(str(tmp_path / "moved")), str(tmp_path / "cache")
    moved = RestorationDataModule(source, WhiteNoise(), sample_rate, window_samples=256, eval_seconds=0.1, cache_dir=cache_dir)
    assert hashes == {moved.manifest_hash}


def test_hash_does_not_depend_on_what_was_set_up(make):
    trained, evaluated = make(), make()
    trained.setup("fit")
    evaluated.setup("test")
    assert trained.manifest_hash == evaluated.manifest_hash
    assert {window["file"] for window in trained.manifest()} == {"test0.flac", "test1.flac"}
    assert {window["file"] for window in trained.manifest("val")} == {"val0.flac", "val1.flac"}


def test_evaluation_opens_no_other_split(make):
    data = make()
    data.setup("test")
    assert set(data.counts()) == {"test"}


def test_summary_counts_recordings_hours_and_what_was_left_out(make, root, broken_files, write_noise):
    broken_files(root)
    write_noise(root / "short.flac", 0.01)
    with open(root / "MANIFEST.csv", "a", encoding="utf-8") as manifest:
        manifest.write("short.flac,train\nempty.wav,train\ntruncated.flac,val\n")
    data = make()
    data.setup("fit")
    assert data.counts()["train"] == {"recordings": 5, "hours": pytest.approx(0.001, abs=1e-3), "unreadable": 0, "too_short": 1}
    assert "train: 5 recordings, 0.00 h, 0 unreadable, 1 too short" in data.summary()
    assert "files that could not be used: 2" in data.summary()


def test_cutoff_is_the_corruptions_if_it_has_one(make):
    assert make().cutoff_hz is None
    assert make(corruption=LowPass()).cutoff_hz == 1000.0
    assert make(corruption=Chain([WhiteNoise(), LowPass()])).cutoff_hz == 1000.0
    assert make(corruption=Chain([WhiteNoise()])).cutoff_hz is None


def test_a_window_longer_than_every_file_stops_before_training(make):
    with pytest.raises(ValueError, match=r"data.window_samples=100000 is longer than each of the 4 recordings of split 'train'"):
        make(window_samples=100_000).setup("fit")


def test_an_empty_split_stops_before_training(make, root):
    for name in ("test0.flac", "test1.flac"):
        (root / name).unlink()
    with pytest.raises(ValueError, match="split 'test' is empty"):
        make().setup("fit")


@pytest.mark.parametrize(
    ("sample_rate", "wanted"),
    [
        (3999, "a whole number of Hz from 4000 to 200000"),
        (200_010, "a whole number of Hz from 4000 to 200000"),
        (16000.5, "a whole number of Hz from 4000 to 200000"),
        ("44.1k", "a whole number of Hz from 4000 to 200000"),
        (65_537, "a multiple of 10 Hz"),
    ],
)
def test_a_rate_that_not_every_part_has_is_refused(make, sample_rate, wanted):
    with pytest.raises(ValueError, match=rf"data\.sample_rate={sample_rate} must be {wanted}"):
        make(sample_rate=sample_rate)


@pytest.mark.parametrize("sample_rate", [4000, 65_535, 65_540, 200_000])
def test_rates_up_to_the_limits_are_taken(make, sample_rate):
    assert make(sample_rate=sample_rate).sample_rate == sample_rate


@pytest.mark.parametrize("key", ["channels", "batch_size", "samples_per_epoch", "window_samples"])
def test_impossible_numbers_name_their_key(make, key):
    with pytest.raises(ValueError, match=rf"data\.{key}=0 must be at least 1"):
        make(**{key: 0})


def test_options_go_to_whichever_takes_them(tmp_path):
    data = restoration_data(SyntheticSource, root=str(tmp_path), sample_rate=8000, recordings=3, corruption=WhiteNoise(), seed=5)
    assert isinstance(data.source, SyntheticSource)
    assert (data.sample_rate, data.source.sample_rate) == (8000, 8000)


def test_unknown_option_is_refused(tmp_path):
    with pytest.raises(TypeError, match="yeers"):
        restoration_data(FolderSource, root=str(tmp_path), sample_rate=8000, corruption=WhiteNoise(), yeers=[2004])


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


def level(batch):
    return (batch["corrupted"] - batch["clean"]).std().item()


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


@pytest.mark.parametrize("cache", [True, False])
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
