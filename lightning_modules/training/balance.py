"""How the terms of a generator's loss are weighed against each other: by their weights, or by their gradients at its output.

A weight says nothing of how much a term pulls: a loss in dB, a squared error and an adversarial loss have gradients that differ
by powers of ten and change as training goes on.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from lightning_modules.losses.reconstruction import RECONSTRUCTION_LOSSES

TINY = 1e-20
TERMS = (*RECONSTRUCTION_LOSSES, "adversarial", "feature_matching", "feature")
"""All there are, in the order of a checkpoint's numbers."""


class Weights(nn.Module):
    """Every term by its weight, whatever that comes to."""

    def forward(
        self, terms: Mapping[str, Tensor], weights: Mapping[str, float], restored: Tensor, average: Callable[[Tensor], Tensor]
    ) -> dict[str, float]:
        """Return the weights as they are; see `GradientBalance`."""
        return dict(weights)


class GradientBalance(nn.Module):
    """Every term by its share of the gradient at the generator's output; the weights are these shares, relative to each other.

    w_i = (lambda_i / sum of lambda) R / n_i, n_i being a moving mean of the norm of the gradient of term i with respect to the
    output of each example (Defossez et al., "High fidelity neural audio compression", arXiv 2210.13438, section 3.4, equation 4).
    R is what the reconstruction terms would come to by their weights alone, the sum of lambda_i n_i, so that the generator is
    moved as far as without the others; where there are none it is 1.

    Args:
        decay: of the moving means, for each step.

    Raises:
        ValueError: if the decay is not from 0 (included) to 1 (excluded).
    """

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"model.balance.decay={decay} must be from 0 to below 1")
        self.decay = decay
        self.sums = dict.fromkeys(TERMS, 0.0)
        self.counts = dict.fromkeys(TERMS, 0.0)

    def forward(
        self, terms: Mapping[str, Tensor], weights: Mapping[str, float], restored: Tensor, average: Callable[[Tensor], Tensor]
    ) -> dict[str, float]:
        """Take in the gradients of one step, and return the weights for it.

        Args:
            terms: () unweighted losses by name, with their graphs, which are kept.
            weights: their shares; what warms up has less of them.
            restored: (B, C, T), the output that they are of.
            average: over processes, of () values.

        Returns:
            Weight by name.
        """
        for name, term in terms.items():
            (gradient,) = torch.autograd.grad(term, restored, retain_graph=True)
            norm = float(average(torch.linalg.vector_norm(gradient.flatten(1), dim=1).mean()))
            self.sums[name] = self.decay * self.sums[name] + norm
            self.counts[name] = self.decay * self.counts[name] + 1
        norms = {name: self.sums[name] / self.counts[name] for name in terms}
        total = sum(weights[name] for name in terms)
        size = sum(weights[name] * norms[name] for name in terms if name in RECONSTRUCTION_LOSSES) or 1.0
        return {name: weights[name] / max(total, TINY) * size / max(norms[name], TINY) for name in terms}

    def get_extra_state(self) -> Tensor:
        """Return the moving means, as numbers that any reader of weights takes."""
        return torch.tensor([[*self.sums.values()], [*self.counts.values()]], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on with the moving means of a checkpoint."""
        self.sums, self.counts = (dict(zip(TERMS, numbers, strict=True)) for numbers in state.tolist())


Balance = Weights | GradientBalance
