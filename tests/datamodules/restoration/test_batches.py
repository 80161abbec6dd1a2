"""Batches hold pairs that depend on seeds alone, and manifests say which."""

import pytest
import torch

from datamodules.corruptions.chain import Chain
from datamodules.restoration import RestorationDataModule
from datamodules.sources.folder import FolderSource
from tests.datamodules.restoration.conftest import WhiteNoise, corrupted_epoch


class LowPass(WhiteNoise):
    def cutoff_hz(self, sample_rate):
        return sample_rate / 8


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


@pytest.mark.parametrize("cache", [True, "stream", False])
def test_worker_processes_change_nothing(make, cache):
    alone, helped = make(cache=cache), make(cache=cache, num_workers=2)
    assert equal(corrupted_epoch(alone, 1), corrupted_epoch(helped, 1))
    assert equal(list(alone.val_dataloader()), list(helped.val_dataloader()))


@pytest.mark.parametrize("cache", ["stream", False])
def test_reading_from_the_files_gives_the_same_windows_as_the_cache(make, cache):
    cold, warm = corrupted_epoch(make()), corrupted_epoch(make())
    assert equal(cold, warm)
    assert equal(cold, corrupted_epoch(make(cache=cache, num_workers=1)))


def test_another_way_to_read_is_refused(make):
    with pytest.raises(ValueError, match="data.cache='disk' is unknown; known: true, stream, false"):
        make(cache="disk")


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


def test_epoch_of_all_sliding_windows_has_each_once(make):
    data = make(stride_samples=256, samples_per_epoch=None, batch_size=1)
    epochs = [torch.cat([batch["clean"] for batch in corrupted_epoch(data, number)]).flatten(1) for number in range(2)]
    lengths = [round(8000 * (0.5 + 0.1 * number)) for number in range(4)]
    assert len(epochs[0]) == sum(length // 256 for length in lengths)
    assert len(torch.unique(epochs[0], dim=0)) == len(epochs[0])
    assert torch.equal(torch.unique(epochs[0], dim=0), torch.unique(epochs[1], dim=0))
    assert not torch.equal(epochs[0], epochs[1])


def test_stride_keeps_the_given_length_of_an_epoch(make):
    assert len(make(stride_samples=64).train_dataloader()) == 4
