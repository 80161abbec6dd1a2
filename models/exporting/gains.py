"""The second look of `models.mask_net` in real numbers."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.exporting.floors import SlidingFloor
from models.exporting.pairs import square, times_conjugate, unit
from models.exporting.transform import MatrixTransform
from models.layers.gain_stage import FLOOR_FRAMES, RATIO_LIMIT, GainStage
from models.layers.mask_features import LEAST_POWER


class GainStageGraph(nn.Module):
    """Find what `GainStage` finds.

    Args:
        stage: to stand in for.

    Raises:
        NotExportableError: if its hop does not go into its window.
    """

    def __init__(self, stage: GainStage) -> None:
        super().__init__()
        self.stage, self.hop_samples = stage, stage.hop_samples
        self.transform = MatrixTransform(stage.window, stage.hop_samples)
        self.floor = SlidingFloor(FLOOR_FRAMES)

    def forward(self, given: Tensor, restored: Tensor) -> Tensor:
        """Map x and y, (N, T) each, at level 1, to (N, T)."""
        samples = given.shape[-1]
        x, y = (self.transform.analyze(functional.pad(signal, (0, -samples % self.hop_samples))) for signal in (given, restored))
        gains = self.stage.judge(self.features(x, y))
        change = (gains[:, 0] * of_y + gains[:, 1] * of_x for of_x, of_y in zip(x, y, strict=True))
        return self.transform.synthesize(*change)[:, :samples]

    def features(self, given: tuple[Tensor, Tensor], restored: tuple[Tensor, Tensor]) -> Tensor:
        """Return the features (N, 5, F, L) of `gain_features` of spectra X and Y, two of (N, F, L) each."""
        height, restored_height = (0.5 * (square(each) + LEAST_POWER).log() for each in (given, restored))
        floor = self.floor(height.mean(dim=1, keepdim=True))
        ratio = (restored_height - height).clamp(-RATIO_LIMIT, RATIO_LIMIT)
        turned = unit(times_conjugate(restored, given), LEAST_POWER)
        frequency = torch.linspace(-1, 1, self.transform.bins)[:, None].expand_as(height)
        return torch.stack([0.5 * (height - floor), 0.5 * ratio, *turned, frequency], dim=1)
