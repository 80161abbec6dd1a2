"""The bottleneck U-Net with temporal FiLM: after every block, a recurrent network says how much each feature counts, and when.

Birnbaum, Kuleshov, Enam, Koh and Ermon, "Temporal FiLM: capturing long-range sequence dependencies with feature-wise
modulations" (arXiv 1909.06628). Its convolutions see every other
sample (dilation 2), and halve the rate by pooling.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.counts import check_count
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.setting_error import SettingError
from models.layers.starting import nearly_zeroed, orthogonal, zeroed
from models.layers.subpixel import pixel_shuffle
from models.layers.temporal_film import TemporalFiLM, TemporalScaling
from models.layers.unet_blocks import LEAK, MIN_KERNEL, plan
from models.restorer import SegmentedRestorer
from models.streaming.chunking import Chunking

DILATION = 2


class DownBlock(nn.Module):
    """Halve the time axis: convolution, pooling, dropout, leaky ReLU, modulation."""

    def __init__(self, convolution: nn.Conv1d, dropout: float, modulation: nn.Module) -> None:
        super().__init__()
        self.conv, self.dropout, self.modulation = convolution, nn.Dropout(dropout), modulation

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, T) to (N, C', T / 2)."""
        pooled = functional.max_pool1d(self.conv(features), 2)
        modulated: Tensor = self.modulation(functional.leaky_relu(self.dropout(pooled), LEAK))
        return modulated


class UpBlock(nn.Module):
    """Double the time axis: convolution, dropout, ReLU, pixel shuffle, modulation, and the skip beside the result."""

    def __init__(self, convolution: nn.Conv1d, dropout: float, modulation: nn.Module) -> None:
        super().__init__()
        self.conv, self.dropout, self.modulation = convolution, nn.Dropout(dropout), modulation

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Map (N, C, T) and a skip (N, C', 2T) to (N, 2 C', 2T)."""
        up = pixel_shuffle(functional.relu(self.dropout(self.conv(features))))
        return torch.cat([self.modulation(up), skip], dim=1)


class TFiLM(SegmentedRestorer):
    """Restore a waveform by adding a learned correction to it; at initialization the correction is zero.

    The recurrent networks go forward in time through a segment, and start anew in the next one.

    Args:
        depth: number of down blocks; `channels` and `kernels` default to the published plan for it.
        channels: filters of each down block, outermost first.
        kernels: taps of each down block, odd.
        dropout: probability in the bottleneck and the up blocks.
        bias: of convolutions; without, every level is treated alike.
        block_samples: that are modulated alike, at every level of the network; a multiple of 2^(depth + 1).
        segment_samples: that are restored at once, a multiple of two blocks; segments overlap by half.

    Raises:
        SettingError: if a plan or a length is not such.
    """

    modulation: type[TemporalScaling] = TemporalFiLM

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        dropout: float = 0.5,
        bias: bool = True,
        block_samples: int = 256,
        segment_samples: int = 8192,
    ) -> None:
        channels, kernels = plan(depth, channels, kernels)
        _check_lengths(depth, block_samples, segment_samples)
        overlap = segment_samples // 2
        super().__init__(Chunking(segment_samples, overlap, overlap // 4, block_samples))
        self.level_free = not bias
        self.block_samples = block_samples
        blocks = [block_samples >> level for level in range(1, depth + 2)]  # activations, the bottleneck's last
        befores = (1, *channels)
        self.down = nn.ModuleList(
            DownBlock(_dilated(before, after, kernel, bias), 0.0, self.modulation(after, block))
            for before, after, kernel, block in zip(befores, channels, kernels, blocks, strict=False)
        )
        deepest = _dilated(channels[-1], channels[-1], kernels[-1], bias)
        self.bottleneck = DownBlock(deepest, dropout, self.modulation(channels[-1], blocks[-1]))
        inputs = (channels[-1], *(2 * count for count in reversed(channels[1:])))
        self.up = nn.ModuleList(
            UpBlock(_dilated(before, 2 * after, kernel, bias), dropout, self.modulation(after, block))
            for before, after, kernel, block in zip(
                inputs, reversed(channels), reversed(kernels), reversed(blocks[:-1]), strict=True
            )
        )
        self.last = zeroed(nn.Conv1d(2 * channels[0], 2, MIN_KERNEL, padding=MIN_KERNEL // 2, bias=bias))

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T)."""
        features, skips = to_mono_batch(segment, self.block_samples), []  # (B * C, 1, T')
        for down in self.down:
            features = down(features)
            skips.append(features)
        features = self.bottleneck(features)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            features = up(features, skip)
        return segment + from_mono_batch(pixel_shuffle(self.last(features)), segment)


class TFiLMPublished(TFiLM):
    """The network of kuleshov/audio-super-res: 68,221,186 parameters, and PyTorch's second bias of the LSTMs, 13,312 more.

    Features are scaled by the LSTM's output and not shifted. Matrices of convolutions are orthogonal at first, and the last
    layer's weights have a deviation of 1e-3. Blocks of the decoder are as long as those of the encoder, 32 in 8,192 samples;
    there they keep the bottleneck's length, an apparent slip. The arguments are those of `TFiLM`.
    """

    identity_at_start = False
    modulation = TemporalScaling

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        dropout: float = 0.5,
        bias: bool = True,
        block_samples: int = 256,
        segment_samples: int = 8192,
    ) -> None:
        super().__init__(depth, channels, kernels, dropout, bias, block_samples, segment_samples)
        self.level_free = False
        orthogonal(self)
        nearly_zeroed(self.last)


def _dilated(before: int, after: int, kernel: int, bias: bool) -> nn.Conv1d:
    return nn.Conv1d(before, after, kernel, padding=kernel // 2 * DILATION, dilation=DILATION, bias=bias)


def _check_lengths(depth: int, block_samples: int, segment_samples: int) -> None:
    check_count("@block_samples", block_samples)
    check_count("@segment_samples", segment_samples)
    if block_samples % 2 ** (depth + 1):
        raise SettingError(f"@block_samples={block_samples} must be a multiple of {2 ** (depth + 1)} at @depth={depth}")
    if segment_samples % (2 * block_samples):
        raise SettingError(
            f"@segment_samples={segment_samples} must be a multiple of {2 * block_samples}, two of @block_samples={block_samples}"
        )
