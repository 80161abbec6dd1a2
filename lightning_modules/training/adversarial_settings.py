"""What an adversarial training is made from, for the recipes that add to it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Required, TypedDict

from torch import nn
from torch.optim import Optimizer

from lightning_modules.training.balance import Balance
from lightning_modules.training.warm_up import WarmUp

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
ScheduleFactory = Callable[[Optimizer], Any]


class AdversarialSettings(TypedDict, total=False):
    """The arguments of `AdversarialModule`, for the recipes that add to them."""

    net: Required[nn.Module]
    sample_rate: Required[int]
    loss_weights: Required[Mapping[str, float]]
    discriminator: Required[Callable[[], nn.Module]]
    generator_optimizer: Required[OptimizerFactory]
    discriminator_optimizer: Required[OptimizerFactory]
    adversary: str
    penalty_weights: Mapping[str, float] | None
    discriminator_steps: int
    warm_up: WarmUp | None
    balance: Balance | None
    schedulers: Mapping[str, ScheduleFactory | None] | None
    gradient_clip_norms: Mapping[str, float | None] | None
    accumulate_batches: int
    monitor: str
    loss_network: str | None
