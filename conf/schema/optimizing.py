"""Keys of the groups optimizer and scheduler."""

from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node
from conf.schema.kinds import Flag, ListOf, Number, OneOf, Whole, nullable

RATE = Number(0, 10)
SHARED: Keys = {
    "lr": Key(RATE, "Learning rate."),
    "betas": Key(ListOf(Number(0, 1, below=True), 2, 2), "Decay of the running means of gradients and of their squares."),
    "eps": Key(Number(0, 1), "Added to the denominator."),
    "weight_decay": Key(Number(0, 1000), "Factor of the weights that is taken off at each step, times the rate."),
    "amsgrad": Key(Flag(), "Divide by the largest mean square so far."),
    "foreach": Key(nullable(Flag()), "Step all weights together; null: where it is faster."),
    "maximize": Key(Flag(), "Climb in place of descending."),
    "capturable": Key(Flag(), "Allow the step in a CUDA graph."),
    "differentiable": Key(Flag(), "Keep gradients through the step."),
    "fused": Key(nullable(Flag()), "Use the fused kernel; null: where there is one."),
}
OPTIMIZERS: dict[str, Keys] = {
    "torch.optim.Adam": {**SHARED, "decoupled_weight_decay": Key(Flag(), "Decay weights as AdamW does.")},
    "torch.optim.AdamW": SHARED,
    "torch.optim.SGD": {
        **{name: key for name, key in SHARED.items() if name not in ("betas", "eps", "amsgrad", "capturable")},
        "momentum": Key(Number(0, 1, below=True), "Share of the step before."),
        "dampening": Key(Number(0, 1), "Share of a gradient that is left out of the momentum."),
        "nesterov": Key(Flag(), "Look ahead by the momentum, which must be above 0, without dampening."),
    },
    "torch.optim.RMSprop": {
        **{name: key for name, key in SHARED.items() if name not in ("betas", "amsgrad", "fused")},
        "alpha": Key(Number(0, 1), "Decay of the running mean of the squares of gradients."),
        "momentum": Key(Number(0, 1, below=True), "Share of the step before."),
        "centered": Key(Flag(), "Divide by the deviation of gradients in place of their root mean square."),
    },
    "lightning_modules.training.muon.Muon": {
        **{name: SHARED[name] for name in ("lr", "betas", "eps", "weight_decay")},
        "momentum": Key(Number(0, 1, below=True), "Decay of the running mean of the gradients of matrices."),
    },
}
EPOCHS = Whole(0, 10_000_000)
SCHEDULES = "torch.optim.lr_scheduler."
SCHEDULERS: dict[str, Keys] = {
    f"{SCHEDULES}CosineAnnealingLR": {
        "T_max": needed(
            Whole(1, 2**40),
            "Epochs until the rate is at its lowest; follows trainer.max_epochs, or trainer.max_steps and then counts batches, "
            "or trainer.max_time alone and then counts seconds.",
            "epochs",
        ),
        "eta_min": Key(RATE, "Lowest learning rate."),
        "last_epoch": Key(Whole(-1, 10_000_000), "Epoch to begin after; -1 begins.", "epochs"),
    },
    f"{SCHEDULES}ReduceLROnPlateau": {
        "mode": Key(OneOf(("min", "max")), "Direction in which the monitored metric is better; follows mode."),
        "factor": Key(Number(0, 1, above=True, below=True), "By which the rate is multiplied."),
        "patience": Key(EPOCHS, "Validations without improvement before that.", "validations"),
        "threshold": Key(Number(0, 1000), "Smallest change that is an improvement."),
        "threshold_mode": Key(OneOf(("rel", "abs")), "Whether that is a share of the best value, or a difference."),
        "cooldown": Key(EPOCHS, "Validations to wait after a reduction.", "validations"),
        "min_lr": Key(RATE, "Lowest learning rate."),
        "eps": Key(RATE, "Reductions smaller than this are left out."),
    },
}
OPTIMIZER = Node("optimizer", OPTIMIZERS, ["torch.optim.", "lightning_modules.training.muon."], partial=True)
SCHEDULER = Node("schedule", SCHEDULERS, [SCHEDULES], partial=True)
