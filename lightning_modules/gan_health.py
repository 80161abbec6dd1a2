"""What an adversarial training suffers from, in plain words: what nobody sees in a loss curve when picking loss weights."""

import logging
import math
from collections import Counter
from collections.abc import Mapping

from torch import Tensor

WON_ACCURACY = 0.99
BLIND_ACCURACY = 0.02
DOMINANT_SHARE = 0.95

log = logging.getLogger(__name__)


class HealthReport:
    """Averages of one epoch, and the warnings they call for; each warning is given once in a run."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()
        self._told: set[str] = set()

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Take in () values of one step, by name; names as in `complaints`."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()
            self._counts[name] += 1

    def close_epoch(self) -> list[str]:
        """Log the warnings of the epoch that were not given before, forget its values, and return them."""
        means = {name: total.item() / self._counts[name] for name, total in self._sums.items()}
        self._sums.clear()
        self._counts.clear()
        new = {topic: sentence for topic, sentence in complaints(means).items() if topic not in self._told}
        self._told |= set(new)
        for sentence in new.values():
            log.warning(sentence)
        return list(new.values())


def complaints(means: Mapping[str, float]) -> dict[str, str]:
    """Return what is wrong, as sentences by topic.

    Args:
        means: over an epoch: `accuracy_clean` and `accuracy_restored`, the shares of judgments in which the discriminator is
            right; `share_NAME`, the share of each loss term in the generator's gradient. What is missing is not judged.

    >>> sorted(complaints({"accuracy_clean": 1.0, "accuracy_restored": 0.999, "share_l2": 0.5, "share_adversarial": 0.5}))
    ['won']
    """
    clean, restored = means.get("accuracy_clean", math.nan), means.get("accuracy_restored", math.nan)
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
    shares = {name.removeprefix("share_"): share for name, share in means.items() if name.startswith("share_")}
    for name, share in shares.items():
        if len(shares) > 1 and share > DOMINANT_SHARE:
            others = " and ".join(other for other in shares if other != name)
            found[f"dominates_{name}"] = (
                f"the loss term {name} makes up {share:.1%} of the generator's gradient, so {others} hardly acts; change "
                f"model.loss_weights.{name}"
            )
    return found
