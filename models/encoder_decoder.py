"""Encoder and decoder of ColinShaw/python-neural-network-audio-reconstruction, as published and in two forms that learn.

Pairs of convolutions of three taps; between them half of the samples go by pooling on the way down, and come back repeated on
the way up. Channels of a recording are processed one by one.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.counts import check_positive
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.reach import ReachCounter
from models.layers.starting import zeroed
from models.restorer import StridedRestorer

TAPS = 3


class EncoderDecoder(StridedRestorer):
    """The published network with a linear output, which therefore learns.

    Like the published one it returns the signal and no correction of it: that would have to hold the noise, which pooling does
    not let through.

    Args:
        filters: of each level, outermost first; the innermost pair has twice as many as the last.
        dropout: probability after pooling and before the pairs of the decoder.
        bias: without biases the network is homogeneous, f(a x) = a f(x) for a > 0, and so treats every level alike.

    Raises:
        SettingError: if there are no filters.
    """

    identity_at_start = False

    def __init__(self, filters: Sequence[int] = (8, 16, 32, 64), dropout: float = 0.0, bias: bool = False) -> None:
        super().__init__()
        check_positive(filters, "@filters")
        self.level_free = not bias
        self.multiple = 2 ** len(filters)
        self.dropout = nn.Dropout(dropout)
        self.down = nn.ModuleList(_pair(before, after, bias) for before, after in pairwise((1, *filters)))
        self.middle = _pair(filters[-1], 2 * filters[-1], bias)
        wide = (2 * filters[-1], *reversed(filters))
        self.up = nn.ModuleList(_pair(self.joined_channels(before, after), after, bias) for before, after in pairwise(wide))
        self.last = nn.Conv1d(filters[0], 1, 1, bias=bias)

    @property
    def reach_samples(self) -> int:
        """Through the innermost pair and back."""
        reach = ReachCounter()
        for _ in self.down:
            _count_pair(reach)
            reach.pack()
        _count_pair(reach)
        for _ in self.up:
            reach.unpack()
            _count_pair(reach)
        return reach.samples

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        mono = to_mono_batch(corrupted, self.multiple)  # (B * C, 1, T')
        return from_mono_batch(self.last(self.decode(*self.encode(mono))), corrupted)

    def encode(self, mono: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the innermost activation (N, 2 F, T / 2^levels), and of each level, outermost first, (N, F', T').

        Args:
            mono: (N, 1, T), T a multiple of `multiple`.
        """
        features, levels = mono, []
        for pair in self.down:
            features = pair(features)
            levels.append(features)
            features = self.dropout(functional.max_pool1d(features, 2))
        return self.middle(features), levels

    def decode(self, features: Tensor, levels: Sequence[Tensor]) -> Tensor:
        """Map what `encode` returns to features (N, F, T) of the outermost level."""
        for pair, level in zip(self.up, reversed(levels), strict=True):
            repeated = self.dropout(features.repeat_interleave(2, dim=-1))
            features = pair(self.join(repeated, level))
        return features

    @staticmethod
    def joined_channels(repeated: int, level: int) -> int:
        """Return the channels that `join` gives."""
        return repeated

    def join(self, repeated: Tensor, level: Tensor) -> Tensor:
        """Return what a pair of the decoder gets: what comes from below, without a skip."""
        return repeated


class EncoderDecoderUNet(EncoderDecoder):
    """Add a correction to a waveform: the same with skips, as its author proposes, through which a correction finds its way.

    Each pair of the decoder also sees its level of the encoder. The correction is zero at initialization.

    Args:
        filters: of each level, outermost first; the innermost pair has twice as many as the last.
        dropout: probability after pooling and before the pairs of the decoder.
        bias: as of `EncoderDecoder`.
    """

    identity_at_start = True

    def __init__(self, filters: Sequence[int] = (8, 16, 32, 64), dropout: float = 0.0, bias: bool = False) -> None:
        super().__init__(filters, dropout, bias)
        zeroed(self.last)

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal (B, C, T), of a signal (B, C, T)."""
        return corrupted + super().forward(corrupted)

    @staticmethod
    def joined_channels(repeated: int, level: int) -> int:
        """Return the channels of both."""
        return repeated + level

    def join(self, repeated: Tensor, level: Tensor) -> Tensor:
        """Return both, (N, F + F', T)."""
        return torch.cat([repeated, level], dim=1)


class EncoderDecoderPublished(EncoderDecoder):
    """The published network, 147,843 parameters: a sigmoid squashes its input, and its output, which is never negative.

    So the lower half of a wave cannot be reached: the best output for a sine of amplitude a is the half above zero, which leaves
    a mean squared error of a^2 / 4, 3 dB below the sine. It is kept for comparison; `EncoderDecoder` learns.

    Args:
        filters: of each level, outermost first.
        dropout: probability after pooling and before the pairs of the decoder.
    """

    def __init__(self, filters: Sequence[int] = (8, 16, 32, 64), dropout: float = 0.2) -> None:
        super().__init__(filters, dropout, bias=True)
        self.first = nn.Conv1d(1, 1, 1)
        self.last = nn.Conv1d(filters[0], 1, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                _start(layer, nn.init.xavier_uniform_)  # what Keras, which it was written for, does by itself

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the restored signal (B, C, T) within 0 to 1, of a signal (B, C, T)."""
        squashed = torch.sigmoid(self.first(to_mono_batch(corrupted, self.multiple)))
        return from_mono_batch(torch.sigmoid(self.last(self.decode(*self.encode(squashed)))), corrupted)


def _pair(before: int, after: int, bias: bool) -> nn.Sequential:
    first, second = (nn.Conv1d(channels, after, TAPS, padding=TAPS // 2, bias=bias) for channels in (before, after))
    for layer in (first, second):
        _start(layer, nn.init.kaiming_normal_)  # or what goes through all pairs would have faded away
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


def _start(layer: nn.Conv1d, fill: Callable[[Tensor], Tensor]) -> None:
    fill(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _count_pair(reach: ReachCounter) -> None:
    reach.convolve(TAPS)
    reach.convolve(TAPS)
