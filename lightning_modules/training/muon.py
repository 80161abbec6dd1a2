"""Muon: weights that are matrices take steps in which all directions count alike; all other weights take those of AdamW.

After Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". A matrix G of momentum is replaced by the
nearest orthogonal one, U V^T of its singular value decomposition U S V^T. A kernel of a convolution is the matrix from what it
sees to its outputs. The step is 0.2 sqrt(max(rows, columns)) U V^T, as long by root mean square as one of AdamW usually is, so
that one rate and one weight decay serve both kinds (Liu et al. 2025, "Muon is scalable for LLM training", arXiv 2502.16982,
equation 4).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW

LEAST_SIDE = 32
"""Of a matrix: with fewer rows or columns there are few directions to tell apart, as in the first and last layers."""
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Of the iteration x <- a x + b x^3 + c x^5 of singular values, five times (Jordan et al. 2024)."""
ITERATIONS = 5
USUAL_STEP = 0.2
"""Root mean square of AdamW's steps, over the rate (Liu et al. 2025)."""


class Muon(AdamW):
    """Step by orthogonal matrices where weights are matrices, and as AdamW does elsewhere.

    Args:
        params: the weights, or groups of them.
        lr: learning rate.
        momentum: decay of the running mean of a matrix's gradients; the step looks ahead by it (Nesterov).
        betas: AdamW's, for all other weights.
        eps: AdamW's.
        weight_decay: factor of the weights that is taken off at each step, times the rate.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        for group in self.param_groups:
            group["momentum"] = momentum

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step, after the closure, if there is one, has found the gradients; return what it returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients = {}
        for group in self.param_groups:
            for weight in filter(is_matrix, group["params"]):
                if weight.grad is not None:
                    gradients[weight], weight.grad = weight.grad, None
                    self._step_matrix(weight, gradients[weight], group)
        super().step()
        for weight, gradient in gradients.items():
            weight.grad = gradient
        return loss

    def _step_matrix(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state.update(step=torch.zeros(()), mean=torch.zeros_like(gradient))  # AdamW asks the state of every weight for `step`
        state["step"] += 1
        mean = state["mean"].lerp_(gradient, 1 - group["momentum"])
        direction = orthogonal(gradient.lerp(mean, group["momentum"]).flatten(1))
        length = USUAL_STEP * max(direction.shape) ** 0.5
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(direction.view(weight.shape), alpha=-group["lr"] * length)


def is_matrix(weight: Tensor) -> bool:
    """Say whether weights, from the second axis on as columns, have at least 32 rows and 32 columns."""
    return weight.ndim >= 2 and min(weight.shape[0], weight[0].numel()) >= LEAST_SIDE


def orthogonal(matrix: Tensor) -> Tensor:
    """Return about U V^T of a matrix U S V^T: its singular values are between 0.68 and 1.14 but for those near 0.

    Args:
        matrix: (M, N).

    Returns:
        (M, N), in float32.
    """
    a, b, c = QUINTIC
    wide = (matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT).float()
    wide = wide / wide.norm().clamp_min(1e-7)
    for _ in range(ITERATIONS):
        square = wide @ wide.mT
        wide = a * wide + (b * square + c * square @ square) @ wide
    found: Tensor = wide if matrix.shape[0] <= matrix.shape[1] else wide.mT
    return found
