"""Shaping a discriminator on refined samples: when it starts, how gently it goes, and when it has done its work.

What it has come to is kept in checkpoints, so that a resumed run goes on where it stopped.
"""

import math

import torch
from torch import Tensor, nn


class Shaping(nn.Module):
    """The second stage of a collaborative GAN, in epochs.

    Args:
        after_epochs: of adversarial training, which come first; 0 shapes from the start, as a run with a base does.
        rate_factor: of the discriminator's learning rate in this stage, relative to the first; 0 leaves it as it is.
        patience: epochs without a smaller loss of the discriminator, after which the stage ends.
        min_delta: of that loss, relative to its best, that counts as smaller.

    Raises:
        ValueError: if a value is out of range.
    """

    def __init__(self, after_epochs: int = 0, rate_factor: float = 0.1, patience: int = 2, min_delta: float = 0.01) -> None:
        super().__init__()
        counted = isinstance(after_epochs, int) and isinstance(patience, int) and after_epochs >= 0 and patience >= 1
        if not counted or not 0 <= rate_factor < math.inf or not 0 <= min_delta < 1:
            raise ValueError(
                f"model.shaping has after_epochs={after_epochs}, rate_factor={rate_factor}, patience={patience}, "
                f"min_delta={min_delta}; epochs must be a whole number from 0 on, the factor at least 0, patience a whole "
                "number from 1 on, and the gain at least 0 and below 1"
            )
        self.after_epochs = after_epochs
        self.rate_factor = rate_factor
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = math.inf
        self.stalled_epochs = 0

    def is_done(self, loss: float) -> bool:
        """Take in the discriminator's mean loss of one epoch of shaping, and say whether the stage ends with it."""
        if loss < self.best_loss * (1 - self.min_delta):
            self.best_loss, self.stalled_epochs = loss, 0
        else:
            self.stalled_epochs += 1
        return self.has_ended

    @property
    def has_ended(self) -> bool:
        """Tell whether the stage ended with the latest epoch."""
        return self.stalled_epochs >= self.patience

    def get_extra_state(self) -> Tensor:
        """Return the best loss and the epochs since, as numbers that any reader of weights takes."""
        return torch.tensor([self.best_loss, self.stalled_epochs], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from there."""
        self.best_loss, self.stalled_epochs = float(state[0]), int(state[1])
