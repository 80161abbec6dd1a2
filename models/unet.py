"""The bottleneck U-Net: strided convolutions down, sub-pixel convolutions up, and the input added to the output.

Kuleshov, Enam and Ermon, "Audio super-resolution using neural networks" (arXiv 1708.00853), section 3, without batch
normalization as in the published code. Channels of a recording are processed one by one.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from models.layers.splitting import Skips, SplitNetwork
from models.layers.starting import nearly_zeroed, orthogonal, zeroed
from models.layers.subpixel import pixel_shuffle
from models.layers.unet_blocks import LEAK, MIN_KERNEL, UpBlock, down_blocks, plan, plan_reach_samples


class UNet(SplitNetwork):
    """Restore a waveform by adding a learned correction to it; at initialization the correction is zero.

    Args:
        depth: number of down blocks B; `channels` and `kernels` default to the published plan for it.
        channels: filters of each down block, outermost first.
        kernels: taps of each down block, odd.
        dropout: probability in the bottleneck and the up blocks (published: 0.5).
        bias: without biases the network is homogeneous, f(a x) = a f(x) for a > 0, and so treats every level alike (Mohan
            et al., "Robust and interpretable blind image denoising via bias-free CNNs", arXiv 1906.05478); published: with.

    Raises:
        ValueError: if the plans are not `depth` long, have no channels, or a kernel is even.
    """

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        dropout: float = 0.5,
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels, kernels = plan(depth, channels, kernels)
        self.level_free = not bias
        self.multiple = 2 ** (depth + 1)
        self.kernels = kernels
        self.down = down_blocks(1, channels, kernels, bias)
        self.bottleneck = nn.Conv1d(channels[-1], channels[-1], kernels[-1], stride=2, padding=kernels[-1] // 2, bias=bias)
        self.dropout = nn.Dropout(dropout)
        inputs = (channels[-1], *(2 * count for count in reversed(channels[1:])))
        self.up = nn.ModuleList(
            UpBlock(before, after, kernel, dropout, bias)
            for before, after, kernel in zip(inputs, reversed(channels), reversed(kernels), strict=True)
        )
        self.last = zeroed(nn.Conv1d(2 * channels[0], 2, MIN_KERNEL, padding=MIN_KERNEL // 2, bias=bias))

    @property
    def reach_samples(self) -> int:
        """Through the bottleneck and back."""
        return plan_reach_samples(self.kernels)

    def encode(self, padded: Tensor) -> tuple[Tensor, Skips]:
        """Return the bottleneck and the outputs of the down blocks, innermost first.

        Args:
            padded: (N, 1, T) with T a multiple of 2^(depth + 1).

        Returns:
            (N, C, T / 2^(depth + 1)), and per block (N, C', T').
        """
        features, outputs = padded, []
        for down in self.down:
            features = down(features)
            outputs.append(features)
        bottleneck = functional.leaky_relu(self.dropout(self.bottleneck(features)), LEAK)
        return bottleneck, [(output,) for output in reversed(outputs)]

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output (N, C, T / 2) to the correction (N, 1, T)."""
        return pixel_shuffle(self.last(features))


class UNetPublished(UNet):
    """The same network with the weights it was published with: nearly the identity before training.

    As in kuleshov/audio-super-res: orthogonal matrices, biases of zero, and for the last layer a normal distribution of deviation
    1e-3. The arguments are those of `UNet`, which there has biases.
    """

    identity_at_start = False

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        dropout: float = 0.5,
        bias: bool = True,
    ) -> None:
        super().__init__(depth, channels, kernels, dropout, bias)
        orthogonal(self)
        nearly_zeroed(self.last)
