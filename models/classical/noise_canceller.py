"""Adaptive noise cancelling (Widrow et al. 1975, Proc. IEEE 63(12)): a second microphone hears the noise alone.

A filter predicts the recording d from L samples of the reference x around each of its own, as the noise takes another way to each
microphone and may reach either first; what it cannot predict, d - w' x, is the sound.
"""

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.adaptive import AdaptiveFilter, Nlms, predicted


class NoiseCanceller(AdaptiveFilter):
    """Take what the second channel predicts out of the first one; the second one, the reference, comes back as it is.

    What it learns from first is the beginning of the segment.

    Args:
        sample_rate: rate of the signals in Hz.
        step: mu of NLMS, from 0 to below 2.
        length_seconds: of the filter, half of it for what the reference hears later.

    Raises:
        SettingError: if there is no such filter.
    """

    channels = 2
    takes_reference = True

    def __init__(self, sample_rate: int, step: float = 0.02, length_seconds: float = 0.016) -> None:
        super().__init__(sample_rate, Nlms(step), length_seconds)

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Cancel noise.

        Args:
            corrupted: (B, 2, T), the recording and the reference.

        Returns:
            (B, 2, T), the restored recording and the reference.

        Raises:
            ValueError: for another number of channels.
        """
        if corrupted.shape[1] != self.channels:
            given = f"this signal has {corrupted.shape[1]}"
            raise ValueError(f"noise is cancelled with channels=2, the recording and the reference; {given}")
        lead = corrupted[..., : self.lead_samples]
        recording, reference = torch.cat([lead, corrupted], dim=-1).float().unbind(dim=1)
        later = (self.taps - 1) // 2
        regressors = functional.pad(reference, (self.taps - 1 - later, later)).unfold(-1, self.taps, 1)
        sound = recording - predicted(recording, regressors, self.rule)
        restored = torch.stack([sound, reference], dim=1)[..., lead.shape[-1] :]
        return restored.to(corrupted.dtype)
