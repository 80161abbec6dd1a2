"""What a mask is estimated from when sound is still coming in: features of every bin that know no level and no future."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import stft
from models.layers.mask_features import smoothed, turned_back
from models.layers.running import ABOVE_ALL, MeanState, RisingMinimum, RunningMean

FEATURES = 8
BRIEF_PER_MEMORY = 1 / 32
"""For how long a spectrum is smoothed before it may be the floor."""
LEAST_SHARE = 1e-9
"""Of the mean power of a frame's bins, below which nothing is told apart: -90 dB, above what rounding leaves."""
SILENCE = 1e-30
"""Mean power of a frame's bins, up to which there is nothing to hear."""


class FeatureState(NamedTuple):
    """What the frames so far have left: the last one's phases, and running statistics."""

    phases: Tensor  # (N, 1, F), complex
    brief: MeanState
    floor: Tensor
    usual: MeanState


class CausalFeatures(nn.Module):
    """Compute features of short-time spectra that tell noise from sound, from a frame and those before it.

    In order: half the natural log magnitude above the bin's floor, above the mean floor of all bins, and above what is usual over
    the bin's floor, by a running mean; cosine and sine of the phase advance from the frame before, less what the bin's center
    frequency advances in a hop; cosine and sine of the phase step to the next bin, sign-flipped, as a window's middle turns by
    half a circle from bin to bin; and the frequency from -1 to 1. Phases of bins 90 dB below the others give less than 1.

    The floor is the least of brief means of the log magnitude smoothed over 9 bins; it rises by 1, which is 8.7 dB, in a memory.
    So it falls at once with the level, and what was loud before does not count for long. Silent frames count in no statistic, and
    their features are 0 but for the frequency.

    Args:
        bins: F.
        fft_samples: of a frame.
        hop_samples: from frame to frame.
        memory_frames: after which a frame counts 1 / e in running statistics.
    """

    back: Tensor
    frequency: Tensor

    def __init__(self, bins: int, fft_samples: int, hop_samples: int, memory_frames: float) -> None:
        super().__init__()
        self.brief = RunningMean(math.exp(-1 / (BRIEF_PER_MEMORY * memory_frames)))
        self.floor = RisingMinimum(1 / memory_frames)
        self.usual = RunningMean(math.exp(-1 / memory_frames))
        self.register_buffer("back", turned_back(bins, fft_samples, hop_samples), persistent=False)
        self.register_buffer("frequency", torch.linspace(-1, 1, bins), persistent=False)

    def forward(self, spectrum: Tensor, state: FeatureState | None) -> tuple[Tensor, Tensor, FeatureState]:
        """Go on with a stream.

        Args:
            spectrum: (N, L, F), complex.
            state: what the frames before have left; None before the first.

        Returns:
            (N, 8, F, L) features, those of a bin side by side in memory; (N, L, 1), 1 where there is something to hear and else
            0; and the new state.
        """
        power = stft.squared_magnitude(spectrum)  # (N, L, F)
        level = power.mean(dim=-1, keepdim=True)
        heard = (level > SILENCE).to(power)
        power = power + LEAST_SHARE * level + SILENCE
        height = 0.5 * power.log()
        floor, usual, statistics = self._statistics(height, heard, state)
        phases = spectrum / power.sqrt()
        before = phases[:, :1] * 0 if state is None else state.phases
        advance = phases * torch.cat([before, phases[:, :-1]], dim=1).conj() * self.back
        step = functional.pad(-phases[..., 1:] * phases[..., :-1].conj(), (0, 1))
        above = [0.5 * heard * (height - what) for what in (floor, floor.mean(dim=-1, keepdim=True), floor + usual)]
        frequency = self.frequency.expand_as(height)
        features = torch.stack([*above, advance.real, advance.imag, step.real, step.imag, frequency], dim=-1)
        return features.permute(0, 3, 2, 1), heard, FeatureState(phases[:, -1:], *statistics)

    def _statistics(
        self, height: Tensor, heard: Tensor, state: FeatureState | None
    ) -> tuple[Tensor, Tensor, tuple[MeanState, Tensor, MeanState]]:
        """Return the floor and the mean height above it (N, L, F) of log magnitudes (N, L, F), and the states of all that run."""
        brief, brief_state = self.brief(smoothed(height), heard, state and state.brief)
        floor, floor_state = self.floor(torch.where(heard > 0, brief, ABOVE_ALL), state and state.floor)
        usual, usual_state = self.usual(height - floor, heard, state and state.usual)
        return floor, usual, (brief_state, floor_state, usual_state)
