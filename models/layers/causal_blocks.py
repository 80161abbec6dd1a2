"""Convolutions over bins and frames that look at no later frame, with what they need of earlier ones handed from call to call."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.running import MeanState, RunningMean
from models.layers.starting import nearly_zeroed


class CausalConv(nn.Conv2d):
    """Convolve over bins and frames, centered over bins; before the first frame there are zeros.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: (bins, frames).
        stride_bins: from output to output.
        dilation_frames: from tap to tap.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], stride_bins: int = 1, dilation_frames: int = 1
    ) -> None:
        padding = ((kernel[0] - stride_bins + 1) // 2, 0)
        super().__init__(inputs, outputs, kernel, (stride_bins, 1), padding, (1, dilation_frames))
        self.past_frames = (kernel[1] - 1) * dilation_frames

    def go_on(self, signal: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """Go on with a stream.

        Args:
            signal: (N, C, I, L).
            past: (N, C, I, frames) that the call before has left; None before the first.

        Returns:
            (N, C', I / stride, L), and the new past.
        """
        joined = functional.pad(signal, (self.past_frames, 0)) if past is None else torch.cat([past, signal], dim=-1)
        return self(joined), joined[..., joined.shape[-1] - self.past_frames :]


class BlockState(NamedTuple):
    """What the frames so far have left in a block."""

    past: Tensor
    mean: MeanState


class CausalContextBlock(nn.Module):
    """Add to every patch what its neighbors said lately, and what there is at its frequencies all the time; at first, little.

    x + W relu(K x + A running mean of x), K being 3 x 3 and dilated over time, A 3 x 1 and W nearly 0 before training.

    Args:
        channels: of a patch.
        dilation_frames: from tap to tap of K.
        factor: what is left of a frame's weight in the running mean after another frame.
    """

    def __init__(self, channels: int, dilation_frames: int, factor: float) -> None:
        super().__init__()
        self.near = CausalConv(channels, channels, (3, 3), dilation_frames=dilation_frames)
        self.mean = RunningMean(factor)
        self.always = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        self.out = nearly_zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, patches: Tensor, heard: Tensor, state: BlockState | None) -> tuple[Tensor, BlockState]:
        """Go on with a stream.

        Args:
            patches: (N, D, I, L).
            heard: (N, L, 1), weights of the frames in the mean.
            state: what the frames before have left; None before the first.

        Returns:
            (N, D, I, L), and the new state.
        """
        near, past = self.near.go_on(patches, state and state.past)
        with torch.autocast(patches.device.type, enabled=False):
            values = patches.float().permute(0, 2, 3, 1)  # (N, I, L, D)
            mean, mean_state = self.mean(values, heard[:, None], state and state.mean)
        always = self.always(mean.permute(0, 3, 1, 2))
        return patches + self.out(functional.relu(near + always)), BlockState(past, mean_state)
