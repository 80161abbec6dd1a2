"""The discriminator of MU-GAN: multiscale convolutions and superpixels that judge whether a signal is a clean one.

Kim and Sathe, "Bandwidth extension on raw audio via generative adversarial networks" (arXiv 1903.09027), section 2. Its fully
connected layers are convolutions of one tap here, so that windows of any length can be judged: one logit per 2^depth samples
instead of one per window. There is no sigmoid, as losses on logits are exact where it saturates.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from models.layers.counts import check_positive
from models.layers.judging import judged
from models.layers.multiscale import MultiscaleConv, default_filters
from models.layers.normalization import check_norm, normalized
from models.layers.setting_error import SettingError
from models.layers.subpixel import superpixel

LEAK = 0.2


class Discriminator(nn.Module):
    """Judge signals by patches: the logit is high where one takes the signal for clean.

    The paper leaves open the filters, how many units the hidden layer has, and the rate of dropout. The 128 hidden units follow
    T. Stegmüller's report (aosbro/audio-super-resolution), where leichtrhino/audio-super-resolution averages over time instead
    of a hidden layer; a first block of half the width ahead of the generator's down path is a choice of this project.

    Args:
        depth: number of blocks that halve the time axis (published: 7).
        filters: of the first block and of each of the `depth` others before its superpixel, depth + 1 in all; by default 32,
            64, 128, 256, 256, ...
        kernels: taps of the parallel convolutions, odd.
        split: relative shares of the filters per kernel; by default equal ones.
        reduction: of the channels ahead of the parallel convolutions, except for the waveforms' own; see MultiscaleConv.
        dropout: probability in each block but the first, and in the hidden layer.
        norm: normalization in each block but the first, or of all weights if spectral (published:
            batch).
        conditional: whether the corrupted signal is seen beside the one to judge (published: no).
        hidden: units of the hidden layer.
        bias: whether convolutions have one.

    Raises:
        ValueError: if filters, kernels, split and reduction do not fit each other, a layer would have no channels, or the
            normalization is unknown.
    """

    def __init__(
        self,
        depth: int = 7,
        filters: Sequence[int] | None = None,
        kernels: Sequence[int] = (3, 9, 27, 81),
        split: Sequence[int] | None = None,
        reduction: int = 1,
        dropout: float = 0.5,
        norm: str = "batch",
        conditional: bool = True,
        hidden: int = 128,
        bias: bool = True,
    ) -> None:
        super().__init__()
        filters = _checked_filters(filters, depth)
        check_norm(norm, "@norm")
        if hidden < 1:
            raise SettingError(f"@hidden must be at least 1; got {hidden}")
        multiscale = partial(MultiscaleConv, kernels=kernels, split=split, bias=bias)
        pointwise = partial(nn.Conv1d, kernel_size=1, bias=bias)
        weights_norm = norm if norm == "spectral" else "none"  # where there is no room for a layer
        self.multiple = 2**depth
        self.conditional = conditional
        self.first = normalized(multiscale(1 + conditional, filters[0]), filters[0], weights_norm)
        inputs = (filters[0], *(2 * count for count in filters[1:-1]))
        self.blocks = nn.ModuleList(
            JudgingBlock(normalized(multiscale(before, after, reduction=reduction), after, norm), dropout)
            for before, after in zip(inputs, filters[1:], strict=True)
        )
        self.hidden = normalized(pointwise(2 * filters[-1], hidden), hidden, weights_norm)
        self.dropout = nn.Dropout(dropout)
        self.verdict = normalized(pointwise(hidden, 1), 1, weights_norm)

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the verdicts and what led to them.

        Args:
            signal: the one to judge (B, C, T), any C and T.
            corrupted: what it was restored from (B, C, T); ignored by an unconditional discriminator.

        Returns:
            Logits (B * C, 1, L) with L = T / 2^depth rounded up, and the outputs of all blocks for feature matching.
        """
        activations = functional.leaky_relu(self.first(judged(signal, corrupted, self.multiple, self.conditional)), LEAK)
        features = [activations]
        for block in self.blocks:
            activations = block(activations)
            features.append(activations)
        hidden = functional.leaky_relu(self.dropout(self.hidden(activations)), LEAK)
        return self.verdict(hidden), features


class WindowDiscriminator(Discriminator):
    """The same with fully connected layers over a whole window, as printed: one logit for each place of the window.

    The paper leaves open how long a window is. The other arguments are those of `Discriminator`.

    Args:
        window_samples: what the hidden layer sees at once, a multiple of 2^depth.

    Raises:
        ValueError: if the window cannot be halved `depth` times, and as `Discriminator`.
    """

    def __init__(
        self,
        depth: int = 7,
        filters: Sequence[int] | None = None,
        kernels: Sequence[int] = (3, 9, 27, 81),
        split: Sequence[int] | None = None,
        reduction: int = 1,
        dropout: float = 0.5,
        norm: str = "batch",
        conditional: bool = False,
        hidden: int = 128,
        bias: bool = True,
        window_samples: int = 8192,
    ) -> None:
        super().__init__(depth, filters, kernels, split, reduction, dropout, norm, conditional, hidden, bias)
        if window_samples < 1 or window_samples % self.multiple:
            raise SettingError(f"@window_samples must be a multiple of {self.multiple} = 2^@depth; got {window_samples}")
        channels = 2 * _checked_filters(filters, depth)[-1]
        spanning = Spanning(channels, hidden, window_samples // self.multiple, bias)
        self.hidden = normalized(spanning, hidden, norm if norm == "spectral" else "none")


class Spanning(nn.Module):
    """A fully connected layer over a window, at every place of it; what is shorter is continued by zeros."""

    def __init__(self, in_channels: int, out_channels: int, frames: int, bias: bool) -> None:
        super().__init__()
        self.frames = frames
        self.window = nn.Conv1d(in_channels, out_channels, frames, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C', T - frames + 1), at least one place."""
        missing = max(self.frames - features.shape[-1], 0)
        units: Tensor = self.window(functional.pad(features, (0, missing)))
        return units


class JudgingBlock(nn.Module):
    """Halve the time axis: normalized convolution, dropout, leaky ReLU, superpixel."""

    def __init__(self, convolution: nn.Module, dropout: float) -> None:
        super().__init__()
        self.convolution = convolution
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, T) to (B, 2C', T / 2) if the convolution maps C to C'."""
        return superpixel(functional.leaky_relu(self.dropout(self.convolution(features)), LEAK))


def _checked_filters(filters: Sequence[int] | None, depth: int) -> tuple[int, ...]:
    if depth < 1:
        raise SettingError(f"@depth must be at least 1; got {depth}")
    if filters is None:
        return (default_filters(1)[0] // 2, *default_filters(depth))
    if len(filters) != depth + 1:
        raise SettingError(f"@filters has {len(filters)} entries; @depth={depth} needs {depth + 1}, one for the first block")
    check_positive(filters, "@filters")
    return tuple(filters)
