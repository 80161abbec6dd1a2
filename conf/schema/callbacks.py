"""Keys of the group callbacks: what watches a training beside the callbacks of every run."""

from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node, Table
from conf.schema.kinds import Flag, Number, OneOf, Whole, nullable
from conf.schema.metrics import validated
from conf.schema.texts import Text

CALLBACKS: dict[str, Keys] = {
    "pytorch_lightning.callbacks.EarlyStopping": {
        "monitor": needed(OneOf(validated), "Metric that is watched; follows the key monitor."),
        "mode": Key(OneOf(("max", "min")), "Its better direction; follows the key mode."),
        "patience": Key(Whole(0, 10_000_000), "Validations without improvement that end the training.", "validations"),
        "min_delta": Key(Number(0, 1e9), "Change that counts as an improvement."),
        "verbose": Key(Flag(), "Tell of every improvement."),
        "strict": Key(Flag(), "Stop with an error where the metric is missing."),
        "check_finite": Key(Flag(), "Stop where the metric is not finite."),
        "stopping_threshold": Key(nullable(Number(-1e9, 1e9)), "Value that is good enough to stop; null: none."),
        "divergence_threshold": Key(nullable(Number(-1e9, 1e9)), "Value that is bad enough to stop; null: none."),
        "check_on_train_epoch_end": Key(nullable(Flag()), "Look at the end of an epoch, not of a validation; null: as needed."),
        "log_rank_zero_only": Key(Flag(), "Tell in the first process alone."),
    },
    "pytorch_lightning.callbacks.DeviceStatsMonitor": {"cpu_stats": Key(nullable(Flag()), "Log the CPU beside a GPU too.")},
    "lightning_modules.callbacks.stereo_learning.StereoLearning": {
        "every_steps": Key(Whole(1, 10_000_000), "From one look at mid and side to the next.", "steps"),
        "frame_every_steps": Key(Whole(1, 10_000_000), "From one frame of the animation to the next; a multiple of it.", "steps"),
        "window_samples": Key(Whole(1, 1_000_000), "Length of the window that is shown.", "samples"),
    },
    "lightning_modules.callbacks.profiler.BatchProfiler": {
        "folder": needed(Text("a folder"), "Where profile.txt and profile.json are written; follows run_dir."),
        "first_batch": Key(Whole(0, 10_000_000), "Batches before the first that is measured.", "batches"),
        "batches": Key(Whole(1, 1000), "How many are measured.", "batches"),
    },
}
"""Of others, of Lightning or of a plugin, the constructors say what they take."""
CALLBACK_GROUP = nullable(
    Table(Node("callback", CALLBACKS, ["pytorch_lightning.callbacks.", "lightning_modules.callbacks."]), "callbacks by name")
)
