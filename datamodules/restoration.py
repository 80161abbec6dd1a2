"""The one LightningDataModule: recordings from a source, corrupted on the way to the network."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from datamodules.audio.file_facts import FileFacts
from datamodules.audio.probing import absolute
from datamodules.bandwidths import LEAST_SHARE
from datamodules.batches import BatchDict, corrupted, seeded
from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat, decodes_before
from datamodules.cache_index import CacheIndex
from datamodules.catalog import build_catalog
from datamodules.channel_layouts import as_recorded, check_layout, to_mid_side
from datamodules.corruptions import Corruption, settings
from datamodules.describe import describe
from datamodules.draws import Range
from datamodules.eval_windows import EvalRules, EvalWindows, hash_manifest
from datamodules.idle_keys import tell_idle_keys
from datamodules.known_delays import FILE, KnownDelays
from datamodules.limits import check_sample_rate
from datamodules.needs import Needs
from datamodules.pairs import open_recordings
from datamodules.samplers import EpochSampler, LateLoader, ShardedSampler
from datamodules.sources import Source
from datamodules.splits import SPLITS, Split
from datamodules.streamed_recordings import StreamedRecordings
from datamodules.windows import TrainWindows, WindowRules

_SPLITS_OF_STAGE: dict[str | None, tuple[Split, ...]] = {"validate": ("val",), "test": ("test",), "predict": ("test",)}


class RestorationDataModule(pl.LightningDataModule):
    """Serve batches `{"clean": (B, C, T), "corrupted": (B, C, T), "index": (B,)}`, and `"labels": (B, 3)` if `labeled`.

    What is corrupted is the clean audio, or in a corpus of pairs its recorded partner, which `Identity` leaves as it is. Training
    batches are corrupted as a whole after they have reached the device; on a CUDA GPU the generator is there too, since drawing
    noise on the CPU and sending it after the batch would take longer than the rest of the step's input. Draws are therefore the
    same on every CPU (and with MPS, see `place_of_draws`) and on every CUDA GPU, but not on one and the other. Validation, test
    and prediction batches hold one example each, whose corruption was computed on the CPU and never changes.

    Args:
        source: what recordings exist.
        corruption: what damages them.
        sample_rate: of all examples, in Hz; see `check_sample_rate`.
        channels: of all examples; see `decoding.mix`.
        channel_layout: `left_right`, or `mid_side` of two channels, to which both sides of a pair are turned after the
            corruption; see `channel_layouts`.
        window_samples: length of a training window.
        batch_size: of training, per process.
        samples_per_epoch: training windows per epoch, over all processes together; None with a stride: every window once.
        stride_samples: from one training window to the next, so that each comes up once before any comes again; None draws them.
        num_workers: processes that load windows; with the cache, none is enough. Their number changes no window.
        cache: whether to decode and resample once, into `cache_dir`; `stream` or False does so while training.
        cache_dir: folder of the cache.
        cache_dtype: `int16` or `float32`.
        eval_seconds: length of an evaluation example.
        eval_windows: evaluation examples per recording, at most.
        eval_seed: of the evaluation's corruptions; `seed` does not change them.
        silence_db: RMS level without the mean, in dBFS, below which windows are not used; None uses all.
        level_db: gain of training windows in dB, one number or `[low, high]`; None leaves them alone.
        split: `recordings` keeps each in one split; `time` cuts all of them into train, val and test.
        narrow_targets: where the corruption limits the band, use recordings too that are known to hold nothing in the upper band;
            see `bandwidths`.
        allow_duplicates: use equal recordings in different splits, as the data set or the hash has it.
        max_recordings: per split, how many recordings to use; a smaller choice is part of every larger one.
        seed: the run's seed; it decides the training windows, their corruption, and what a training step draws.
    """

    labeled = False

    def __init__(
        self,
        source: Source,
        corruption: Corruption,
        sample_rate: int,
        channels: int = 1,
        channel_layout: str = "left_right",
        window_samples: int = 16384,
        batch_size: int = 16,
        samples_per_epoch: int | None = 2048,
        num_workers: int = 0,
        cache: bool | str = True,
        cache_dir: str = "~/.cache/clarion",
        cache_dtype: str = "int16",
        eval_seconds: float = 4.0,
        eval_windows: int = 2,
        eval_seed: int = 0,
        silence_db: float | None = -60.0,
        level_db: Range | None = None,
        split: str = "recordings",
        narrow_targets: bool = False,
        allow_duplicates: bool = False,
        max_recordings: Mapping[str, int | None] | None = None,
        seed: int = 0,
        stride_samples: int | None = None,
    ) -> None:
        """Check the values; files are read by `setup`."""
        super().__init__()
        check_sample_rate(sample_rate)
        for name, value in {"channels": channels, "batch_size": batch_size}.items():
            if value < 1:
                raise ValueError(f"data.{name}={value} must be at least 1")
        check_layout(channel_layout, channels)
        settings.corruption(corruption, "corruption").check_under("corruption", sample_rate, channels)
        self.source, self.corruption, self.sample_rate, self.channels = source, corruption, sample_rate, channels
        self.channel_layout, self._turn = channel_layout, to_mid_side if channel_layout == "mid_side" else as_recorded
        self.seed, self._batch_size, self._num_workers = seed, batch_size, num_workers
        if samples_per_epoch is None and stride_samples is None:
            raise ValueError("data.samples_per_epoch=null needs data.stride_samples: windows that are drawn have no end")
        self._sampler = EpochSampler(samples_per_epoch)
        self._window_rules = WindowRules(window_samples, silence_db, level_db, stride_samples)
        eval_samples = round(eval_seconds * sample_rate)
        self._eval_rules = EvalRules(eval_samples, window_samples, eval_windows, silence_db, eval_seed)
        layout = CacheFormat(absolute(cache_dir), sample_rate, channels, cache_dtype)
        is_cached = decodes_before(cache)
        self._cache_format = layout if is_cached else None
        source.facts = FileFacts.of_data_set(layout.folder, source.root)
        cached = functools.partial(CachedRecordings, layout=layout, facts=source.facts)
        streamed = functools.partial(StreamedRecordings, sample_rate=sample_rate, channels=channels, facts=source.facts)
        any_bandwidth = narrow_targets or self.cutoff_hz is None
        least_bandwidth_hz = None if any_bandwidth else LEAST_SHARE * sample_rate / 2
        needs = Needs(sample_rate, window_samples, min(window_samples, eval_samples), silence_db, least_bandwidth_hz)
        given = {"allow_duplicates": allow_duplicates, "narrow_targets": narrow_targets, "cache_dtype": cache_dtype != "int16"}
        tell_idle_keys(split, is_cached, self.cutoff_hz is not None, [key for key in given if given[key]], source.dividing_keys)
        delays = KnownDelays(layout.folder / FILE if is_cached else None)
        reader = functools.partial(open_recordings, reader=cached if is_cached else streamed, delays=delays)
        self._catalog = build_catalog(split, source, reader, max_recordings or {}, needs, allow_duplicates)
        self._corruptions: dict[Split, Corruption] = {}
        self._train: TrainWindows | None = None
        self._evals: dict[str, EvalWindows] = {}

    @property
    def cutoff_hz(self) -> float | None:
        """Return where spectral metrics divide low from high: the corruption's cut-off; None if it does not limit the band."""
        own = self.corruption.cutoff_hz(self.sample_rate)
        return own if own < self.sample_rate / 2 else None

    @property
    def kind(self) -> Literal["music", "speech"]:
        """Return what the recordings are; of folders known after `setup`."""
        return self.source.kind

    @property
    def manifest_hash(self) -> str:
        """Return the SHA-256 that two results share if they were measured on the same test pairs.

        It differs where files, windows, the levels of the clean audio, seeds or settings of the corruption differ. Of recorded
        noise and rooms it knows names, lengths and formats, not the samples.
        """
        corruption = describe(self._corruption("test"))
        return hash_manifest(self.manifest(), corruption, self.sample_rate, self.channels, self.channel_layout)

    def manifest(self, split: Split = "test") -> list[dict[str, Any]]:
        """List file, offset_samples, length_samples, checksum and seed of every evaluation example of a split."""
        return self._eval_examples(split).manifest()

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file, of clean audio or of the corruption, that could not be used."""
        return [*self._catalog.skipped, *self.corruption.skipped]

    def counts(self) -> dict[str, dict[str, Any]]:
        """Count recordings, hours and what was left out (unreadable, too short) in each split that has been set up."""
        examples = {"train": self._train, **self._evals}
        counts = self._catalog.counts()
        return {split: {**counts[split], "too_short": windows.too_short} for split, windows in examples.items() if windows}

    def summary(self) -> str:
        """Write the counts as text, one line per split."""
        lines = [
            f"{split}: {count['recordings']} recordings, {count['hours']:.2f} h, "
            f"{count['unreadable']} unreadable, {count['too_short']} too short"
            for split, count in self.counts().items()
        ]
        return "\n".join([*lines, f"files that could not be used: {len(self.skipped)}"])

    def repeat_windows(self) -> None:
        """Give every epoch the windows of the first, corrupted as there."""
        self._sampler.repeat()

    def arrays_to_make(self) -> dict[str, int]:
        """Return by recording and format the bytes of every array that the cache lacks, were all recordings used.

        Raises:
            ValueError: if there is no recording.
        """
        layout = self._cache_format
        if layout is None:
            return {}
        planned = [(path, item.seconds) for item in self.source.planned() for path in (item.path, item.corrupted) if path]
        index = CacheIndex(layout.shards)
        return {f"{path} {layout}": layout.size_bytes(seconds) for path, seconds in planned if not index.has(path, layout)}

    def prepare_data(self) -> None:
        """Fill the cache in one process before the others open it."""
        self.setup(self.trainer.state.fn if self.trainer else None)

    def setup(self, stage: str | None = None) -> None:
        """Open the splits that a stage needs; training opens all, so that whatever fails does so before it.

        Raises:
            ValueError: if a split is empty, a window is longer than every recording or the cache cannot be filled.
        """
        try:
            for split in _SPLITS_OF_STAGE.get(stage, SPLITS):
                if split == "train":
                    self._train_windows()
                else:
                    self._eval_examples(split)
        finally:
            self.source.facts.keep()

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the loader of clean training windows; Lightning tells its sampler the epoch."""
        return self._loader(LateLoader, self._train_windows(), sampler=self._sampler, batch_size=self._batch_size)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the loader of the validation pairs, one at a time because their lengths differ."""
        return self._eval_loader("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Return the loader of the test pairs, one at a time because their lengths differ."""
        return self._eval_loader("test")

    def predict_dataloader(self) -> DataLoader[Any]:
        """Return the loader of the test pairs."""
        return self._eval_loader("test")

    def on_before_batch_transfer(self, batch: BatchDict, dataloader_idx: int) -> BatchDict:
        """Seed the corruption while the indices are still on the CPU; reading them back from a GPU would stall it."""
        return batch if "corrupted" in batch else seeded(batch, self.seed)

    def on_after_batch_transfer(self, batch: BatchDict, dataloader_idx: int) -> BatchDict:
        """Corrupt a training batch where it is now, by what is drawn for the batches of all processes together."""
        if "corrupted" in batch:
            return batch
        return corrupted(batch, self._corruption("train"), self.sample_rate, self._turn)

    def _corruption(self, split: Split) -> Corruption:
        if split not in self._corruptions:
            self._corruptions[split] = self.corruption.for_split(split)
        return self._corruptions[split]

    def _train_windows(self) -> TrainWindows:
        if self._train is None:
            self._corruption("train")  # So that it fails before training, if it does.
            self._train = TrainWindows(self._catalog.open("train"), self._window_rules, self.seed, self.labeled)
            self._sampler.fit(self._train.count)
        return self._train

    def _eval_examples(self, split: Split) -> EvalWindows:
        if split not in self._evals:
            recordings = self._catalog.open(split)
            self._evals[split] = EvalWindows(
                recordings,
                self.source.root,
                split,
                self._eval_rules,
                self._corruption(split),
                self.sample_rate,
                self._turn,
            )
        return self._evals[split]

    def _eval_loader(self, split: Split) -> DataLoader[Any]:
        examples = self._eval_examples(split)
        return self._loader(DataLoader, examples, sampler=ShardedSampler(len(examples)), batch_size=1)

    def _loader(self, kind: type[DataLoader[Any]], dataset: Dataset[Any], **options: Any) -> DataLoader[Any]:
        workers, pinned = self._num_workers, torch.cuda.is_available()
        return kind(dataset, **options, num_workers=workers, persistent_workers=workers > 0, pin_memory=pinned)


def restoration_data(source: Callable[..., Source], **options: Any) -> RestorationDataModule:
    """Build source and data module from one flat set of options, as `conf/data/*.yaml` holds them.

    Users write `data.root=...` and `data.years=[2004]`; each option goes to whichever of the two takes a parameter of that
    name, and to both where both do, such as the sample rate.

    Args:
        source: class of the source, or a partial of it.
        **options: parameters of the source and of `RestorationDataModule`.

    Raises:
        TypeError: if neither has a parameter of that name.
    """
    wanted = inspect.signature(source).parameters
    shared = inspect.signature(RestorationDataModule).parameters
    for_source = {name: value for name, value in options.items() if name in wanted}
    rest = {name: value for name, value in options.items() if name in shared or name not in wanted}
    return RestorationDataModule(source(**for_source), **rest)
