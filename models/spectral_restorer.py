"""What networks share that restore log spectra of frames, mel bands or bins, and leave the phase as it is."""

from typing import ClassVar

import torch
from torch import Tensor

from models.layers.level import level_of
from models.layers.log_frames import LogFrames
from models.restorer import SegmentedRestorer, segments_of


class SpectralRestorer(SegmentedRestorer):
    """Restore the features of every segment, at one level; a subclass says how.

    Args:
        sample_rate: in Hz.
        fft_samples: of the Hann window.
        hop_samples: from frame to frame, at most half a window.
        bands: of the mel scale; None restores every bin.

    Raises:
        SettingError: if a number does not fit the others.
    """

    level_free = True
    corrects: ClassVar[bool] = True
    """Whether the untrained network changes nothing, and a change is added to the signal, or the signal made anew."""
    pretrained_layers = 0
    """Layers that can be trained one by one, by `layer_error`."""

    def __init__(self, sample_rate: int, fft_samples: int, hop_samples: int, bands: int | None) -> None:
        frames = LogFrames(sample_rate, fft_samples, hop_samples, bands)
        super().__init__(segments_of(sample_rate, hop_samples))
        self.frames = frames

    def enhanced(self, features: Tensor) -> Tensor:
        """Map features (N, D, L) to restored ones of the same shape."""
        raise NotImplementedError

    def layer_error(self, layer: int, noisy: Tensor, clean: Tensor) -> Tensor:
        """Return the () squared error of one layer trained by itself.

        Args:
            layer: its number, from 0.
            noisy: features (N, D, L).
            clean: features (N, D, L).
        """
        raise NotImplementedError

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T)."""
        signal, level = leveled(segment)
        with torch.autocast(segment.device.type, enabled=False):
            spectrum = self.frames.analyze(signal)
            features = self.frames.features(spectrum)
        difference = self.enhanced(features).float() - features
        with torch.autocast(segment.device.type, enabled=False):
            gain = self.frames.gains(spectrum, difference)
            factor = torch.expm1(gain) if self.corrects else torch.exp(gain)
            found = (level * self.frames.synthesize(factor * spectrum, segment.shape[-1])).reshape(segment.shape)
        return segment + found if self.corrects else found

    def features_of(self, corrupted: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features (B C, D, L) of signals (B, C, T), both at the level of the corrupted ones."""
        with torch.autocast(corrupted.device.type, enabled=False):
            signal, level = leveled(corrupted)
            wanted = clean.reshape(signal.shape).float() / level
            noisy, restored = (self.frames.features(self.frames.analyze(each)) for each in (signal, wanted))
        return noisy, restored


def leveled(signal: Tensor) -> tuple[Tensor, Tensor]:
    """Return signals (B, C, T) at level 1 as (B C, T), and their levels (B C, 1)."""
    mono = signal.reshape(-1, signal.shape[-1]).float()
    level = level_of(mono).clamp_min(torch.finfo(torch.float32).tiny)
    return mono / level, level
