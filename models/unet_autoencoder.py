"""The autoencoder beside the bottleneck U-Net, whose bottleneck is the feature in which signals are compared.

From Billotais/Denoising-with-Generative-Models: the U-Net with batch normalization in its down path and without any skip; in
place of skips the up blocks put out twice the channels. Its code has 16 times as many values as the signal, enough to copy
it; fewer filters in the last of `channels` make it abstract.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from models.layers.coding import CodingNetwork
from models.layers.mono_batch import to_mono_batch
from models.layers.normalization import check_norm
from models.layers.subpixel import pixel_shuffle
from models.layers.unet_blocks import LEAK, MIN_KERNEL, UpBlock, down_blocks, plan, plan_reach_samples


class UNetAutoencoder(CodingNetwork):
    """Reconstruct a waveform from a code of channels[-1] channels at 1 / 2^(depth + 1) its rate.

    Args:
        depth: number of down blocks; `channels` and `kernels` default to the published U-Net's plan for it.
        channels: filters of each down block, outermost first.
        kernels: taps of each down block, odd.
        dropout: probability in the bottleneck and the up blocks.
        norm: normalization in each down block; see models.layers.normalization (published: batch).

    Raises:
        ValueError: if the plans are not `depth` long, a block would have no channels, a kernel is even, or the normalization is
            unknown.
    """

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        dropout: float = 0.5,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        channels, kernels = plan(depth, channels, kernels)
        check_norm(norm, "@norm")
        self.multiple = 2 ** (depth + 1)
        self.kernels = kernels
        self.down = down_blocks(1, channels, kernels, bias=True, norm=norm)
        self.bottleneck = nn.Conv1d(channels[-1], channels[-1], kernels[-1], stride=2, padding=kernels[-1] // 2)
        self.dropout = nn.Dropout(dropout)
        inputs = (channels[-1], *(2 * count for count in reversed(channels[1:])))
        self.up = nn.ModuleList(
            UpBlock(before, 2 * after, kernel, dropout, bias=True)
            for before, after, kernel in zip(inputs, reversed(channels), reversed(kernels), strict=True)
        )
        self.last = nn.Conv1d(2 * channels[0], 2, MIN_KERNEL, padding=MIN_KERNEL // 2)

    def encode(self, signal: Tensor) -> Tensor:
        """Return the code of a signal.

        Args:
            signal: (B, C, T), any C and T.

        Returns:
            (B * C, channels[-1], L) with L = T / 2^(depth + 1) rounded up.
        """
        features = to_mono_batch(signal, self.multiple)
        for down in self.down:
            features = down(features)
        return functional.leaky_relu(self.dropout(self.bottleneck(features)), LEAK)

    def plan_reach_samples(self) -> int:
        """Return the reach of the convolutions alone."""
        return plan_reach_samples(self.kernels)

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output (B * C, F, T' / 2) to the reconstruction (B * C, 1, T')."""
        return pixel_shuffle(self.last(features))
