"""`models.mask_net` in real numbers: the mask of a segment, whose level and floors are judged in the graph."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.exporting.transform import MatrixTransform
from models.layers.level import level_of
from models.layers.mask_features import FLOOR_QUANTILE, LEAST_POWER, smoothed, turned_back
from models.mask_net import PATCH_FRAMES, MaskNet


class MaskNetGraph(nn.Module):
    """Restore a segment (B, C, T) as `MaskNet.restore_segment` does.

    Args:
        net: to stand in for.

    Raises:
        NotExportableError: if its hop does not go into its window.
    """

    back: Tensor
    quantile: Tensor

    def __init__(self, net: MaskNet) -> None:
        super().__init__()
        self.net, self.hop_samples = net, net.hop_samples
        self.transform = MatrixTransform(net.window, net.hop_samples)
        back = turned_back(self.transform.bins, self.transform.fft_samples, net.hop_samples)
        self.register_buffer("quantile", torch.tensor(FLOOR_QUANTILE, dtype=torch.float64))
        self.register_buffer("back", torch.view_as_real(back).clone())  # (F, 2)

    def forward(self, segment: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C, T)."""
        signal = segment.reshape(-1, segment.shape[-1])  # (N, T)
        level = level_of(signal).clamp_min(torch.finfo(torch.float32).tiny)
        filled = functional.pad(signal / level, (0, -(signal.shape[-1] + self.hop_samples) % (PATCH_FRAMES * self.hop_samples)))
        real, imaginary = self.transform.analyze(filled)  # (N, F, L) each
        change = self.net.change(self.features(real, imaginary)[:, :, :-1])
        by_real, by_imaginary = (functional.pad(part, (0, 0, 0, 1)) for part in change.unbind(dim=1))
        masked = by_real * real - by_imaginary * imaginary, by_real * imaginary + by_imaginary * real
        found = self.transform.synthesize(*masked)[:, : segment.shape[-1]]
        return segment + (level * found).reshape(segment.shape)

    def features(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Return the seven features (N, 7, F, L) of `mask_features` of spectra, two of (N, F, L)."""
        power = real.square() + imaginary.square()
        log_magnitude = 0.5 * (power + LEAST_POWER).log()
        floor = log_floor(log_magnitude, self.quantile)
        share = 1 / (power.sqrt() + LEAST_POWER)
        unit = real * share, imaginary * share
        advance = _times_conjugate(_later(unit, 2), _earlier(unit, 2))
        back_real, back_imaginary = self.back[:, :1], self.back[:, 1:]
        advance = (
            functional.pad(advance[0], (0, 1)) * back_real - functional.pad(advance[1], (0, 1)) * back_imaginary,
            functional.pad(advance[0], (0, 1)) * back_imaginary + functional.pad(advance[1], (0, 1)) * back_real,
        )
        step = _times_conjugate(_later(unit, 1), _earlier(unit, 1))
        steps = [functional.pad(-part, (0, 0, 0, 1)) for part in step]
        frequency = torch.linspace(-1, 1, self.transform.bins)[:, None].expand_as(log_magnitude)
        above = [0.5 * (log_magnitude - what) for what in (floor, floor.mean(dim=1, keepdim=True))]
        return torch.stack([*above, *advance, *steps, frequency], dim=1)


def log_floor(log_magnitude: Tensor, quantile: Tensor) -> Tensor:
    """Return the floors of `models.layers.mask_features`, by sorting.

    Args:
        log_magnitude: (N, F, L).
        quantile: () in double precision, as a constant in a graph would be of single one and give other ranks.

    Returns:
        (N, F, 1).
    """
    frames = torch.full((1,), log_magnitude.shape[-1], dtype=torch.float64)
    rank = (quantile * frames).ceil().clamp_min(1).long()
    return smoothed(log_magnitude.mT).mT.sort(dim=-1).values.index_select(-1, rank - 1)


def _later(parts: tuple[Tensor, Tensor], dim: int) -> tuple[Tensor, Tensor]:
    real, imaginary = (part.narrow(dim, 1, part.shape[dim] - 1) for part in parts)
    return real, imaginary


def _earlier(parts: tuple[Tensor, Tensor], dim: int) -> tuple[Tensor, Tensor]:
    real, imaginary = (part.narrow(dim, 0, part.shape[dim] - 1) for part in parts)
    return real, imaginary


def _times_conjugate(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the real and imaginary parts of a b*."""
    return first[0] * second[0] + first[1] * second[1], first[1] * second[0] - first[0] * second[1]
