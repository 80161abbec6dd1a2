"""WaveNet as a denoiser: gated convolutions of growing dilation that look to both sides, and all samples at once.

Rethage, Pons and Serra, "A WaveNet for speech denoising" (arXiv 1706.07162): 30 blocks, in three stacks of dilations 1, 2, ...
512, see 6,139 samples. The sum of what the blocks say goes through two wide convolutions to the sample.
"""

import torch
from torch import Tensor, nn

from models.layers.counts import check_count
from models.layers.level import level_of
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.setting_error import SettingError
from models.layers.starting import zeroed
from models.restorer import SegmentedRestorer
from models.streaming.chunking import Chunking

TAPS = 3
LEVEL = 0.06
"""Root mean square that every segment is brought to, as published (there: every recording)."""


class GatedBlock(nn.Module):
    """Add what a gated convolution finds: tanh(W_f * x) sigmoid(W_g * x), and say it to the output as well.

    Args:
        channels: of the features, and of what is said.
        dilation: samples from tap to tap.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.gated = nn.Conv1d(channels, 2 * channels, TAPS, padding=dilation, dilation=dilation, bias=False)
        self.out = nn.Conv1d(channels, 2 * channels, 1, bias=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (N, C, T) to features and to what is said, both of the same shape."""
        found, gate = self.gated(features).chunk(2, dim=1)
        change, said = self.out(torch.tanh(found) * torch.sigmoid(gate)).chunk(2, dim=1)
        return features + change, said


class WaveNetDenoiser(SegmentedRestorer):
    """Take away the noise that the network finds; untrained, it finds none.

    Every segment is brought to one level first, as tanh and sigmoid know only one.

    Args:
        channels: of every block.
        stacks: of blocks.
        dilations: that a stack goes through: 1, 2, 4, ...
        head_channels: of the two convolutions at the end.
        segment_samples: that are restored at once; segments overlap by half.

    Raises:
        SettingError: if a count is none, there are not two head channels, or a segment is shorter than what an output sees.
    """

    level_free = True

    def __init__(
        self,
        channels: int = 128,
        stacks: int = 3,
        dilations: int = 10,
        head_channels: tuple[int, int] = (2048, 256),
        segment_samples: int = 16384,
    ) -> None:
        counts = {"channels": channels, "stacks": stacks, "dilations": dilations, "segment_samples": segment_samples}
        for name, count in counts.items():
            check_count(f"@{name}", count)
        if len(head_channels) != 2 or min(head_channels) < 1:
            raise SettingError(f"@head_channels={list(head_channels)} must be two numbers of at least 1")
        self.receptive_field = 2 * stacks * (2**dilations - 1) + 1
        if segment_samples < self.receptive_field:
            raise SettingError(f"@segment_samples={segment_samples} must be at least {self.receptive_field}, what an output sees")
        overlap = segment_samples // 2
        super().__init__(Chunking(segment_samples, overlap, min(self.receptive_field // 2 + TAPS, 3 * overlap // 8)))
        middle, last = head_channels
        self.first = nn.Conv1d(1, channels, TAPS, padding=1, bias=False)
        self.blocks = nn.ModuleList(GatedBlock(channels, 2**power) for _ in range(stacks) for power in range(dilations))
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(channels, middle, TAPS, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv1d(middle, last, TAPS, padding=1, bias=False),
        )
        self.last = zeroed(nn.Conv1d(last, 1, 1))

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T)."""
        mono = to_mono_batch(segment, 1)  # (B * C, 1, T)
        level = level_of(mono.float()).clamp_min(torch.finfo(torch.float32).tiny)
        return self.restored(segment, from_mono_batch(level / LEVEL * self.found(LEVEL / level * mono), segment))

    def restored(self, segment: Tensor, found: Tensor) -> Tensor:
        """Return the signal (B, C, T) from a segment and what the network finds in it, both (B, C, T): noise to take away."""
        return segment - found

    def found(self, mono: Tensor) -> Tensor:
        """Map a signal (N, 1, T) of level 0.06 to what is found in it, (N, 1, T)."""
        features = self.first(mono)
        total = torch.zeros_like(features)
        for block in self.blocks:
            features, said = block(features)
            total = total + said
        found: Tensor = self.last(self.head(total))
        return found


class WaveNetDenoiserPublished(WaveNetDenoiser):
    """The network of drethage/speech-denoising-wavenet without its condition on the speaker: 6,292,097 parameters.

    It finds the voice and not the noise, so that untrained it returns noise of its own. Weights are drawn as by Keras, which it
    was written for. The arguments are those of `WaveNetDenoiser`.
    """

    identity_at_start = False

    def __init__(
        self,
        channels: int = 128,
        stacks: int = 3,
        dilations: int = 10,
        head_channels: tuple[int, int] = (2048, 256),
        segment_samples: int = 16384,
    ) -> None:
        super().__init__(channels, stacks, dilations, head_channels, segment_samples)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.xavier_uniform_(layer.weight)

    def restored(self, segment: Tensor, found: Tensor) -> Tensor:
        """Return what was found."""
        return found
