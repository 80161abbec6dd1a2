"""Steps of one network among several: who takes gradients, who is called without being moved, what processes agree on."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.func import functional_call

from lightning_modules.base import Batch, clip_grad_norm, require_finite
from lightning_modules.training.accumulating import Accumulation
from lightning_modules.training.schedules import as_list


@runtime_checkable
class Networks(Protocol):
    """A module that trains several networks, with one optimizer each, in the order of `networks`."""

    networks: Mapping[str, nn.Module]
    gradient_clip_norms: Mapping[str, float | None]
    accumulation: Accumulation


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
        self.optimizer, self.accumulation = optimizer_of(module, name), module.accumulation

    def __enter__(self) -> Callable[[Tensor], None]:
        """Let only this network's parameters take gradients."""
        self.module.toggle_optimizer(self.optimizer)
        return self.step

    def __exit__(self, *failure: object) -> None:
        """Let all parameters take gradients again."""
        self.module.untoggle_optimizer(self.optimizer)

    def step(self, loss: Tensor) -> None:
        """Go down the gradient of a finite loss, once the last batch of a step has added its share to it."""
        if self.accumulation.begins:
            self.optimizer.zero_grad()
        self.module.manual_backward(require_finite(loss, self.batch) * self.accumulation.share)
        if not self.accumulation.ends:
            return
        norm = clip_grad_norm(self.network.parameters(), self.clip_norm, self.batch["index"])
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.module.trainer.world_size > 1:
            share_buffers(self.network)
        self.module.log(f"gradient/norm_{self.name}", norm, batch_size=self.batch["clean"].shape[0])


def trained_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a network that are not frozen."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def optimizer_of(module: pl.LightningModule, name: str) -> LightningOptimizer:
    """Return the optimizer of one of a module's networks."""
    assert isinstance(module, Networks)
    optimizers: list[LightningOptimizer] = as_list(module.optimizers())
    return optimizers[list(module.networks).index(name)]


def share_buffers(network: nn.Module) -> None:
    """Give the first process's buffers, such as running statistics, to all processes.

    `DistributedDataParallel` does so before every forward pass of a training by one optimizer; where the module calls its
    optimizers itself, as with several networks, it does so before the first only.
    """
    buffers = list(network.buffers())
    for dtype in dict.fromkeys(buffer.dtype for buffer in buffers):  # in the same order everywhere
        alike = [buffer for buffer in buffers if buffer.dtype == dtype]
        values = torch.cat([buffer.flatten() for buffer in alike])
        torch.distributed.broadcast(values, src=0)
        for buffer, value in zip(alike, values.split([buffer.numel() for buffer in alike]), strict=True):
            buffer.copy_(value.view_as(buffer))


def forward_without_buffer_updates(network: nn.Module, *inputs: Tensor) -> Any:
    """Return what a network in training mode returns, without moving its running statistics."""
    copies = {name: buffer.clone() for name, buffer in network.named_buffers()}
    return functional_call(network, copies, inputs)
