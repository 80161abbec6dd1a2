"""Both sides of a pair are the same part of the same recording, and pairs that do not fit are named and left out."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat
from datamodules.corruptions.pipeline import Identity
from datamodules.eval_windows import EvalRules, EvalWindows
from datamodules.known_delays import KnownDelays
from datamodules.pairs import PairedRecordings, open_recordings
from datamodules.restoration import RestorationDataModule
from datamodules.sources import Recording
from datamodules.sources.paired import PairedSource
from datamodules.streamed_recordings import StreamedRecordings
from datamodules.time_parts import TimeParts
from datamodules.windows import TrainWindows, WindowRules

RATE_HZ = 8000
Write = Callable[..., Recording]


def sound(seed: int, samples: int = 8000, channels: int = 1) -> np.ndarray:
    return np.rint(3000 * np.random.default_rng(seed).standard_normal((samples, channels))) / 32768


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a pair whose corrupted side is twice the clean one, or what is given."""

    def make(name: str, clean: np.ndarray, corrupted: np.ndarray | None = None, rates_hz: tuple[int, int] = (RATE_HZ, RATE_HZ)):
        paths = [tmp_path / side / f"{name}.wav" for side in ("clean", "noisy")]
        sides = (clean, 2 * clean if corrupted is None else corrupted)
        for path, audio, rate_hz in zip(paths, sides, rates_hz, strict=True):
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, audio, rate_hz)
        return Recording(str(paths[0]), len(clean) / rates_hz[0], "train", name, corrupted=str(paths[1]))

    return make


