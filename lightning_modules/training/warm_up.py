"""When the adversarial and feature losses join the reconstruction loss: a rule over steps or losses, with a ramp.

How far a rule has come is part of its state, so that a resumed run goes on where it stopped. It is counted in plain numbers:
reading a tensor in every step would make the processor wait for the GPU.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class WarmUp(nn.Module):
    """A weight between 0 and 1 for the composite losses; subclasses say when it leaves 0.

    Args:
        ramp_steps: over how many steps it rises from 0 to 1; 0 switches at once.

    Raises:
        ValueError: if it is negative.
    """

    def __init__(self, ramp_steps: int = 0) -> None:
        super().__init__()
        if ramp_steps < 0:
            raise ValueError(f"model.warm_up.ramp_steps={ramp_steps} must not be negative")
        self.ramp_steps = ramp_steps
        self.steps_taken = 0
        self.started_at = -1  # not yet

    def forward(self, losses: Mapping[str, Tensor]) -> float:
        """Take one step and return the weight for it.

        Args:
            losses: () the losses of the other networks at this step, by network; those that `depends_on` names are enough.
        """
        if self.started_at < 0 and self.should_start(losses):
            self.started_at = self.steps_taken
        since = self.steps_taken - self.started_at if self.started_at >= 0 else -1
        self.steps_taken += 1
        if since < 0:
            return 0.0
        return 1.0 if since >= self.ramp_steps else (since + 1) / (self.ramp_steps + 1)

    def should_start(self, losses: Mapping[str, Tensor]) -> bool:
        """Say whether the composite losses start at this step; asked until they do."""
        raise NotImplementedError

    def depends_on(self) -> tuple[str, ...]:
        """Name the networks whose losses decide the next step."""
        return ()

    def check(self, networks: Sequence[str]) -> None:
        """Refuse a run in which the rule could never be asked.

        Args:
            networks: that are trained in the run.
        """

    def get_extra_state(self) -> Tensor:
        """Return the steps taken and the one at which the losses started, as numbers that any reader of weights takes."""
        return torch.tensor([self.steps_taken, self.started_at], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from there."""
        self.steps_taken, self.started_at = (int(value) for value in state[:2])


class AfterSteps(WarmUp):
    """Start after a number of steps.

    Args:
        steps: trained on the reconstruction loss alone.
        ramp_steps: see `WarmUp`.

    Raises:
        ValueError: if a number is negative.
    """

    def __init__(self, steps: int = 0, ramp_steps: int = 0) -> None:
        super().__init__(ramp_steps)
        if steps < 0:
            raise ValueError(f"model.warm_up.steps={steps} must not be negative")
        self.steps = steps

    def should_start(self, losses: Mapping[str, Tensor]) -> bool:
        """Count steps."""
        return self.steps_taken >= self.steps


class WhenBelow(WarmUp):
    """Start when the loss of another network, averaged over recent steps, has fallen below a value.

    Args:
        network: whose loss: discriminator or autoencoder.
        value: of that loss.
        memory_steps: time constant of the average; nothing starts before as many steps.
        ramp_steps: see `WarmUp`.

    Raises:
        ValueError: if `value` is no number, `memory_steps` is below 1 or `ramp_steps` negative.
    """

    def __init__(self, network: str, value: float, memory_steps: int = 50, ramp_steps: int = 0) -> None:
        super().__init__(ramp_steps)
        if math.isnan(value):
            raise ValueError(f"model.warm_up.value={value} must be a number, below which the loss can fall")
        if memory_steps < 1:
            raise ValueError(f"model.warm_up.memory_steps={memory_steps} must be at least 1")
        self.network = network
        self.value = value
        self.memory_steps = memory_steps
        self.average = 0.0

    def should_start(self, losses: Mapping[str, Tensor]) -> bool:
        """Follow the loss."""
        weight = 1 / min(self.steps_taken + 1, self.memory_steps)
        self.average += weight * (float(losses[self.network]) - self.average)
        return self.steps_taken + 1 >= self.memory_steps and self.average < self.value

    def depends_on(self) -> tuple[str, ...]:
        """Name the network until the losses have started."""
        return (self.network,) if self.started_at < 0 else ()

    def check(self, networks: Sequence[str]) -> None:
        """Refuse a run that does not train the network in question.

        Raises:
            ValueError: naming those it trains.
        """
        others = [name for name in networks if name != "generator"]
        if self.network not in others:
            trained = ", ".join(others) or "none"
            raise ValueError(f"model.warm_up.network={self.network} is not trained in this run; beside the generator: {trained}")

    def get_extra_state(self) -> Tensor:
        """Return the average too."""
        return torch.cat([super().get_extra_state(), torch.tensor([self.average], dtype=torch.float64)])

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from there."""
        super().set_extra_state(state)
        self.average = float(state[2])
