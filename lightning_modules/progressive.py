"""Training a recurrent network on what its estimate is to be after every step, not only after the last."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.checkpoint import checkpoint

from lightning_modules.base import DEFAULT_MONITOR, Batch
from lightning_modules.losses.targets import find_step_weights, make_targets
from lightning_modules.stepped import SteppedModule
from lightning_modules.training.draws import generator_of
from models.conv_rnn import ConvRNN, StepContext
from models.layers.counts import check_count


@dataclass(frozen=True)
class Plan:
    """What one training step does: T, and the weight of every step whose estimate is compared."""

    steps: int
    weights: Mapping[int, float]


class ProgressiveModule(SteppedModule):
    """Train every step of a recurrent network towards its own target.

    The loss is sum_t w(t / T) l(estimate_t, target_t) / sum_t w(t / T), l a weighted sum of reconstruction losses.

    Args:
        net: works in steps.
        sample_rate: in Hz.
        loss_weights: weight by loss name (l2, l1, log_mse, mr_stft); l2 as published.
        optimizer: from parameters to an optimizer.
        targets: schedule (as published), clean or band, see `lightning_modules.losses.targets`.
        step_weights: equal (as published), relative, late or last.
        band_start_hz: for `targets=band`: the cut-off of the corrupted signal.
        compared_steps: how many steps are compared in a training step, the last one and others drawn; null for all.
        training_steps: [low, high] from which T is drawn for every batch; null for the network's usual number.
        gradient_steps: how many steps a gradient goes back; null for all.
        recompute: trade time for memory: keep states between stretches of sqrt(T) steps only (or of `gradient_steps`).
        scheduler: from the optimizer to a learning-rate schedule, stepped once an epoch.
        monitor: the metric a plateau schedule watches.
        gradient_clip_norm: largest norm of the whole gradient; None leaves it alone.

    Raises:
        ValueError: for an unknown name, or a number of steps that is none.
    """

    net: ConvRNN

    def __init__(
        self,
        net: ConvRNN,
        sample_rate: int,
        loss_weights: Mapping[str, float],
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        targets: str = "schedule",
        step_weights: str = "equal",
        band_start_hz: float = 0.0,
        compared_steps: int | None = None,
        training_steps: Sequence[int] | None = None,
        gradient_steps: int | None = None,
        recompute: bool = False,
        scheduler: Callable[[Optimizer], Any] | None = None,
        monitor: str = DEFAULT_MONITOR,
        gradient_clip_norm: float | None = None,
        loss_network: str | None = None,
    ) -> None:
        super().__init__(net, sample_rate, loss_weights, optimizer, scheduler, monitor, gradient_clip_norm, loss_network)
        self.targets = make_targets(targets, sample_rate, band_start_hz)
        self.step_weight = find_step_weights(step_weights)
        self.compared_steps = _count_or_none("compared_steps", compared_steps)
        self.training_steps = _range(training_steps, net.steps)
        self.gradient_steps = _count_or_none("gradient_steps", gradient_steps)
        self.recompute = recompute

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch and log its terms, unweighted, under `train/`."""
        return self.total(self.terms(batch["clean"], batch["corrupted"], self.plan(batch["index"])), batch)

    def plan(self, index: Tensor) -> Plan:
        """Draw the number of steps and those that are compared, from the run's seed and the batch's sample numbers (B,)."""
        generator = generator_of(self.seed, "plan", index)
        low, high = self.training_steps
        steps = int(torch.randint(low, high + 1, (), generator=generator))
        weights = {step: self.step_weight(step / steps) for step in range(1, steps + 1)}
        if self.compared_steps is None or self.compared_steps >= steps:
            return Plan(steps, weights)
        return Plan(steps, draw_compared(weights, self.compared_steps, generator))

    def terms(self, clean: Tensor, corrupted: Tensor, plan: Plan) -> dict[str, Tensor]:
        """Return the weighted means over the steps of every loss.

        Args:
            clean: (B, C, T).
            corrupted: (B, C, T).
            plan: which steps are taken and compared.

        Returns:
            () scalars by name.
        """
        context = self.net.prepare(corrupted)
        state = self.net.initial_state(context.input_projection)
        sums: list[dict[str, Tensor]] = []
        for stretch in self._stretches(plan.steps):
            before = state.detach() if self.gradient_steps else state
            state, found = self._keep_or_recompute(clean, context, before, stretch, plan)
            sums += found
        total = self.total_weight(plan)
        return {name: torch.stack([terms[name] for terms in sums]).sum() / total for name in sums[0]}

    def total_weight(self, plan: Plan) -> float:
        """Return what the weighted sum over the steps is divided by."""
        return sum(plan.weights.values())

    def _stretches(self, steps: int) -> list[range]:
        """Cut the steps 1 ... T into the stretches that gradients, or the memory of states, are confined to."""
        length = self.gradient_steps or (math.ceil(math.sqrt(steps)) if self.recompute else steps)
        return [range(first, min(first + length, steps + 1)) for first in range(1, steps + 1, length)]

    def _keep_or_recompute(
        self, clean: Tensor, context: StepContext, state: Tensor, stretch: range, plan: Plan
    ) -> tuple[Tensor, list[dict[str, Tensor]]]:
        if not self.recompute:
            return self._walk(clean, context, state, stretch, plan)
        result = checkpoint(self._walk, clean, context, state, stretch, plan, use_reentrant=False)
        return cast(tuple[Tensor, list[dict[str, Tensor]]], result)

    def _walk(
        self, clean: Tensor, context: StepContext, state: Tensor, stretch: range, plan: Plan
    ) -> tuple[Tensor, list[dict[str, Tensor]]]:
        """Take the steps of a stretch; return the state after them and the weighted terms of those that are compared."""
        found = []
        for step in stretch:
            state = self.net.advance(context.input_projection, state, step, plan.steps)
            weight = plan.weights.get(step, 0.0)
            if weight > 0:
                target = self.targets(clean, context.corrupted, step / plan.steps)
                terms = self.loss.terms(self.net.estimate(context, state), target)
                found.append({name: weight * term for name, term in terms.items()})
        return state, found


