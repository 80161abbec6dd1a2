"""Keys of the group logger: trackers of a run, by name."""

from typing import Any

from conf.schema.declaration import Key, Keys
from conf.schema.keys import Node, Table
from conf.schema.kinds import Flag, ListOf, OneOf, Place, Whole, nullable
from conf.schema.texts import Text

FOLDER = Key(Text("a folder"), "Folder of its files; follows run_dir.")
LOGGERS: dict[str, Keys] = {
    "pytorch_lightning.loggers.CSVLogger": {
        "save_dir": FOLDER,
        "name": Key(nullable(Text()), "Name of the folder within."),
        "version": Key(nullable(Text()), "Name of the folder within that; null: version_0, and one more at every resume."),
        "prefix": Key(Text(), "Begins the name of every value."),
        "flush_logs_every_n_steps": Key(Whole(1, 10_000_000), "Steps after which lines are written.", "steps"),
    },
    "pytorch_lightning.loggers.TensorBoardLogger": {
        "save_dir": FOLDER,
        "name": Key(nullable(Text()), "Name of the folder within."),
        "version": Key(nullable(Text()), "Name of the folder within that; null: version_0, and one more at every resume."),
        "default_hp_metric": Key(Flag(), "Write a score of -1 before there is one."),
        "prefix": Key(Text(), "Begins the name of every value."),
    },
    "lightning_modules.runs.tracking.open_wandb": {
        "project": Key(nullable(Text()), "Project of W&B."),
        "entity": Key(nullable(Text()), "User or team of W&B; null: your own."),
        "name": Key(nullable(Text()), "Name of the run; follows run_name."),
        "save_dir": FOLDER,
        "offline": Key(Flag(), "Write files to be uploaded by `wandb sync`; false uploads at once."),
        "id": Key(nullable(Text()), "Identity of the run; follows run_id."),
        "resume": Key(nullable(OneOf(("allow", "must", "never", "auto"))), "Whether a run of this identity is continued."),
        "group": Key(nullable(Text()), "Group of runs; follows group."),
        "job_type": Key(nullable(Text()), "Kind of the job; follows job_type."),
        "tags": Key(nullable(ListOf(Text(), 0)), "Tags of the run."),
        "notes": Key(nullable(Text()), "Notes on the run."),
        "log_model": Key(Flag(), "Upload checkpoints."),
        "prefix": Key(Text(), "Begins the name of every value."),
    },
}
NAMED = dict(zip(("csv", "tensorboard", "wandb"), LOGGERS, strict=True))
"""The choices of the group logger."""
LOGGER = Node("logger", LOGGERS, ["pytorch_lightning.loggers.", "lightning_modules."])


class NamedLoggers(Table):
    """Loggers by name; one alone may stand without."""

    def check(self, value: Any, place: Place) -> None:
        """Refuse what describes no logger."""
        if isinstance(value, dict) and "_target_" in value:
            self.entry.check(value, place)
        else:
            super().check(value, place)


LOGGER_GROUP = nullable(NamedLoggers(LOGGER, "loggers"))
