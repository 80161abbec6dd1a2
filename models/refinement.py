r"""Collaborative sampling: move an activation of a generator down the discriminator's loss, and keep the best point on the way.

Liu, Kothari and Alahi, "Collaborative sampling in generative adversarial networks" (arXiv 1902.00813): h <- h - update(dl / dh)
with the loss l = -log sigma(D(G(h))) of every example by itself. What restoration adds is a penalty that ties the result to the
first output or to the input, and steps in units of the activation's own size.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Decode = Callable[[Tensor], Tensor]
"""From activations (N, ...) to signals (N, 1, T)."""
Judge = Callable[[Tensor], Tensor]
"""From signals (N, 1, T) to one logit per example (N,); the higher, the cleaner it sounds to D."""
Penalty = Callable[[Tensor], Tensor]
"""From signals (N, 1, T) to what straying costs each example (N,)."""

RULES = ("sgd", "momentum", "normalized")


@dataclass(frozen=True)
class Refinement:
    """How an activation is moved.

    Attributes:
        steps: K; 0 leaves the generator as it is.
        step_size: lambda. For `normalized` a step's RMS over the activation's RMS, else the factor of the gradient.
        rule: sgd, momentum (v <- momentum v + lambda g, h <- h - v, as published) or normalized (each step as long as the last).
        momentum: of `momentum`.
        enough_logit: an example whose logit is above it stays where it is; None moves all to the end.

    Raises:
        ValueError: if a value is out of range.
    """

    steps: int = 10
    step_size: float = 0.05
    rule: str = "normalized"
    momentum: float = 0.9
    enough_logit: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.rule not in RULES:
            raise ValueError(f"unknown model.refinement.rule={self.rule}; known: {', '.join(RULES)}")
        if not isinstance(self.enough_logit, int | float | None):
            raise ValueError(f"model.refinement.enough_logit={self.enough_logit} must be a number, or null to move all")
        numbers = isinstance(self.steps, int) and all(isinstance(value, int | float) for value in (self.step_size, self.momentum))
        if not numbers or self.steps < 0 or not 0 < self.step_size < math.inf or not 0 <= self.momentum < 1:
            raise ValueError(
                f"model.refinement has steps={self.steps}, step_size={self.step_size}, momentum={self.momentum}; "
                "steps must be a whole number from 0 on, step_size positive, and momentum at least 0 and below 1"
            )


@dataclass(frozen=True)
class Visit:
    """One point on the way: the signals (N, 1, T) and their logits (N,)."""

    signal: Tensor
    logits: Tensor


def walk(hidden: Tensor, decode: Decode, judge: Judge, settings: Refinement, penalty: Penalty | None = None) -> Iterator[Visit]:
    """Yield the points h_0 ... h_K of every example, each without a graph, so that memory does not grow with K.

    Works under `torch.no_grad` and in inference mode, as long as `decode` holds no tensor computed in it. The networks must be in
    evaluation mode, in which no example depends on another; their parameters take no gradient.

    Args:
        hidden: activation h_0 (N, ...).
        decode: the rest of the generator.
        judge: the discriminator.
        settings: how the activation is moved.
        penalty: added to the loss.
    """
    point = hidden.detach().to(torch.promote_types(hidden.dtype, torch.float32), copy=True)  # bf16 would swallow short steps
    velocity = torch.zeros_like(point)
    moving = torch.ones(len(hidden), dtype=torch.bool, device=hidden.device)
    for _ in range(settings.steps):
        visit, gradient = _visit_with_gradient(point, decode, judge, penalty)
        yield visit
        if settings.enough_logit is not None:
            moving = moving & (visit.logits <= settings.enough_logit)
        velocity = _velocity(velocity, gradient, hidden, settings)
        point = point - velocity * _per_example(moving, point)
    with torch.no_grad():
        signal = decode(point)
        yield Visit(signal, judge(signal).float())


@dataclass(frozen=True)
class Best:
    """The best points so far: the signals (N, 1, T), their logits (N,), and the steps they were found at (N,)."""

    signal: Tensor
    logits: Tensor
    steps: Tensor


def best_so_far(visits: Iterator[Visit]) -> Iterator[Best]:
    """Yield after every step, example by example, the point with the highest logit until then; of equal ones the first.

    Args:
        visits: from `walk`.
    """
    first = next(visits)
    best = Best(first.signal, first.logits, torch.zeros_like(first.logits, dtype=torch.int64))
    yield best
    for step, visit in enumerate(visits, start=1):
        finite = visit.signal.flatten(1).isfinite().all(dim=1)  # too long a step can leave every bound
        better = (visit.logits > best.logits) & finite
        signal = torch.where(_per_example(better, best.signal), visit.signal, best.signal)
        best = Best(signal, torch.where(better, visit.logits, best.logits), torch.where(better, step, best.steps))
        yield best


def best_of(visits: Iterator[Visit]) -> Best:
    """Return the best points of the whole way.

    Args:
        visits: from `walk`.
    """
    for best in best_so_far(visits):
        last = best
    return last


def at_steps(visits: Iterator[Visit], steps: Tensor) -> Tensor:
    """Keep, example by example, the point of a given step: refined samples of every degree, to shape a discriminator with.

    Args:
        visits: from `walk`.
        steps: (N,) between 0 and K.

    Returns:
        (N, 1, T).
    """
    signal = next(visits).signal
    for step, visit in enumerate(visits, start=1):
        signal = torch.where(_per_example(steps == step, signal), visit.signal, signal)
    return signal


def proximity(first: Tensor) -> Penalty:
    """Return the penalty |y - y_0|^2 / |y_0|^2.

    Args:
        first: y_0, the generator's own output (N, 1, T).
    """
    power = _power(first)
    return lambda signal: (signal - first).square().sum(dim=(1, 2)) / power


def low_band_proximity(corrupted: Tensor, taps: Tensor) -> Penalty:
    """Return the penalty |LP(y - x)|^2 / |x|^2: what is below the cut-off of a band-limited input is to stay.

    Args:
        corrupted: x, the input (N, 1, T).
        taps: (n,) of a linear-phase low-pass filter, n odd.
    """
    power, kernel = _power(corrupted), taps.to(corrupted)[None, None]

    def penalty(signal: Tensor) -> Tensor:
        with torch.autocast(signal.device.type, enabled=False):
            strayed = functional.conv1d(signal - corrupted, kernel, padding=len(taps) // 2)
        return strayed.square().sum(dim=(1, 2)) / power

    return penalty


def _visit_with_gradient(point: Tensor, decode: Decode, judge: Judge, penalty: Penalty | None) -> tuple[Visit, Tensor]:
    """Look at a point, and return the gradient of every example's own loss there; a sum keeps them apart."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = point.detach().clone().requires_grad_()  # a copy, as a tensor of inference mode takes no gradient
        signal = decode(leaf)
        logits = judge(signal).float()
        loss = functional.softplus(-logits)
        if penalty is not None:
            loss = loss + penalty(signal.float())
        (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    return Visit(signal.detach(), logits.detach()), gradient.detach()


def _velocity(velocity: Tensor, gradient: Tensor, hidden: Tensor, settings: Refinement) -> Tensor:
    if settings.rule == "normalized":
        tiny = torch.finfo(torch.float32).tiny
        largest = gradient.flatten(1).abs().amax(dim=1).float().clamp_min(tiny)
        direction = gradient / _per_example(largest, gradient)  # where D is certain, squares of the gradient would vanish
        return direction * (settings.step_size * _rms(hidden) / _rms(direction).clamp_min(tiny))
    carried = settings.momentum if settings.rule == "momentum" else 0.0
    return carried * velocity + settings.step_size * gradient


def _rms(values: Tensor) -> Tensor:
    """Return each example's root mean square, shaped to multiply it."""
    return _per_example(values.flatten(1).float().square().mean(dim=1).sqrt(), values)


def _power(signal: Tensor) -> Tensor:
    return signal.float().square().sum(dim=(1, 2)).clamp_min(1e-8)


def _per_example(values: Tensor, like: Tensor) -> Tensor:
    """Shape (N,) so that it broadcasts against (N, ...)."""
    return values.reshape(-1, *[1] * (like.dim() - 1))
