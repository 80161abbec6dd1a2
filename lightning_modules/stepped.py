"""A trained method that works in steps, any of which may be the last: a dial between the input and the restored signal."""

import torch
from torch import Tensor

from lightning_modules.base import RestorationModule
from lightning_modules.regression import RegressionModule
from lightning_modules.stepwise import Stepwise
from models.layers.counts import check_count
from models.restorer import Restorer, SteppedRestorer


class AtStep(Restorer):
    """A network that stops after some of its steps.

    Args:
        net: works in steps.
        step: how many it takes; more than usual are finer ones.
    """

    def __init__(self, net: SteppedRestorer, step: int) -> None:
        super().__init__()
        self.net, self.step = net, step
        self.identity_at_start, self.level_free = net.identity_at_start, net.level_free
        self.channels, self.min_samples = net.channels, net.min_samples

    @property
    def reach_samples(self) -> int:
        """After so many steps."""
        return self.net.reach_at(self.step)

    @property
    def grid_samples(self) -> int:
        """That of the network."""
        return self.net.grid_samples

    def forward(self, corrupted: Tensor) -> Tensor:
        """Map (B, C, T) to the estimate (B, C, T) after the step."""
        return self.net.estimate_at(corrupted, self.step)


class SteppedModule(RegressionModule, Stepwise):
    """Offer every step of a network; subclasses say how it is trained.

    The arguments are those of `RegressionModule`.
    """

    net: SteppedRestorer

    @property
    def steps(self) -> int:
        """How many the network usually takes."""
        return self.net.steps

    def with_num_steps(self, steps: int) -> RestorationModule:
        """Return this method stopped after some of its steps; 0 returns the input, more than usual are finer ones.

        Raises:
            ValueError: if there are fewer than 0, or a part of one.
        """
        check_count("steps", steps, lowest=0)
        stopped = RestorationModule(AtStep(self.net, steps), self.sample_rate)
        return stopped.to(self.device).train(self.training)  # a new module takes itself to be on the CPU

    def estimates(self, corrupted: Tensor) -> Tensor:
        """Return the input and the estimates after every step, (T + 1, B, C, T), of a signal (B, C, T)."""
        return torch.cat([corrupted[None].float(), self.net.estimates(corrupted).float()])
