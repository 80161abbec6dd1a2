"""The autoencoder of MU-GAN, whose bottleneck is the feature in which restored and clean signals are compared.

Kim and Sathe, "Bandwidth extension on raw audio via generative adversarial networks" (arXiv 1903.09027), section 2: the
generator at depth 4 without any skip. What the paper leaves open is as in the generator (models.mugan), but for the rate of
dropout, 0.2 as in leichtrhino/audio-super-resolution. There the code has 32 times as many values as the signal, enough to
copy it; fewer `latent_channels` make it abstract.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from models.layers.coding import CodingNetwork
from models.layers.mono_batch import to_mono_batch
from models.layers.multiscale import (
    LAST_KERNEL,
    MultiscaleConv,
    SubpixelBlock,
    checked_filters,
    default_filters,
    superpixel_path,
    superpixel_reach_samples,
    up_filters,
)
from models.layers.normalization import check_norm, normalized
from models.layers.setting_error import SettingError


class Autoencoder(CodingNetwork):
    """Reconstruct a waveform from a code of 1 / 2^depth its rate.

    Args:
        depth: number of down blocks, and of up blocks.
        filters: of each down block before its superpixel, outermost first; by default 64, 128, 256, 256, ... The up blocks
            mirror them: up_filters.
        latent_channels: channels of the code, a multiple of 4, in place of twice the last filters.
        kernels: taps of the parallel convolutions, odd.
        split: relative shares of the filters per kernel; by default equal ones.
        reduction: of the channels ahead of the parallel convolutions, except for the waveform's own; see MultiscaleConv.
        dropout: probability in the up blocks.
        norm: normalization of each multiscale convolution; see models.layers.normalization (published: none).
        bias: whether convolutions have one.

    Raises:
        ValueError: if filters, kernels, split and reduction do not fit each other, or the normalization is unknown.
    """

    def __init__(
        self,
        depth: int = 4,
        filters: Sequence[int] | None = None,
        latent_channels: int | None = None,
        kernels: Sequence[int] = (3, 9, 27, 81),
        split: Sequence[int] | None = None,
        reduction: int = 1,
        dropout: float = 0.2,
        norm: str = "none",
        bias: bool = True,
    ) -> None:
        super().__init__()
        filters = _with_latent(default_filters(depth) if filters is None else tuple(filters), latent_channels)
        filters = checked_filters(filters, depth)
        check_norm(norm, "@norm")
        multiscale = partial(MultiscaleConv, kernels=kernels, split=split, bias=bias)

        def convolution(before: int, after: int, reduction: int = reduction) -> nn.Module:
            return normalized(multiscale(before, after, reduction=reduction), after, norm)

        self.level_free = not bias and norm in ("none", "spectral")
        self.multiple = 2**depth
        self.kernels = tuple(kernels)
        self.down = superpixel_path(filters, convolution)
        inputs = (2 * filters[-1], *(count // 2 for count in up_filters(filters)))
        self.up = nn.ModuleList(
            SubpixelBlock(convolution(before, after), dropout)
            for before, after in zip(inputs[:-1], up_filters(filters), strict=True)
        )
        self.last = nn.Conv1d(inputs[-1], 1, LAST_KERNEL, padding=LAST_KERNEL // 2, bias=bias)

    def encode(self, signal: Tensor) -> Tensor:
        """Return the code of a signal.

        Args:
            signal: (B, C, T), any C and T.

        Returns:
            (B * C, latent channels, L) with L = T / 2^depth rounded up.
        """
        features = to_mono_batch(signal, self.multiple)
        for down in self.down:
            features = down(features)
        return features

    def plan_reach_samples(self) -> int:
        """Return the reach of the convolutions alone."""
        return superpixel_reach_samples(len(self.down), self.kernels, LAST_KERNEL)

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output (B * C, F, T') to the reconstruction (B * C, 1, T')."""
        reconstruction: Tensor = self.last(features)
        return reconstruction


def _with_latent(filters: tuple[int, ...], latent_channels: int | None) -> tuple[int, ...]:
    if latent_channels is None:
        return filters
    if latent_channels < 4 or latent_channels % 4:
        raise SettingError(f"@latent_channels must be a multiple of 4; got {latent_channels}")
    return (*filters[:-1], latent_channels // 2)
