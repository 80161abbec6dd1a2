"""The discriminator beside the bottleneck U-Net: its down path with batch normalization and one linear layer at the end.

From Billotais/Denoising-with-Generative-Models, without the sigmoid, as losses on logits are exact where it saturates. There
the linear layer reads a flattened window, so that only windows of one length can be judged. Here it is the same layer as a
convolution over a window, and longer signals get one logit for each place of the window.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from models.layers.judging import judged
from models.layers.normalization import check_norm, normalized
from models.layers.setting_error import SettingError
from models.layers.unet_blocks import down_blocks, plan


class UNetDiscriminator(nn.Module):
    """Judge signals by windows: the logit is high where one takes the signal for clean.

    Args:
        depth: number of down blocks; `channels` and `kernels` default to the published U-Net's plan for it.
        channels: filters of each block, outermost first.
        kernels: taps of each block, odd.
        window_samples: what the last layer sees at once, a multiple of 2^depth (published: 1024).
        dropout: probability ahead of the last layer.
        norm: normalization in each block, or of all weights if spectral; see models.layers.normalization (published: batch).
        conditional: whether the corrupted signal is seen beside the one to judge (published: a choice).

    Raises:
        ValueError: if the plans are not `depth` long, a block would have no channels, a kernel is even, the window cannot be
            halved `depth` times, or the normalization is unknown.
    """

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        window_samples: int = 1024,
        dropout: float = 0.5,
        norm: str = "batch",
        conditional: bool = True,
    ) -> None:
        super().__init__()
        channels, kernels = plan(depth, channels, kernels)
        check_norm(norm, "@norm")
        self.multiple = 2**depth
        if window_samples < 1 or window_samples % self.multiple:
            raise SettingError(f"@window_samples must be a multiple of {self.multiple} = 2^@depth; got {window_samples}")
        self.window_frames = window_samples // self.multiple
        self.conditional = conditional
        self.blocks = down_blocks(1 + conditional, channels, kernels, bias=True, norm=norm)
        self.dropout = nn.Dropout(dropout)
        verdict = nn.Conv1d(channels[-1], 1, self.window_frames)
        self.verdict = normalized(verdict, 1, norm if norm == "spectral" else "none")

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the verdicts and what led to them.

        Args:
            signal: the one to judge (B, C, T), any C and T; shorter than a window, it is continued by zeros.
            corrupted: what it was restored from (B, C, T); ignored by an unconditional discriminator.

        Returns:
            Logits (B * C, 1, L), one for each window at steps of 2^depth samples, and the outputs of all blocks for feature
            matching.
        """
        activations = judged(signal, corrupted, self.multiple, self.conditional)
        missing = self.window_frames * self.multiple - activations.shape[-1]
        activations = functional.pad(activations, (0, max(missing, 0)))
        features = []
        for block in self.blocks:
            activations = block(activations)
            features.append(activations)
        return self.verdict(self.dropout(activations)), features
