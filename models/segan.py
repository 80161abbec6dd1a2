"""The generators of SEGAN: strided convolutions down, noise beside the bottleneck, transposed convolutions up, and skips.

Pascual, Bonafonte and Serra, "SEGAN: speech enhancement generative adversarial network" (arXiv 1703.09452), with the stride of
two of santi-pdp/segan; and SEGAN+ of santi-pdp/segan_pytorch, with a stride of four and a learned scale for every channel of a
skip.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from models.layers.counts import check_count, check_odd, check_positive
from models.layers.emphasis import deemphasized, emphasized
from models.layers.mono_batch import from_mono_batch, to_mono_batch
from models.layers.setting_error import SettingError
from models.layers.starting import zeroed
from models.restorer import SegmentedRestorer
from models.streaming.chunking import Chunking

SEED = 0
"""Of the noise that restores; every segment gets the same."""


class SEGAN(SegmentedRestorer):
    """Add a correction to a waveform; at initialization it is zero. Segments overlap by half and are faded.

    Args:
        channels: of each strided convolution, outermost first.
        stride: of each.
        taps: of all, odd.
        bias: of convolutions.
        segment_samples: that are restored at once, a multiple of two total strides.
        scaled: whether skips have a learned scale for every channel, 1 at first.
        pre_emphasis: a in x[n] - a x[n - 1], which the layers are given; 0 gives them signals as they are.

    Raises:
        SettingError: if a count is none, the taps are even, a segment does not divide, or the emphasis cannot be undone.
    """

    corrects = True

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 1024),
        stride: int = 2,
        taps: int = 31,
        bias: bool = False,
        segment_samples: int = 16384,
        scaled: bool = False,
        pre_emphasis: float = 0.95,
    ) -> None:
        check_positive(channels, "@channels")
        check_taps(stride, taps)
        if not 0 <= pre_emphasis < 1:
            raise SettingError(f"@pre_emphasis={pre_emphasis} must be at least 0 and below 1")
        self.multiple = stride ** len(channels)
        check_count("@segment_samples", segment_samples)
        if segment_samples % (2 * self.multiple):
            raise SettingError(f"@segment_samples={segment_samples} must be a multiple of {2 * self.multiple}, two total strides")
        overlap = segment_samples // 2
        super().__init__(Chunking(segment_samples, overlap, min(512, overlap // 4), self.multiple))
        self.pre_emphasis = pre_emphasis
        self.draws: torch.Generator | None = None
        self.down = strided(1, channels, stride, taps, bias)
        self.down_slopes = nn.ModuleList(nn.PReLU(count) for count in channels)
        ups = [*reversed(channels[:-1]), 1]
        inputs = [2 * count for count in reversed(channels)]
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(before, after, taps, stride, taps // 2, output_padding=stride - 1, bias=bias)
            for before, after in zip(inputs, ups, strict=True)
        )
        self.up_slopes = nn.ModuleList(nn.PReLU(count) for count in ups[:-1])
        scales = [nn.Parameter(torch.ones(count, 1)) for count in reversed(channels[:-1])] if scaled else []
        self.scales = nn.ParameterList(scales)
        if self.corrects:
            zeroed(self.up[-1])

    @contextmanager
    def in_training(self, draws: torch.Generator) -> Iterator[None]:
        """Take what is given within for emphasized, leave the result so, and draw its noise from a generator."""
        self.draws = draws
        try:
            yield
        finally:
            self.draws = None

    def noise(self, code: Tensor) -> Tensor:
        """Return noise of the shape of a code (N, C, L): while a training draws, new for each; else the same for all, always."""
        draws = torch.Generator().manual_seed(SEED) if self.draws is None else self.draws
        shape = code.shape[1:] if self.draws is None else code.shape
        return torch.randn(shape, generator=draws, device=draws.device).to(code).expand_as(code)

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T)."""
        if self.draws is not None:
            found = self.limited(self.found(segment))
        else:
            found = deemphasized(self.limited(self.found(emphasized(segment, self.pre_emphasis))), self.pre_emphasis)
        return segment + found if self.corrects else found

    def limited(self, found: Tensor) -> Tensor:
        """Return what the last layer puts out as it is used: as it is."""
        return found

    def found(self, raised: Tensor) -> Tensor:
        """Map an emphasized segment (B, C, T) to what the last layer puts out, (B, C, T)."""
        features, skips = to_mono_batch(raised, self.multiple), []  # (B * C, 1, T')
        for conv, slope in zip(self.down, self.down_slopes, strict=True):
            convolved = conv(features)
            skips.append(convolved)
            features = slope(convolved)
        features = torch.cat([features, self.noise(features)], dim=1)
        for number, slope in enumerate(self.up_slopes):
            skip = skips[-2 - number]
            scaled = self.scales[number] * skip if len(self.scales) else skip
            features = torch.cat([slope(self.up[number](features)), scaled], dim=1)
        return from_mono_batch(self.up[-1](features), raised)


class SEGANPublished(SEGAN):
    """The published form: the last layer gives the signal itself, through tanh. The arguments are those of `SEGAN`.

    With the default channels and a stride of two it has 73.1 M weights; with those of SEGAN+ and a stride of four 64.8 M.
    """

    identity_at_start = False
    corrects = False

    def limited(self, found: Tensor) -> Tensor:
        """Return what was found within -1 to 1."""
        return torch.tanh(found)


def strided(first: int, channels: Sequence[int], stride: int, taps: int, bias: bool) -> nn.ModuleList:
    """Return convolutions, each of which divides the rate, from (N, first, T) to (N, channels[-1], T / stride^n)."""
    return nn.ModuleList(
        nn.Conv1d(before, after, taps, stride, taps // 2, bias=bias)
        for before, after in zip((first, *channels[:-1]), channels, strict=True)
    )


def check_taps(stride: int, taps: int) -> None:
    """Refuse a stride that is none, or taps that have no middle or leave samples out.

    Raises:
        SettingError: naming it.
    """
    check_count("@stride", stride, 2)
    check_odd("@taps", taps, stride)
