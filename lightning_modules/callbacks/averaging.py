"""An exponential moving average of the weights, which is what is validated, kept and used; training goes on with the weights.

average <- d * average + (1 - d) * weights after every step, starting from the weights after the first. After n averaged steps
d = min(decay, (1 + n) / (10 + n)): the average of a short training is not held back by its first weights (as TensorFlow's
ExponentialMovingAverage has it with num_updates). Running statistics are averaged like weights; whole numbers, such as counts of
batches, are taken over as they are.
"""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, WeightAveraging
from torch import Tensor

WEIGHTS = "current_model_state"
"""Where a checkpoint has the weights that an average was taken of."""


class WeightEMA(WeightAveraging):
    """Average the weights after every step, all tensors in one call, on the device that trains.

    Lightning's own average takes one call per tensor, and stays on the CPU when the weights move to a GPU after `setup`.

    Args:
        decay: largest weight of the average before a step, between 0 and 1.

    Raises:
        ValueError: if it is not between 0 and 1.
    """

    def __init__(self, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"ema_decay={decay} must lie between 0 and 1; null trains without an average")
        super().__init__(multi_avg_fn=_average(decay))

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on with the average, or begin one with the weights of a run that had none."""
        if WEIGHTS in checkpoint:
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
        elif self._average_model is not None:
            self._average_model.module.load_state_dict(checkpoint["state_dict"])

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Move the average to the device of the weights, after both were restored from a checkpoint."""
        assert self._average_model is not None
        self._average_model.to(pl_module.device)

    def average_of(self, network: str) -> dict[str, Tensor]:
        """Return the averaged weights of one network, by its attribute of the module that trains, such as net."""
        assert self._average_model is not None
        return self._average_model.module.get_submodule(network).state_dict()


class NoAverage(Callback):
    """Go on with the weights where a run averages no more, not with the average, which a checkpoint has in their place."""

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Load them."""
        if WEIGHTS in checkpoint:
            pl_module.load_state_dict(checkpoint[WEIGHTS])


def _average(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor | int], None]:
    """Return the update of averages by their current values, all of one dtype, in place."""

    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], updates: Tensor | int) -> None:
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, current, 1 - min(decay, (1 + int(updates)) / (10 + int(updates))))
        else:
            torch._foreach_copy_(averages, current)

    return update
