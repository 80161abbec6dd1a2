"""Keys of Lightning's trainer, for training and for the test."""

from conf.schema.declaration import Key, Keys
from conf.schema.keys import Node
from conf.schema.kinds import Either, Flag, Number, OneOf, Only, Whole, nullable
from conf.schema.texts import Duration

BATCHES = nullable(Either((Whole(1, 2**40), Number(0, 1, above=True))))
NUMBER_OF_BATCHES = "a whole number is a number of batches, one with a point their share; null takes all"
INSTEAD = {
    "logger": "choose with logger=csv, logger=wandb or logger=[csv,wandb]",
    "callbacks": "add to the group callbacks; those of every run are always there",
    "fast_dev_run": "use trainer=smoke",
    "barebones": "use trainer=smoke",
    "overfit_batches": "use data.max_recordings.train and data.samples_per_epoch",
    "max_steps": "use trainer.max_epochs with data.samples_per_epoch or trainer.limit_train_batches, or trainer.max_time",
    "min_steps": "use trainer.min_epochs",
    "val_check_interval": "use data.samples_per_epoch, which is the length of an epoch, or trainer.check_val_every_n_epoch",
    "gradient_clip_val": "use model.gradient_clip_norm",
    "gradient_clip_algorithm": "use model.gradient_clip_norm",
    "default_root_dir": "use hydra.run.dir",
    "limit_predict_batches": "restore.py restores files",
    "plugins": "the list plugins names packages whose classes may be used",
    "enable_checkpointing": "the best and the last epoch are always kept",
    "reload_dataloaders_every_n_epochs": "every epoch has windows of its own already",
}
"""By an argument of Lightning's that is no key: what to use in its place."""
ACCELERATOR = Key(OneOf(("auto", "cpu", "gpu", "cuda", "mps")), "What is computed on; auto: a GPU where there is one.")
NEVER = Key(Only(False), "Always false: the data module divides the windows among processes itself.")
COMMON: Keys = {
    "accelerator": ACCELERATOR,
    "devices": Key(Either((Whole(1, 1024), OneOf(("auto",)))), "How many processors are used; auto: every GPU.", "processors"),
    "limit_test_batches": Key(BATCHES, f"Test pairs that are scored: {NUMBER_OF_BATCHES}.", "pairs"),
    "enable_progress_bar": Key(Flag(), "Show a progress bar."),
    "enable_model_summary": Key(Flag(), "Show Lightning's table of layers."),
    "use_distributed_sampler": NEVER,
}
TRAINER: Keys = {
    **COMMON,
    "precision": Key(
        OneOf(("auto", "32-true", "bf16-mixed", "16-mixed")),
        "Numbers that are computed with; auto: bf16-mixed where the hardware computes in bf16, else 32-true.",
    ),
    "strategy": Key(
        OneOf(("auto", "ddp", "ddp_find_unused_parameters_true", "ddp_find_unused_parameters_false")),
        "How several processors share the work.",
    ),
    "num_nodes": Key(Whole(1, 10_000), "How many machines share the work.", "machines"),
    "max_epochs": Key(
        nullable(Either((Whole(1, 10_000_000), Whole(-1, -1)))),
        "Length of the training; null: 20, or as many as fit into max_time; -1: without limit, which needs max_time.",
        "epochs",
    ),
    "min_epochs": Key(nullable(Whole(1, 10_000_000)), "Epochs before which nothing ends the training.", "epochs"),
    "max_time": Key(nullable(Duration()), "Time after which the training ends.", "DD:HH:MM:SS"),
    "limit_train_batches": Key(BATCHES, f"Batches of an epoch: {NUMBER_OF_BATCHES}.", "batches"),
    "limit_val_batches": Key(BATCHES, f"Validation pairs: {NUMBER_OF_BATCHES}.", "pairs"),
    "check_val_every_n_epoch": Key(Whole(1, 10_000_000), "Epochs from one validation to the next.", "epochs"),
    "num_sanity_val_steps": Key(Whole(0, 1_000_000), "Validation pairs tried before the training.", "pairs"),
    "log_every_n_steps": Key(Whole(1, 10_000_000), "Steps from one line of the loggers to the next.", "steps"),
    "accumulate_grad_batches": Key(Whole(1, 100_000), "Batches whose gradients are added up for a step.", "batches"),
    "deterministic": Key(nullable(Flag()), "Refuse operations that do not give the same bits again."),
    "benchmark": Key(nullable(Flag()), "Let cuDNN try which convolutions are fastest."),
    "detect_anomaly": Key(Flag(), "Look for the operation that made a NaN; slow."),
    "sync_batchnorm": Key(Flag(), "Share the statistics of batch normalization among processes."),
    "inference_mode": Key(Flag(), "Validate without any record of gradients."),
}
TEST_TRAINER: Keys = {
    **COMMON,
    "devices": Key(Whole(1, 1), "The test runs in one process.", "processors"),
    "precision": Key(OneOf(("32-true",)), "Always float32, so that a result is what restore.py computes."),
    "enable_checkpointing": Key(Only(False), "Always false: a test writes no checkpoint."),
}
CLASS = "pytorch_lightning.Trainer"
TRAINER_NODE = Node("trainer", {CLASS: TRAINER}, ["pytorch_lightning."], instead=INSTEAD)
TEST_TRAINER_NODE = Node("trainer", {CLASS: TEST_TRAINER}, ["pytorch_lightning."], instead=INSTEAD)
