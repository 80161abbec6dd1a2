"""Networks as they are used, in the middle of their training."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(*networks: nn.Module) -> Iterator[None]:
    """Put networks into evaluation mode for a while: no dropout, and no running statistic moves."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
