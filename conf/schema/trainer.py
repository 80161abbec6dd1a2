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
    "barebones": "use logger=null, examples=0 and trainer.enable_progress_bar=false, or callbacks=profiler",
    "min_steps": "use trainer.min_epochs",
    "gradient_clip_val": "use model.gradient_clip_norm, or model.gradient_clip_norms of a method of several networks",
    "gradient_clip_algorithm": "gradients are clipped by their norm: model.gradient_clip_norm or model.gradient_clip_norms",
    "profiler": "use callbacks=profiler",
    "default_root_dir": "use hydra.run.dir",
    "limit_predict_batches": "restore.py restores files",
    "plugins": "the list plugins names packages whose classes may be used",
    "enable_checkpointing": "the best and the last epoch are always kept",
    "reload_dataloaders_every_n_epochs": "every epoch has windows of its own already",
    "enable_autolog_hparams": "the whole configuration is logged, once; choose where with the group logger",
    "model_registry": "checkpoints lie in the folder of the run, hydra.run.dir; resume takes such a folder",
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
        "Length of the training; null: 20, or as many as fit into max_steps and max_time; -1: without limit, which needs one of "
        "those.",
        "epochs",
    ),
    "min_epochs": Key(
        nullable(Whole(1, 10_000_000)), "Epochs before which nothing but max_steps and max_epochs ends the training.", "epochs"
    ),
    "max_steps": Key(
        nullable(Whole(1, 2**40)),
        "Length of the training in batches, however many networks take a step in each; null: max_epochs decides.",
        "batches",
    ),
    "max_time": Key(nullable(Duration()), "Time after which the training ends.", "DD:HH:MM:SS"),
    "limit_train_batches": Key(BATCHES, f"Batches of an epoch: {NUMBER_OF_BATCHES}.", "batches"),
    "limit_val_batches": Key(BATCHES, f"Validation pairs: {NUMBER_OF_BATCHES}.", "pairs"),
    "check_val_every_n_epoch": Key(Whole(1, 10_000_000), "Epochs from one validation to the next.", "epochs"),
    "val_check_interval": Key(
        nullable(Either((Whole(1, 2**40), Number(0, 1, above=True)))),
        "Batches from one validation to the next, counted over all epochs, or with a point a share of an epoch; null: the end of "
        "an epoch.",
        "batches",
    ),
    "fast_dev_run": Key(
        Either((Flag(), Whole(1, 1_000_000))),
        "Try everything with so many batches and pairs (true: 1), and keep nothing.",
        "batches",
    ),
    "overfit_batches": Key(
        Either((Whole(0, 2**40), Number(0, 1))),
        "Train on the first batches alone, the same in every epoch, and validate as many pairs; with a point their share; "
        "0: train on all.",
        "batches",
    ),
    "num_sanity_val_steps": Key(Whole(0, 1_000_000), "Validation pairs tried before the training.", "pairs"),
    "log_every_n_steps": Key(Whole(1, 10_000_000), "Steps from one line of the loggers to the next.", "steps"),
    "accumulate_grad_batches": Key(
        Whole(1, 100_000), "Batches whose gradients are added up for a step; 1 with several networks.", "batches"
    ),
    "deterministic": Key(
        nullable(Either((Flag(), OneOf(("warn",))))), "Refuse operations that do not give the same bits again; warn: name them."
    ),
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
