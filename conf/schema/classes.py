"""Every class that is declared, by its dotted path."""

from conf.schema.callbacks import CALLBACKS
from conf.schema.corruption import CORRUPTIONS
from conf.schema.data import DATA_NODE, SOURCES
from conf.schema.declaration import Keys
from conf.schema.logger import LOGGERS
from conf.schema.model import CLASSIFIER, RECIPES, REFINEMENT, SHAPING
from conf.schema.networks import DISCRIMINATORS, NETWORK
from conf.schema.optimizing import OPTIMIZERS, SCHEDULERS
from conf.schema.trainer import TRAINER_NODE
from conf.schema.warm_up import BALANCES, WARM_UPS

GROUPS: dict[str, dict[str, Keys]] = {
    "trainer": dict(TRAINER_NODE.classes),
    "data": {**DATA_NODE.classes, **SOURCES},
    "corruption": CORRUPTIONS,
    "model": {**RECIPES, **REFINEMENT.classes, **SHAPING.classes},
    "model.net, autoencoder": dict(NETWORK.classes),
    "model.classifier": dict(CLASSIFIER.classes),
    "discriminator": DISCRIMINATORS,
    "optimizer": OPTIMIZERS,
    "scheduler": SCHEDULERS,
    "warm_up": WARM_UPS,
    "balance": BALANCES,
    "logger": LOGGERS,
    "callbacks": CALLBACKS,
}
"""By the group of the configuration whose files describe them."""
CLASSES: dict[str, Keys] = {target: keys for classes in GROUPS.values() for target, keys in classes.items()}
