"""Keys of the data: those that every data set has, and those of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conf.schema.constructors import keys_named
from conf.schema.corruption import CORRUPTION
from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node, Section
from conf.schema.kinds import Either, Flag, ListOf, Number, OneOf, Only, Place, Span, Whole, constant, nullable
from conf.schema.texts import Text
from datamodules.limits import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

SAMPLE_RATE = Whole(LOWEST_RATE_HZ, HIGHEST_RATE_HZ)
SEED = Whole(0, 2**32 - 1)
RECORDINGS = Key(nullable(Whole(1, 10_000_000)), "How many recordings of this split are used; null: all.", "recordings")
ROOT = needed(Text("a folder"), "Folder of the recordings; the variable AUDIO_DATA_ROOT sets it too.")
LICENSES = Key(
    nullable(ListOf(Text("a license"))),
    "Licenses of the recordings that are used, as the column license_id of a MANIFEST.csv has them; null: all recordings.",
)
SOURCES: dict[str, Keys] = {
    "datamodules.sources.folder.FolderSource": {
        "root": needed(
            Either((Text("a folder"), ListOf(Text("a folder")))),
            "Folder of the recordings, or several; the variable AUDIO_DATA_ROOT sets it too.",
        ),
        "root_weights": Key(
            nullable(ListOf(Number(0, 1e6, above=True))),
            "Share of training windows from each of several folders, up to a factor; null: by length.",
        ),
        "pattern": Key(Text("a pattern"), "Pattern of the names of files, such as piano_*."),
        "license_ids": LICENSES,
    },
    "datamodules.sources.paired.PairedSource": {
        "clean_root": needed(Text("a folder"), "Folder of the clean recordings, which decides the splits."),
        "noisy_root": needed(Text("a folder"), "Folder of their corrupted partners, each with the name of its clean recording."),
        "pattern": Key(Text("a pattern"), "Pattern of the names of clean files, such as p232_*."),
        "license_ids": LICENSES,
    },
    "datamodules.sources.voicebank.VoiceBankSource": {
        "root": ROOT,
        "speakers": Key(Either((Only(28), Only(56))), "How many speakers the training set has.", "speakers"),
        "validation_speakers": Key(
            nullable(ListOf(Text("a speaker"))),
            "Speakers of the training set that validate; null: p226 and p287 of 28, the last two of 56.",
        ),
    },
    "datamodules.sources.vctk.VCTKSource": {
        "root": ROOT,
        "protocol": Key(OneOf(constant("datamodules.sources.vctk", "PROTOCOLS")), "Who trains, validates and tests."),
        "microphone": Key(
            OneOf(constant("datamodules.sources.vctk", "MICROPHONES")), "Which of the two recordings of version 0.92 is used."
        ),
    },
    "datamodules.sources.beethoven.BeethovenSource": {"root": ROOT},
    "datamodules.sources.magnatagatune.MagnaTagATuneSource": {"root": ROOT},
    "datamodules.sources.spear.SpearSource": {"root": ROOT},
    "datamodules.sources.aurora.AuroraSource": {
        "root": needed(Text("a folder"), "Folder of the mixed files; follows cache_dir."),
        "speech_root": needed(Text("a folder"), "Folder of speech, which decides the splits."),
        "noise_root": needed(Text("a folder"), "Folder of noise, each file for the speech of its split."),
        "mix_seed": Key(SEED, "Seed of noises and ratios."),
    },
    "datamodules.sources.maestro.MaestroSource": {
        "root": ROOT,
        "years": Key(
            nullable(Either((Whole(1900, 2100), ListOf(Whole(1900, 2100))))), "Years of the competition that are used; null: all."
        ),
    },
    "datamodules.sources.synthetic.SyntheticSource": {
        "root": ROOT,
        "sample_rate": needed(SAMPLE_RATE, "Sample rate that everything works at.", "Hz"),
        "recordings": Key(Whole(3, 1_000_000), "How many recordings are rendered.", "recordings"),
        "seconds": Key(Number(0, 3600, above=True), "Length of each recording.", "s"),
        "render_seed": Key(SEED, "Seed of the music."),
    },
    "datamodules.sources.sine.SineSource": {
        "root": ROOT,
        "sample_rate": needed(SAMPLE_RATE, "Sample rate that everything works at.", "Hz"),
        "window_samples": needed(Whole(3, 100_000_000), "Length of a training window, and of a rendered frame.", "samples"),
        "recordings": Key(Whole(3, 1_000_000), "How many frames are rendered.", "recordings"),
        "cycles": Key(Span(Whole(1, 100_000)), "Cycles of a sine in a frame, as many frames of each number.", "cycles"),
        "amplitude": Key(Span(Number(0, 1, above=True)), "Amplitude of a sine, drawn for each frame; full scale is 1."),
        "phase": Key(Span(Number(0, 1)), "Phase at the beginning of a frame, drawn for each; [0, 1]: any.", "cycles"),
        "render_seed": Key(SEED, "Seed of amplitudes and phases."),
    },
}
"""By the class of the source; written at the level of the data."""
FACTORY = "datamodules.restoration.restoration_data"


@dataclass(frozen=True)
class SourceNode(Node):
    """The description of a source; most of its keys stand beside it."""

    def keys_of(self, target: str, value: Mapping[str, Any], place: Place) -> Keys:
        """Return the keys of the source, none of which has to be given here.

        Raises:
            SchemaError: as of `Node`.
        """
        return {name: replace(key, required=False) for name, key in super().keys_of(target, value, place).items()}


SOURCE = SourceNode("source", SOURCES, ["datamodules.sources."], partial=True)
DATA: Keys = {
    "source": needed(SOURCE, "Where recordings come from."),
    "corruption": needed(CORRUPTION, "What is done to them; follows the group corruption."),
    "sample_rate": needed(SAMPLE_RATE, "Sample rate that everything works at.", "Hz"),
    "channels": Key(Whole(1, 64), "Channels of a window; files are mixed down or repeated to have as many.", "channels"),
    "channel_layout": Key(
        OneOf(constant("datamodules.channel_layouts", "LAYOUTS")),
        "What two channels are: as recorded, or mean and difference.",
    ),
    "window_samples": Key(Whole(1, 100_000_000), "Length of a training window.", "samples"),
    "batch_size": Key(Whole(1, 100_000), "Windows of a training batch.", "windows"),
    "stride_samples": Key(
        nullable(Whole(1, 100_000_000)),
        "From a training window to the next, each used equally often; null draws them.",
        "samples",
    ),
    "samples_per_epoch": Key(
        nullable(Whole(1, 2**40)), "Training windows of an epoch; null, with stride_samples: every one of them once.", "windows"
    ),
    "num_workers": Key(Whole(0, 1024), "Processes that read windows; 0 reads in the process that trains.", "processes"),
    "cache": Key(
        Either((Flag(), Only("stream"))),
        "Decode every file once, into cache_dir; stream, or false, decodes windows while training.",
    ),
    "cache_dir": Key(Text("a folder"), "Folder of the decoded audio; the variable CLARION_CACHE sets it too."),
    "cache_dtype": Key(OneOf(constant("datamodules.cache_format", "DTYPES")), "How the decoded audio is kept."),
    "eval_seconds": Key(Number(0, 3600, above=True), "Length of a validation and test window.", "s"),
    "eval_windows": Key(Whole(1, 1_000_000), "Validation and test windows of a recording.", "windows"),
    "eval_seed": Key(SEED, "Seed of the corruption of validation and test windows."),
    "silence_db": Key(nullable(Number(-1000, 20)), "Level below which a window is not used; null uses all.", "dB"),
    "level_db": Key(nullable(Span(Number(-200, 200))), "Gain of training windows, drawn for each; null: none.", "dB"),
    "split": Key(
        OneOf(constant("datamodules.catalog", "CATALOGS")),
        "How recordings are divided: each into one split, or all cut apart by time.",
    ),
    "narrow_targets": Key(
        Flag(), "Restore the upper band of recordings too that have nothing there by their MANIFEST.csv; false leaves them out."
    ),
    "allow_duplicates": Key(Flag(), "Let copies of a recording lie in several splits; false keeps equal sound in one."),
    "max_recordings": Key(
        nullable(Section({"train": RECORDINGS, "val": RECORDINGS, "test": RECORDINGS})), "How many recordings are used, by split."
    ),
    "seed": Key(SEED, "Seed of the training windows and their corruption; follows the key seed."),
}


@dataclass(frozen=True)
class DataNode(Node):
    """The description of the data: the keys of the data module, and beside them those of its source."""

    def keys_of(self, target: str, value: Mapping[str, Any], place: Place) -> Keys:
        """Return the keys of the data module and of the source that is named.

        Raises:
            SchemaError: as of `Node`.
        """
        if target != FACTORY:
            return super().keys_of(target, value, place)
        source = value.get("source")
        SOURCE.check(source, place.at("source"))
        named = source["_target_"] if isinstance(source, dict) else ""
        own = SOURCES[named] if named in SOURCES else keys_named(named, False, place.at("source"))
        return {**DATA, **own, **DATA}  # in this order: a root that follows cache_dir is not the one to name


DATA_NODE = DataNode("data module", {FACTORY: DATA}, ["datamodules."])
