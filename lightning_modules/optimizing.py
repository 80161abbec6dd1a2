"""Steps of one network among several: who takes gradients, who is judged without being moved."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import pytorch_lightning as pl
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.func import functional_call

from lightning_modules.base import Batch, bound_gradient, require_finite
from lightning_modules.schedules import listed


@runtime_checkable
class Networks(Protocol):
    """A module that trains several networks, with one optimizer each, in the order of `networks`."""

    networks: Mapping[str, nn.Module]
    gradient_clip_norms: Mapping[str, float | None]


class Optimizing:
    """The context in which one network is trained: only its parameters take gradients; gives the step to call with its loss.

    Args:
        module: a LightningModule that is also `Networks`.
        name: of the network.
        batch: the loss is of, for its indices and size.
    """

    def __init__(self, module: pl.LightningModule, name: str, batch: Batch) -> None:
        assert isinstance(module, Networks)
        self.module, self.name, self.batch = module, name, batch
        self.network, self.clip_norm = module.networks[name], module.gradient_clip_norms.get(name)
        optimizers: list[LightningOptimizer] = listed(module.optimizers())
        self.optimizer = optimizers[list(module.networks).index(name)]

    def __enter__(self) -> Callable[[Tensor], None]:
        """Let only this network's parameters take gradients."""
        self.module.toggle_optimizer(self.optimizer)
        return self.step

    def __exit__(self, *failure: object) -> None:
        """Let all parameters take gradients again."""
        self.module.untoggle_optimizer(self.optimizer)

    def step(self, loss: Tensor) -> None:
        """Go down the gradient of a finite loss."""
        self.optimizer.zero_grad()
        self.module.manual_backward(require_finite(loss, self.batch))
        norm = bound_gradient(self.network.parameters(), self.clip_norm, self.batch["index"])
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.module.log(f"gradient/norm_{self.name}", norm, batch_size=self.batch["clean"].shape[0])


def judge_untouched(discriminator: nn.Module, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return D's logits and activations without moving its running statistics.

    Args:
        discriminator: in training mode, so that it judges as it does in its own step.
        signal: (B, C, T).
        corrupted: (B, C, T).
    """
    copies = {name: buffer.clone() for name, buffer in discriminator.named_buffers()}
    judged: tuple[Tensor, list[Tensor]] = functional_call(discriminator, copies, (signal, corrupted))
    return judged
