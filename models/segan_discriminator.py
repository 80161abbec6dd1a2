"""The discriminator of SEGAN: the generator's way down, a convolution to one channel, and one linear layer.

Pascual, Bonafonte and Serra, "SEGAN: speech enhancement generative adversarial network" (arXiv 1703.09452). Batch normalization
takes the place of the virtual one, whose reference batch would be a part of every state; santi-pdp/segan_pytorch finds both
alike.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from models.layers.judging import judged
from models.layers.normalization import check_norm, normalized
from models.layers.setting_error import SettingError
from models.segan import check_taps, strided

LEAK = 0.3


class SEGANDiscriminator(nn.Module):
    """Judge signals by windows: what it puts out is near 1 where one takes the signal for clean.

    Args:
        channels: of each strided convolution, outermost first.
        stride: of each.
        taps: of all, odd.
        window_samples: what the last layer sees at once, a multiple of the total stride.
        norm: normalization behind each convolution; see models.layers.normalization.
        conditional: whether the corrupted signal is seen beside the one to judge.

    Raises:
        SettingError: if a number does not fit the others, or the normalization is unknown.
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 1024),
        stride: int = 2,
        taps: int = 31,
        window_samples: int = 16384,
        norm: str = "batch",
        conditional: bool = True,
    ) -> None:
        super().__init__()
        check_taps(stride, taps)
        check_norm(norm, "@norm")
        self.multiple, self.conditional = stride ** len(channels), conditional
        if window_samples < 1 or window_samples % self.multiple:
            raise SettingError(f"@window_samples={window_samples} must be a multiple of {self.multiple}, the total stride")
        self.window_frames = window_samples // self.multiple
        layers = strided(1 + conditional, channels, stride, taps, bias=True)
        self.blocks = nn.ModuleList(normalized(layer, count, norm) for layer, count in zip(layers, channels, strict=True))
        self.narrow = nn.Conv1d(channels[-1], 1, 1)
        self.verdict = nn.Conv1d(1, 1, self.window_frames)

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the verdicts and what led to them.

        Args:
            signal: the one to judge (B, C, T), any C and T; shorter than a window, it is continued by zeros.
            corrupted: what it was restored from (B, C, T); ignored by an unconditional discriminator.

        Returns:
            Verdicts (B * C, 1, L), one for each window at steps of a total stride, and the outputs of all blocks for feature
            matching.
        """
        features, activations = judged(signal, corrupted, self.multiple, self.conditional), []
        for block in self.blocks:
            features = functional.leaky_relu(block(features), LEAK)
            activations.append(features)
        narrow = self.narrow(features)
        filled = functional.pad(narrow, (0, max(0, self.window_frames - narrow.shape[-1])))
        return self.verdict(filled), activations