@pytest.fixture(params=["cached", "streamed"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., object]:
    def read(recordings, channels=1, rate_hz=RATE_HZ):
        if request.param == "streamed":
            return StreamedRecordings(recordings, rate_hz, channels)
        return CachedRecordings(recordings, CacheFormat(tmp_path / "cache", rate_hz, channels))

    return read


def test_both_sides_are_read_from_the_same_place(write: Write, reader) -> None:
    pairs = PairedRecordings([write("a", sound(0)), write("b", sound(1, 9000))], reader, KnownDelays(None))
    assert [pairs.len_samples(index) for index in range(2)] == [8000, 9000]
    for index in range(2):
        assert np.array_equal(pairs.read(index, 100, 50)[0], sound(index, 8000 + 1000 * index)[100:150, 0].astype(np.float32))
        assert np.array_equal(pairs.read_corrupted(index, 100, 50), 2 * pairs.read(index, 100, 50))


def test_pairs_that_do_not_fit_are_named_once_and_the_rest_goes_on(write: Write, reader, caplog) -> None:
    good, short = write("good", sound(0)), write("short", sound(1), sound(1)[:-5])
    late, broken = write("late", sound(2), np.roll(sound(2), 7, axis=0)), write("broken", sound(3))
    Path(str(broken.corrupted)).write_text("no audio", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        pairs = PairedRecordings([short, good, late, broken], reader, KnownDelays(None))
    assert [item.group for item in pairs.recordings] == ["good"]
    assert np.array_equal(pairs.read_corrupted(0, 0, 10), 2 * pairs.read(0, 0, 10))
    told = "\n".join(pairs.skipped)
    assert f"{short.corrupted}: has 7995 samples, and its clean partner {short.path} 8000; both must have as many" in told
    assert f"{late.corrupted}: is 7 samples late against its clean partner {late.path}; at most 1 is allowed" in told
    assert str(broken.corrupted) in told and len(pairs.skipped) == 3
    assert all(sum(sentence in line for line in caplog.messages) == 1 for sentence in pairs.skipped)


def test_sides_of_other_rates_and_channels_meet_at_the_common_ones(write: Write, reader) -> None:
    clean = np.repeat(sound(0, 16_000)[:, :1], 2, axis=1)
    recording = write("a", clean, 0.5 * clean[::2, :1], (2 * RATE_HZ, RATE_HZ))
    pairs = PairedRecordings([recording], lambda items: reader(items, channels=1, rate_hz=4000), KnownDelays(None))
    assert pairs.skipped == [] and pairs.len_samples(0) == 4000
    assert pairs.read(0, 0, 4000).shape == pairs.read_corrupted(0, 0, 4000).shape == (1, 4000)


def test_training_windows_hold_both_sides_at_one_level(write: Write, reader) -> None:
    opened = open_recordings([write("a", sound(0)), write("b", sound(1))], reader, KnownDelays(None))
    windows = TrainWindows(opened, WindowRules(256, -60.0, [-20, 0]), 0)
    for n in range(20):
        assert torch.equal(windows[n]["recorded"], 2 * windows[n]["clean"])
    assert len({float(windows[n]["clean"].std()) for n in range(20)}) == 20


def test_one_clean_recording_may_have_several_partners(write: Write, reader, tmp_path: Path) -> None:
    first = write("a", sound(0))
    second = replace(first, corrupted=write("b", sound(1), 3 * sound(0)).corrupted)
    broken = replace(first, corrupted=str(tmp_path / "gone.wav"))
    pairs = PairedRecordings([first, second, broken], reader, KnownDelays(None))
    assert pairs.recordings == [first, second]
    assert [len(pairs.skipped), str(tmp_path / "gone.wav") in pairs.skipped[0]] == [1, True]
    for index, factor in enumerate((2, 3)):
        assert pairs.read_corrupted(index, 5, 90) == pytest.approx(factor * pairs.read(index, 5, 90), abs=1e-4)


def test_clean_recordings_alone_are_read_as_before(write: Write, reader) -> None:
    recording = Recording(write("a", sound(0)).path, 1.0, "train", "a")
    opened = open_recordings([recording], reader, KnownDelays(None))
    assert not isinstance(opened, PairedRecordings)
    assert set(TrainWindows(opened, WindowRules(256), 0)[0]) == {"clean", "index"}


def test_evaluation_windows_hold_both_sides_and_the_manifest_covers_them(write: Write, reader, tmp_path: Path) -> None:
    def windows(recording: Recording) -> EvalWindows:
        opened = open_recordings([recording], reader, KnownDelays(None))
        return EvalWindows(opened, tmp_path / "clean", "test", EvalRules(1000, 500, 2), Identity(), RATE_HZ)

    examples = windows(write("a", sound(0)))
    for index in range(2):
        assert torch.equal(examples[index]["corrupted"], 2 * examples[index]["clean"])
    other = windows(write("a", sound(0), 3 * sound(0)))
    keys = {key for one, two in zip(examples.manifest(), other.manifest(), strict=True) for key in one if one[key] != two[key]}
    assert keys == {"corrupted_checksum"}


def test_parts_by_time_hold_both_sides(write: Write, reader) -> None:
    parts = TimeParts(open_recordings([write("a", sound(0, 40_000))], reader, KnownDelays(None)), "test", RATE_HZ)
    length = parts.len_samples(0)
    assert np.array_equal(parts.read_corrupted(0, 10, length - 10), 2 * parts.read(0, 10, length - 10))


def test_corruption_is_laid_over_the_recorded_side(write: Write, tmp_path: Path) -> None:
    for number in range(3):
        write(str(number), sound(number))
    split = "\n".join(f"{number}.wav,{split}" for number, split in enumerate(("train", "val", "test")))
    (tmp_path / "clean" / "MANIFEST.csv").write_text(f"file,split\n{split}\n", encoding="utf-8")

    class Halved(Identity):
        def __call__(self, clean, sample_rate, generator):
            return 0.5 * clean

    def batches(corruption):
        source = PairedSource(str(tmp_path / "clean"), str(tmp_path / "noisy"))
        options = {"window_samples": 256, "batch_size": 2, "samples_per_epoch": 4, "eval_seconds": 0.1}
        data = RestorationDataModule(source, corruption, RATE_HZ, cache_dir=str(tmp_path / "cache"), **options)
        train = next(iter(data.train_dataloader()))
        return data.on_after_batch_transfer(data.on_before_batch_transfer(train, 0), 0), next(iter(data.test_dataloader()))

    for batch in batches(Identity()):
        assert torch.equal(batch["corrupted"], 2 * batch["clean"])
    for batch in batches(Halved()):
        assert torch.equal(batch["corrupted"], batch["clean"])
        assert set(batch) == {"clean", "corrupted", "index"}


def test_arrays_of_both_sides_are_foreseen_until_they_are_there(write: Write, tmp_path: Path) -> None:
    pairs = [write(str(number), sound(number)) for number in range(3)]
    source = PairedSource(str(tmp_path / "clean"), str(tmp_path / "noisy"))
    settings = {"window_samples": 256, "eval_seconds": 0.1, "cache_dir": str(tmp_path / "cache")}
    data = RestorationDataModule(source, Identity(), RATE_HZ, **settings)
    foreseen = data.arrays_to_make()
    assert {name.split()[0] for name in foreseen} == {path for pair in pairs for path in (pair.path, pair.corrupted)}
    assert all(abs(size - 2 * 8000) < 4096 for size in foreseen.values())
    data.prepare_data()
    assert data.arrays_to_make() == {}
