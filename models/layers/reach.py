"""How far an output of a convolutional network looks, counted layer by layer from its plan."""

from collections.abc import Iterable

from torch import nn


class ReachCounter:
    """Follow the layers of a network from its input to its output.

    The reach is that of the longest way through the network: skips are shorter, and not counted.

    Attributes:
        samples: by how many samples of the input the layers so far look to either side.
        spacing_samples: of the activations so far, in samples of the input.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.spacing_samples = 1

    def convolve(self, kernel: int) -> None:
        """Count a centered convolution of an odd number of taps."""
        self.samples += kernel // 2 * self.spacing_samples

    def stride(self) -> None:
        """Count that every other activation is kept."""
        self.spacing_samples *= 2

    def pack(self) -> None:
        """Count a superpixel, which moves every other activation to the place before it."""
        self.samples += self.spacing_samples
        self.spacing_samples *= 2

    def unpack(self) -> None:
        """Count a subpixel, the inverse of `pack`."""
        self.spacing_samples //= 2
        self.samples += self.spacing_samples


def has_memory_of_all(modules: Iterable[nn.Module]) -> bool:
    """Say whether a layer normalizes by statistics of the whole signal, so that every output looks at all of it."""
    return any(isinstance(module, nn.GroupNorm | nn.InstanceNorm1d | nn.LayerNorm) for module in modules)
