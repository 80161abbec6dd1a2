"""What an adversarial training suffers from, in plain words: what nobody sees in a loss curve when picking loss weights."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor, nn

from lightning_modules.training.optimizing import trained_parameters

WON_ACCURACY = 0.99
BLIND_ACCURACY = 0.02
DOMINANT_SHARE = 0.95
IDLE_SHARE = 0.005
LEAST_STEPS = 200
"""As many steps are judged together, in whole epochs: a discriminator says one thing in its first steps, whatever comes of it."""

log = logging.getLogger(__name__)


class HealthReport:
    """Averages over whole epochs of at least `LEAST_STEPS` steps together, and the warnings they call for.

    A warning is given when what it warns of begins, and again if it comes back after it had gone. `steps` is to be counted up in
    every step.
    """

    def __init__(self) -> None:
        self.steps = 0
        self._sums: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()
        self._told: set[str] = set()

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Take in () values of one step, by name; names as in `diagnose`."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()
            self._counts[name] += 1

    def close_epoch(self, over_processes: Callable[[Tensor], Tensor]) -> list[str]:
        """Return what is newly wrong, warn of it in the first process, and forget the values; do nothing after too few steps.

        Args:
            over_processes: averages (N,) values over the processes, all of which must have added the same names.
        """
        if self.steps < LEAST_STEPS or not self._sums:
            return []
        means = torch.stack([total / self._counts[name] for name, total in self._sums.items()])
        found = diagnose(dict(zip(self._sums, over_processes(means).tolist(), strict=True)))
        new = [sentence for topic, sentence in found.items() if topic not in self._told]
        self.steps, self._sums, self._counts, self._told = 0, {}, Counter(), set(found)
        warn(new)
        return new


@rank_zero_only
def warn(sentences: Iterable[str]) -> None:
    """Log warnings in the first process; the others say nothing."""
    for sentence in sentences:
        log.warning(sentence)


def gradient_shares(terms: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return each term's share in a network's gradient: the norm of its gradient over the sum of these norms.

    Args:
        terms: () weighted losses by name, with their graphs, which are kept.
        network: whose trained parameters the gradients belong to.

    Returns:
        () share by term.
    """
    weights = trained_parameters(network)
    norms = {}
    for name, term in terms.items():
        gradients = torch.autograd.grad(term, weights, retain_graph=True, allow_unused=True)
        norms[name] = nn.utils.get_total_norm([gradient for gradient in gradients if gradient is not None])
    total = torch.stack(list(norms.values())).sum().clamp_min(torch.finfo(torch.float32).tiny)
    return {name: norm / total for name, norm in norms.items()}


def diagnose(means: Mapping[str, float]) -> dict[str, str]:
    """Return what is wrong, as sentences by topic.

    Args:
        means: over many steps: `accuracy_clean` and `accuracy_restored`, the shares of judgments in which the discriminator is
            right; `share_NAME`, the share of each loss term in the generator's gradient. What is missing is not judged.

    >>> sorted(diagnose({"accuracy_clean": 1.0, "accuracy_restored": 0.999, "share_l2": 0.5, "share_adversarial": 0.5}))
    ['won']
    """
    shares = {name.removeprefix("share_"): share for name, share in means.items() if name.startswith("share_")}
    clean, restored = means.get("accuracy_clean", math.nan), means.get("accuracy_restored", math.nan)
    return _about_discriminator(clean, restored) | _about_terms(shares)


def _about_discriminator(clean: float, restored: float) -> dict[str, str]:
    found = {}
    if clean > WON_ACCURACY and restored > WON_ACCURACY:
        found["won"] = (
            f"the discriminator has won: it is right about {clean:.1%} of the clean and {restored:.1%} of the restored signals, "
            "so it teaches the generator little; lower model.discriminator_optimizer.lr, raise model.penalty_weights.r1, or "
            "start later (model.warm_up)"
        )
    if min(clean, restored) < BLIND_ACCURACY:
        answer = "restored" if clean < restored else "clean"
        found["collapsed"] = (
            f"the discriminator has collapsed: it calls nearly everything {answer}; lower model.discriminator_optimizer.lr or "
            "try another model.discriminator.norm or model.adversary"
        )
    return found


def _about_terms(shares: Mapping[str, float]) -> dict[str, str]:
    found = {}
    for name, share in shares.items():
        others = [other for other in shares if other != name]
        if share > DOMINANT_SHARE and others:
            found[f"dominates_{name}"] = (
                f"the loss term {name} makes up {share:.2%} of the generator's gradient, so {' and '.join(others)} hardly acts; "
                f"raise {' and '.join(f'model.loss_weights.{other}' for other in others)}, or lower model.loss_weights.{name}"
            )
        if share < IDLE_SHARE and any(shares[other] >= IDLE_SHARE for other in others):
            found[f"idle_{name}"] = (
                f"the loss term {name} makes up only {share:.2%} of the generator's gradient and does nothing; "
                f"raise model.loss_weights.{name}"
            )
    return found