class SummedModule(ProgressiveModule):
    """Train on the plain sum over the steps, sum_t w(t / T) l(estimate_t, target_t), as published.

    The arguments are those of `ProgressiveModule`.
    """

    def total_weight(self, plan: Plan) -> float:
        """Return 1."""
        return 1.0


def draw_compared(weights: Mapping[int, float], count: int, generator: torch.Generator) -> dict[int, float]:
    """Draw steps to compare in place of all: the last, and others by their weight, which share the weight of all others.

    The mean over draws is the whole sum, whatever the losses, unless only the last step is compared (a count of 1).

    Args:
        weights: of the steps 1 ... T.
        count: of draws, the last step included; a step drawn twice is compared once and counts twice.
        generator: of the draws.

    Returns:
        The new weights of the steps drawn.
    """
    steps = len(weights)
    drawn = {steps: weights[steps]}
    others = torch.tensor([weights[step] for step in range(1, steps)])
    if count > 1 and others.any():
        for place in torch.multinomial(others, count - 1, replacement=True, generator=generator).tolist():
            drawn[place + 1] = drawn.get(place + 1, 0.0) + others.sum().item() / (count - 1)
    return drawn


def _count_or_none(key: str, value: int | None) -> int | None:
    if value is not None:
        check_count(f"model.{key}", value)
    return value


def _range(steps: Sequence[int] | None, usual: int) -> tuple[int, int]:
    if steps is None:
        return usual, usual
    if not isinstance(steps, Sequence) or len(steps) != 2:
        raise ValueError(f"model.training_steps={steps} must be a range [low, high], or null")
    for step in steps:
        check_count("model.training_steps", step)
    low, high = steps
    if low > high:
        raise ValueError(f"model.training_steps=[{low}, {high}] must be a rising range, or null")
    return low, high
