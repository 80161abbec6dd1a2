"""Keys of the group callbacks: what watches a training beside the callbacks of every run."""

from conf.schema.declaration import Keys
from conf.schema.keys import Node, Table
from conf.schema.kinds import nullable

CALLBACKS: dict[str, Keys] = {}
"""None is declared; their constructors say what they take."""
CALLBACK_GROUP = nullable(
    Table(Node("callback", CALLBACKS, ["pytorch_lightning.callbacks.", "lightning_modules.callbacks."]), "callbacks by name")
)
