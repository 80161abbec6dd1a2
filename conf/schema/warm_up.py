"""Keys of the group warm_up: when the other losses join the reconstruction loss."""

from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node
from conf.schema.kinds import Number, OneOf, Whole

STEPS = Whole(0, 2**40)
RAMP = Key(STEPS, "Steps over which the other losses then rise to their weights.", "steps")
WARM_UPS: dict[str, Keys] = {
    "lightning_modules.training.warm_up.AfterSteps": {
        "steps": Key(STEPS, "Steps on the reconstruction loss alone.", "steps"),
        "ramp_steps": RAMP,
    },
    "lightning_modules.training.warm_up.WhenBelow": {
        "network": needed(OneOf(("discriminator", "autoencoder")), "Network whose loss is watched; it is trained in this run."),
        "value": needed(Number(-1e6, 1e6), "Below which that loss, averaged over recent steps, has to fall."),
        "memory_steps": Key(Whole(1, 1_000_000), "Steps of that average.", "steps"),
        "ramp_steps": RAMP,
    },
}
WARM_UP = Node("warm-up rule", WARM_UPS, ["lightning_modules."])
BALANCE_ROOM = "lightning_modules.training.balance"
BALANCES: dict[str, Keys] = {
    f"{BALANCE_ROOM}.Weights": {},
    f"{BALANCE_ROOM}.GradientBalance": {
        "decay": Key(Number(0, 1, below=True), "Of the moving means of the terms' gradients, for each step."),
    },
}
BALANCE = Node("balance of the terms", BALANCES, ["lightning_modules."])
