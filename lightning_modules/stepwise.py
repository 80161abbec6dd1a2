"""Methods that work in steps, any of which may be the last, and what is asked of them."""

from torch import Tensor

from lightning_modules.base import RestorationModule


class Stoppable(RestorationModule):
    """A method whose steps have a number that can be chosen, beside the recipe that trains it."""

    @property
    def steps(self) -> int:
        """How many it takes, K."""
        raise NotImplementedError

    def with_num_steps(self, steps: int) -> RestorationModule:
        """Return this method stopped after some of its steps; 0 is where they start.

        Raises:
            ValueError: if there are fewer than 0, or a part of one.
        """
        raise NotImplementedError


class Stepwise(Stoppable):
    """A method that says what it has restored after each of its steps."""

    def estimates(self, corrupted: Tensor) -> Tensor:
        """Return what is restored after 0, 1, ... K steps, (K + 1, B, C, T), of a signal (B, C, T)."""
        raise NotImplementedError

    def step_scores(self, estimates: Tensor, corrupted: Tensor) -> dict[str, Tensor]:
        """Return what the method itself makes of its estimates: values (K + 1,) by name, shown beside the metrics.

        Args:
            estimates: (K + 1, C, T) of one signal, on the method's device.
            corrupted: (1, C, T).
        """
        return {}


class StepSized(Stepwise):
    """A method whose steps have a size that can be chosen."""

    def with_step_size(self, step_size: float) -> RestorationModule:
        """Return this method with steps of another size.

        Raises:
            ValueError: if it is out of range.
        """
        raise NotImplementedError


def with_num_steps(module: RestorationModule, steps: int) -> RestorationModule:
    """Return a method stopped after some of its steps.

    Raises:
        ValueError: if it does not work in steps, or this is no number of them.
    """
    if not isinstance(module, Stoppable):
        raise ValueError(f"steps={steps}: this method does not work in steps")
    return module.with_num_steps(steps)


def with_step_size(module: RestorationModule, step_size: float) -> RestorationModule:
    """Return a method with steps of another size.

    Raises:
        ValueError: if its steps have no size that could be chosen.
    """
    if not isinstance(module, StepSized):
        raise ValueError(f"step_size={step_size}: this method does not refine what it restores in steps of a size")
    return module.with_step_size(step_size)
