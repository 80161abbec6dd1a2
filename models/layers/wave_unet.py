"""A U-Net on waveforms that halves the rate by dropping every other sample, and doubles it by drawing lines between samples.

Stoller, Ewert and Dixon, "Wave-U-Net" (arXiv 1806.03185), in the form of Michelashvili and Wolf (arXiv 1904.07612): level i has
i times as many channels as the first, convolutions are followed by batch normalization and a leaky ReLU of slope 0.1.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.counts import check_count

DOWN_TAPS, UP_TAPS = 15, 5
LEAK = 0.1


class WaveUNet(nn.Module):
    """Map signals to signals between -1 and 1.

    Normalization is by the statistics of the batch at hand, in evaluation too, and has no running ones.

    Args:
        levels: how often the rate is halved.
        channels: of the first level.
        generator: of the first weights, which are drawn as torch draws them.

    Raises:
        SettingError: if one is no whole number above 0.
    """

    def __init__(self, levels: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        check_count("@levels", levels)
        check_count("@channels", channels)
        self.shortest = 2 ** (levels + 1)
        self.multiple = 2**levels
        widths = [channels * level for level in range(1, levels + 1)]
        self.down = nn.ModuleList(_block(before, after, DOWN_TAPS) for before, after in zip([1, *widths], widths, strict=False))
        self.middle = _block(widths[-1], widths[-1], DOWN_TAPS)
        below = [*widths[1:], widths[-1]]
        self.up = nn.ModuleList(
            _block(before + width, width, UP_TAPS) for before, width in zip(reversed(below), reversed(widths), strict=True)
        )
        self.last = nn.Conv1d(channels + 1, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                _draw(module, generator)

    def forward(self, signal: Tensor) -> Tensor:
        """Map (N, 1, T) to (N, 1, T) between -1 and 1; T is a multiple of `multiple`, at least `shortest`."""
        features, skips = signal, []
        for block in self.down:
            features = block(features)
            skips.append(features)
            features = features[..., ::2]
        features = self.middle(features)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            doubled = functional.interpolate(features, scale_factor=2, mode="linear", align_corners=True)
            features = block(torch.cat([doubled, skip], dim=1))
        restored: Tensor = self.last(torch.cat([features, signal], dim=1)).tanh()
        return restored


def _block(before: int, after: int, taps: int) -> nn.Sequential:
    convolution = nn.Conv1d(before, after, taps, padding=taps // 2)
    return nn.Sequential(convolution, nn.BatchNorm1d(after, track_running_stats=False), nn.LeakyReLU(LEAK))


def _draw(convolution: nn.Conv1d, generator: torch.Generator) -> None:
    """Draw weights and biases uniformly, up to the inverse root of how many inputs a value has."""
    bound = convolution.weight[0].numel() ** -0.5
    for parameter in (convolution.weight, convolution.bias):
        if parameter is not None:
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
