"""Methods that are fitted to each clip: their training, if one calls it that, is what restores it."""

from copy import copy

from lightning_modules.base import RestorationModule
from lightning_modules.stepwise import Stoppable
from models.deep_prior import DeepPrior
from models.layers.counts import check_count


class FittedModule(Stoppable):
    """A network that is fitted anew to whatever it restores, in a number of steps that may be chosen."""

    net: DeepPrior

    @property
    def steps(self) -> int:
        """Of a fit, at most."""
        return self.net.steps

    def with_num_steps(self, steps: int) -> RestorationModule:
        """Return this method with fits of at most so many steps; from fewer than 2 it returns the input.

        Raises:
            ValueError: if there are fewer than 0, or a part of one.
        """
        check_count("steps", steps, lowest=0)
        net = copy(self.net)
        net.steps = steps
        return FittedModule(net, self.sample_rate).to(self.device).train(self.training)
