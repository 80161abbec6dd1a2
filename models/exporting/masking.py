"""`models.mask_net` in real numbers: the mask of a segment, whose level and floors are judged in the graph."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.exporting.floors import SlidingFloor
from models.exporting.gains import GainStageGraph
from models.exporting.pairs import square, times, times_conjugate, unit
from models.exporting.transform import MatrixTransform
from models.layers.gain_stage import bounded
from models.layers.level import level_of
from models.layers.mask_features import (
    FLOOR_FRAMES,
    GROUPED_BINS,
    LEAST_POWER,
    group_places,
    grouped,
    half_log,
    in_groups,
    of_bins,
    turned_back,
)
from models.mask_net import MaskNet


class MaskNetGraph(nn.Module):
    """Restore a segment (B, C, T) as `MaskNet.restore_segment` does.

    Args:
        net: to stand in for.

    Raises:
        NotExportableError: if a hop does not go into its window.
    """

    back: Tensor

    def __init__(self, net: MaskNet) -> None:
        super().__init__()
        self.net = net
        self.transform = MatrixTransform(net.window, net.hop_samples)
        self.floor = SlidingFloor(FLOOR_FRAMES)
        self.gain_stage = GainStageGraph(net.gain_stage) if net.gain_stage is not None else None
        back = turned_back(net.alone + 1, self.transform.fft_samples, net.hop_samples)
        self.register_buffer("back", torch.view_as_real(back).clone())  # (F, 2)

    def forward(self, segment: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C, T)."""
        signal = segment.reshape(-1, segment.shape[-1])  # (N, T)
        level = level_of(signal).clamp_min(torch.finfo(torch.float32).tiny)
        given = signal / level
        calm, led_up = self.net.onsets.without(given, self.net.onsets.find(given))
        both = torch.cat([given, calm])
        found = bounded(self.find(both), both)
        chosen = torch.lerp(found[: len(given)], found[len(given) :], led_up)
        return segment + (level * chosen).reshape(segment.shape)

    def find(self, given: Tensor) -> Tensor:
        """Find what `MaskNet.find` finds, (N, T) from (N, T)."""
        spectrum = self.transform.of_signal(self.net.filled(given))  # (N, F, L) each
        mask = functional.pad(of_bins(self.net.change(self.features(spectrum)), self.net.alone), (0, 0, 0, 1))
        found = self.transform.synthesize(*times(mask.unbind(dim=1), spectrum))[:, : given.shape[-1]]
        return found if self.gain_stage is None else found + self.gain_stage(given, given + found)

    def features(self, spectrum: tuple[Tensor, Tensor]) -> Tensor:
        """Return the seven features (N, 7, R, L) of `mask_features` of spectra, two of (N, F, L)."""
        alone, power = self.net.alone, square(spectrum)
        single, reference = self._of_bins([part[:, : alone + 1] for part in spectrum], half_log(power[:, : alone + 1]))
        if alone == self.transform.bins - 1:
            return single[:, :, :-1]
        height = half_log(in_groups(power[:, alone:-1]))
        above = [0.5 * (height - level) for level in (self.floor(height), reference)]
        place = group_places(height.shape[1], alone)[:, None].expand_as(height)
        shared = torch.stack([*above, *(torch.zeros_like(height) for _ in range(4)), place], dim=1)
        return torch.cat([single[:, :, :-1], shared], dim=2)

    def _of_bins(self, spectrum: Sequence[Tensor], height: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features (N, 7, F, L) of the first bins, of log magnitude (N, F, L), and their mean floor (N, 1, L)."""
        bins = self.net.alone + 1
        floor = self.floor(grouped(height)).index_select(1, torch.arange(bins) // GROUPED_BINS)
        reference = floor.mean(dim=1, keepdim=True)
        phases = unit(spectrum, LEAST_POWER)
        later, earlier = [part[..., 1:] for part in phases], [part[..., :-1] for part in phases]
        following = [functional.pad(part, (0, 1)) for part in times_conjugate(later, earlier)]
        advance = times(following, (self.back[:, :1], self.back[:, 1:]))
        upper, lower = [part[:, 1:] for part in phases], [part[:, :-1] for part in phases]
        steps = [functional.pad(-part, (0, 0, 0, 1)) for part in times_conjugate(upper, lower)]
        frequency = torch.linspace(-1, 1, bins)[:, None].expand_as(height)
        above = [0.5 * (height - level) for level in (floor, reference)]
        return torch.stack([*above, *advance, *steps, frequency], dim=1), reference
