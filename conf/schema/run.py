"""Keys of conf/train.yaml and conf/evaluate.yaml themselves."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from conf.compose import untrained_methods
from conf.schema.callbacks import CALLBACK_GROUP
from conf.schema.constructors import Anything
from conf.schema.corruption import CORRUPTION
from conf.schema.data import DATA_NODE, SEED
from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Section, Table
from conf.schema.kinds import Flag, ListOf, Number, OneOf, Place, Whole, constant, nullable
from conf.schema.logger import LOGGER_GROUP
from conf.schema.metrics import probes, tested, validated
from conf.schema.model import MODEL, RUN
from conf.schema.own_controls import OWN
from conf.schema.texts import FolderName, Identifier, Text
from conf.schema.trainer import TEST_TRAINER_NODE, TRAINER_NODE


@cache
def known_methods(plugins: tuple[str, ...]) -> list[str]:
    """Return the methods without training of this project and of packages; every file is read once."""
    return untrained_methods(plugins)


@dataclass(frozen=True)
class UntrainedMethod(OneOf):
    """The name of a method without training, of this project or of a plugin."""

    def explains(self, value: Any) -> bool:
        """See `Kind`: which names there are depends on the plugins."""
        return isinstance(value, str)

    def check(self, value: Any, place: Place) -> None:
        """Refuse another name.

        Raises:
            SchemaError: naming the key, the value and what is allowed.
        """
        OneOf([*known_methods(tuple(place.plugins)), OWN]).check(value, place)


EPOCHS = Whole(0, 10_000_000)
NAME = nullable(Text())
CHOICE = Key(NAME, "Name of the file that was chosen; set by Hydra.")
COMMON: Keys = {
    "seed": needed(SEED, "Seed of everything random."),
    "run_name": needed(FolderName(), "Name of the run, and of its folder."),
    "run_dir": needed(Text("a folder"), "Folder of the run; follows hydra.run.dir."),
    "job_type": needed(NAME, "Kind of the job, to W&B."),
    "group": needed(NAME, "Group of runs, to W&B; the jobs of a sweep get the sweep's name."),
    "run_id": needed(NAME, "Identity of the run; set by the run itself."),
    "examples": needed(Whole(0, 100_000), "Test pairs that are written as audio and pictures.", "pairs"),
    "test_probes": needed(nullable(ListOf(OneOf(probes), 0)), "Probes that methods are asked, each a column; null: all."),
    "test_perceptual_pairs": needed(
        Whole(0, 100_000), "Test pairs, evenly spread, that the packages of the extra `perceptual` score at most.", "pairs"
    ),
    "test_perceptual_kind": needed(
        OneOf(constant("lightning_modules.metrics.perceptual.panel", "CHOICES")),
        "What those are told that the recordings are; auto: what the data set, or the MANIFEST.csv of a folder, says.",
    ),
    "baselines": needed(
        ListOf(UntrainedMethod(lambda: [*known_methods(()), OWN]), 0),
        "Methods without training that are scored on the same pairs; own: those that are made for the corruption.",
    ),
    "plugins": needed(ListOf(Identifier(), 0), "Installed packages whose classes may be named beside this project's."),
    "choices": needed(Section({"model": CHOICE, "data": CHOICE, "corruption": CHOICE}), "Names of the files that were chosen."),
}
TRAIN: Keys = {
    **COMMON,
    "resume": needed(
        nullable(Text()), "auto: the newest unfinished run of this configuration; or a run folder; null: a new run."
    ),
    "from_run": needed(
        nullable(Text("a run folder")), "Run whose configuration this one has, but for what the command line says; null: none."
    ),
    "init_from": needed(RUN, "Whose weights a new run starts from, where names and shapes agree; null: its own."),
    "freeze": needed(
        nullable(ListOf(Text())), "Patterns of the names of parameters that stay as they are, such as net.down.*; null: none."
    ),
    "monitor": needed(OneOf(validated), "Metric that decides the best epoch, early stopping and the verdict."),
    "mode": needed(OneOf(("max", "min")), "Its better direction."),
    "objectives": needed(ListOf(OneOf(validated)), "Metrics, of the best epoch, that a sweep chooses by."),
    "prune_after_epochs": needed(
        nullable(EPOCHS), "Epochs after which a job worse than the median is ended; null: none.", "epochs"
    ),
    "sweep_hours": needed(
        nullable(Number(0, 100_000)), "Once they are spent no further job of a sweep begins; null: no end.", "h"
    ),
    "dry_run": needed(
        Flag(), "Tell the disk that the training, or all jobs of a sweep, will need, of a sweep the time too, and train nothing."
    ),
    "rerun": needed(Flag(), "Repeat jobs of a sweep that have their result."),
    "refinement_steps": needed(Whole(0, 10_000), "Steps of a collaborative GAN; model.refinement.steps follows it.", "steps"),
    "ema_decay": needed(
        nullable(Number(0, 1, above=True, below=True)), "Decay of the averaged weights that are evaluated; null: no average."
    ),
    "compile": needed(Flag(), "Train with what torch.compile can take of the networks; checkpoints are the same."),
    "keep_checkpoints": needed(
        OneOf(constant("lightning_modules.runs.kept_files", "KEPT")),
        "Checkpoints that stay once the run has come to its end: best, to evaluate and restore; last, to train on; both; none.",
    ),
    "checkpoint_every_minutes": needed(
        nullable(Number(0, 1e6, above=True)),
        "From one checkpoint within an epoch to the next; null: only the end of an epoch, or a signal, writes one.",
        "minutes",
    ),
    "trainer": needed(TRAINER_NODE, "Lightning's trainer; the group trainer."),
    "corruption": needed(CORRUPTION, "What is done to clean audio; the group corruption."),
    "data": needed(DATA_NODE, "The recordings; the group data."),
    "model": needed(MODEL, "The method; the group model."),
    "test_trainer": needed(TEST_TRAINER_NODE, "Lightning's trainer for the test."),
    "logger": Key(LOGGER_GROUP, "Trackers by name; the group logger; null: none."),
    "callbacks": Key(CALLBACK_GROUP, "What watches the training beside the callbacks of every run; the group callbacks."),
}
EVALUATE: Keys = {
    **COMMON,
    "checkpoint": needed(nullable(Text("a checkpoint file or a run folder")), "What is evaluated; null: model."),
    "steps": needed(nullable(ListOf(Whole(0, 10_000))), "Steps after which a method in steps has a further row.", "steps"),
    "conditions": needed(
        nullable(Table(Anything(), "keys of the corruption")),
        "Lists of values by key of the corruption, or data.KEY of the source, each combination evaluated by itself; null: none.",
    ),
    "step_size": needed(
        nullable(Number(0, 1e6, above=True)), "Step of the refinement of a collaborative GAN; null: the checkpoint's."
    ),
    "test_deep_features": needed(RUN, "A run of model=deep_feature_mel: its classifier's features are compared too; null: none."),
    "monitor": needed(OneOf(tested), "Metric of the verdict."),
    "trainer": needed(TEST_TRAINER_NODE, "Lightning's trainer for the test; the group trainer."),
    "corruption": needed(CORRUPTION, "What is done to clean audio; the group corruption."),
    "data": needed(DATA_NODE, "The recordings; the group data."),
    "model": Key(nullable(MODEL), "A method without training; the group model."),
    "logger": Key(LOGGER_GROUP, "Trackers by name; the group logger; null: none."),
    "callbacks": Key(CALLBACK_GROUP, "What watches the test; the group callbacks."),
}
