"""The generator of MU-GAN: a U-Net of multiscale convolutions that adds a correction to its input.

Kim and Sathe, "Bandwidth extension on raw audio via generative adversarial networks" (arXiv 1903.09027), section 2. The paper
leaves open how many filters each block has, how they are divided among the kernels, and the rate of dropout: the defaults are
those of leichtrhino/audio-super-resolution, which also leaves out the one skip that would be the input itself.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from models.layers.multiscale import (
    LAST_KERNEL,
    MultiscaleConv,
    SubpixelBlock,
    checked_filters,
    superpixel_path,
    superpixel_reach_samples,
    up_filters,
)
from models.layers.splitting import Skips, SplitNetwork
from models.layers.starting import zeroed


class MUGANGenerator(SplitNetwork):
    """Restore a waveform by adding a learned correction to it; at initialization the correction is zero.

    Args:
        depth: number of down blocks, and of up blocks (published: 8 or 4).
        filters: of each down block before its superpixel, outermost first; by default 64, 128, 256, 256, ... The up blocks
            mirror them: up_filters.
        kernels: taps of the parallel convolutions, odd.
        split: relative shares of the filters per kernel; by default equal ones.
        reduction: of the channels ahead of the parallel convolutions, except for the waveform's own; see MultiscaleConv.
        dropout: probability in the up blocks.
        bias: without biases the network is homogeneous, f(a x) = a f(x) for a > 0, and so treats every level alike (Mohan
            et al., "Robust and interpretable blind image denoising via bias-free CNNs", arXiv 1906.05478).

    Raises:
        ValueError: if filters, kernels, split and reduction do not fit each other.
    """

    def __init__(
        self,
        depth: int = 8,
        filters: Sequence[int] | None = None,
        kernels: Sequence[int] = (3, 9, 27, 81),
        split: Sequence[int] | None = None,
        reduction: int = 1,
        dropout: float = 0.5,
        bias: bool = True,
    ) -> None:
        super().__init__()
        filters = checked_filters(filters, depth)
        multiscale = partial(MultiscaleConv, kernels=kernels, split=split, reduction=reduction, bias=bias)
        self.level_free = not bias
        self.multiple = 2**depth
        self.kernels = tuple(kernels)
        self.down = superpixel_path(filters, multiscale)
        self.up = nn.ModuleList()
        before = 2 * filters[-1]
        for after, beside in zip(up_filters(filters), (*reversed(filters[:-1]), 0), strict=True):
            self.up.append(SubpixelBlock(multiscale(before, after), dropout))
            before = after // 2 + 2 * beside  # the skip has passed a superpixel
        self.last = zeroed(nn.Conv1d(before, 1, LAST_KERNEL, padding=LAST_KERNEL // 2, bias=bias))

    @property
    def reach_samples(self) -> int:
        """Through the bottleneck and back."""
        return superpixel_reach_samples(len(self.down), self.kernels, LAST_KERNEL)

    def encode(self, padded: Tensor) -> tuple[Tensor, Skips]:
        """Return the bottleneck, which is the last down block's output, and the outputs of the others, innermost first.

        Args:
            padded: (N, 1, T) with T a multiple of 2^depth.

        Returns:
            (N, C, T / 2^depth), and per up block what it takes beside its input: (N, C', T'), or nothing for the last one.
        """
        features, outputs = padded, []
        for down in self.down:
            features = down(features)
            outputs.append(features)
        return features, [*((output,) for output in reversed(outputs[:-1])), ()]

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output (N, C, T) to the correction (N, 1, T)."""
        correction: Tensor = self.last(features)
        return correction
