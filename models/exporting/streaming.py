"""`models.mask_net_causal` in real numbers: a hop of sound and a state in, a hop of sound and the next state out."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.exporting.pairs import times, times_conjugate
from models.exporting.transform import MatrixTransform
from models.layers.causal_blocks import BlockState, CausalContextBlock, CausalConv
from models.layers.causal_features import LEAST_SHARE, SILENCE, CausalFeatures, FeatureState
from models.layers.running import ABOVE_ALL, MeanState
from models.mask_net_causal import PATCH_BINS, MaskNetCausal, shuffle


class StreamGraph(nn.Module):
    """Go on with a stream as `MaskNetCausal.stream` does, with a state that is one row of numbers for each channel, 0 at first.

    Args:
        net: to stand in for.

    Attributes:
        block_samples: of a block, a hop.
        state_values: S, of a channel.
    """

    back: Tensor

    def __init__(self, net: MaskNetCausal) -> None:
        super().__init__()
        self.register_buffer("back", torch.view_as_real(net.features.back).clone())  # (F, 2)
        self.net, self.block_samples = net, net.hop_samples
        self.transform = MatrixTransform(net.window, net.hop_samples)
        self.shapes = _shapes(net)
        self.sizes = [prod(shape) for shape in self.shapes]
        self.state_values = sum(self.sizes)

    def forward(self, audio: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Restore a block.

        Args:
            audio: (C, H).
            state: (C, S).

        Returns:
            (C, H), as late as the network's `delay_samples`, and the new state (C, S).
        """
        parts = [part.reshape(-1, *shape) for part, shape in zip(state.split(self.sizes, dim=1), self.shapes, strict=True)]
        started, samples, real, imaginary, tail, *rest = parts
        known = torch.cat([samples, audio], dim=-1)
        framed = known[:, self.net.lookahead_frames * self.block_samples :]
        new_real, new_imaginary = (part[..., :-1] for part in self.transform.of_frames(framed[:, None]))  # (N, 1, F) each
        features, heard, feature_state = self._features((new_real, new_imaginary), started, rest[:7])
        mask, state_of_net = self._mask(features, heard, rest[7:])
        real, imaginary = torch.cat([real, new_real], dim=1), torch.cat([imaginary, new_imaginary], dim=1)
        overlapped = self._laid(mask, real[:, :1], imaginary[:, :1])
        overlapped = overlapped + functional.pad(tail, (0, self.block_samples))
        restored = known[:, : self.block_samples] + overlapped[:, : self.block_samples]
        left = [known[:, self.block_samples :], real[:, 1:], imaginary[:, 1:], overlapped[:, self.block_samples :]]
        after = [torch.ones_like(started), *left, *feature_state, *state_of_net]
        return restored, torch.cat([part.reshape(-1, size) for part, size in zip(after, self.sizes, strict=True)], dim=1)

    def _laid(self, mask: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
        """Return the frame (N, n) of a spectrum, two of (N, 1, F), under a mask (N, 2, F, 1)."""
        by_real, by_imaginary = mask.mT.unbind(dim=1)
        masked = by_real * real - by_imaginary * imaginary, by_real * imaginary + by_imaginary * real
        frames = self.transform.to_frames(*(functional.pad(part, (0, 1)) for part in masked))
        return (self.net.gain * frames)[:, 0]

    def _features(
        self, spectrum: tuple[Tensor, Tensor], started: Tensor, state: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Return the features (N, 8, F, 1), whether there is something to hear (N, 1, 1), and the state of `CausalFeatures`."""
        features: CausalFeatures = self.net.features
        real, imaginary = spectrum
        power = real.square() + imaginary.square()
        level = power.mean(dim=-1, keepdim=True)
        heard = (level > SILENCE).to(power)
        power = power + LEAST_SHARE * level + SILENCE
        height = 0.5 * power.log()
        before_real, before_imaginary, *running = state
        floor_before = torch.where(started > 0, running[2], torch.full_like(running[2], ABOVE_ALL))
        remembered = FeatureState(before_real, MeanState(*running[:2]), floor_before, MeanState(*running[3:]))
        floor, usual, (brief, lowest, mean) = features._statistics(height, heard, remembered)
        phases = real * power.rsqrt(), imaginary * power.rsqrt()
        advance = times(times_conjugate(phases, (before_real, before_imaginary)), self.back.unbind(dim=-1))
        later, earlier = [part[..., 1:] for part in phases], [part[..., :-1] for part in phases]
        steps = [functional.pad(-part, (0, 1)) for part in times_conjugate(later, earlier)]
        above = [0.5 * heard * (height - what) for what in (floor, floor.mean(dim=-1, keepdim=True), floor + usual)]
        found = torch.stack([*above, *advance, *steps, features.frequency.expand_as(height)], dim=-1)
        return found.permute(0, 3, 2, 1), heard, [*phases, *brief, lowest, *mean]

    def _mask(self, features: Tensor, heard: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return the mask (N, 2, F, 1) of features (N, 8, F, 1), and the state of the convolutions and blocks."""
        net = self.net
        patches, patches_past = net.patches.go_on(features, state[0])
        blocks: list[Tensor] = []
        for at, block in enumerate(net.blocks):
            past, total, weight = state[3 + 3 * at : 6 + 3 * at]
            patches, after = block(patches, heard, BlockState(past, MeanState(total, weight)))
            blocks += [after.past, *after.mean]
        fine, fine_past = net.fine.go_on(features, state[1])
        joint, joint_past = net.joint.go_on(functional.relu(shuffle(net.spread(functional.relu(patches))) + fine), state[2])
        mask: Tensor = net.mask(functional.relu(joint))
        return mask, [patches_past, fine_past, joint_past, *blocks]


def _shapes(net: MaskNetCausal) -> list[tuple[int, ...]]:
    """Return the shapes of the parts of a channel's state, in their order."""
    bins, ahead = net.fft_samples // 2, net.lookahead_frames
    overlap = net.fft_samples - net.hop_samples
    spectra, mean = (ahead, bins), [(1, bins), (1, 1)]
    shapes: list[tuple[int, ...]] = [(1, 1), (overlap + ahead * net.hop_samples,), spectra, spectra, (overlap,)]
    shapes += [(1, bins), (1, bins), *mean, (1, bins), *mean]
    places = bins // PATCH_BINS
    for conv, rows in ((net.patches, bins), (net.fine, bins), (net.joint, bins)):
        assert isinstance(conv, CausalConv)
        shapes.append((conv.in_channels, rows, conv.past_frames))
    for block in net.blocks:
        assert isinstance(block, CausalContextBlock)
        channels = block.out.in_channels
        shapes += [(channels, places, block.near.past_frames), (places, 1, channels), (1, 1, 1)]
    return shapes
