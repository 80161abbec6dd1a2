"""Train with compiled parts, and validate without: pairs have lengths of their own, each of which would be compiled for."""

import warnings
from contextlib import ExitStack

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from lightning_modules.base import RestorationModule

OPTIONS = {"fallback_random": True}
"""Of torch's compiler: dropout draws what it draws without."""
_OWN_LOOK = "The .grad attribute of a Tensor that is not a leaf"
"""What torch warns of when its compiler looks at what goes into a part, as if it were the user's mistake."""


class Compiling(Callback):
    """Compile the parts of a method that can be, for the time of its training."""

    def __init__(self) -> None:
        self._quiet = ExitStack()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compile them when they are called."""
        assert isinstance(pl_module, RestorationModule)
        self._quiet.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", _OWN_LOOK, UserWarning)
        compile_parts(pl_module)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compute as without."""
        torch.compiler.set_stance("force_eager")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Go on with compiled code."""
        torch.compiler.set_stance("default")

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave what this process does next as it is, where a validation failed too."""
        torch.compiler.set_stance("default")
        self._quiet.close()


def compile_parts(module: RestorationModule) -> None:
    """Have the parts of a method compiled when they are called for the first time; names of weights stay as they are."""
    for part in module.compiled_parts:
        part.compile(options=OPTIONS)
