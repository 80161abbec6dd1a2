"""Audio at the rate that measures of speech know."""

import soxr
import torch
from torch import Tensor

SPEECH_RATE_HZ = 16_000


def at_speech_rate(signal: Tensor, sample_rate: int) -> tuple[Tensor, int]:
    """Return a signal at no more than 16 kHz.

    Args:
        signal: (B, C, T).
        sample_rate: in Hz.

    Returns:
        (B, C, T'), in single precision if it was resampled, and its rate in Hz.
    """
    if sample_rate <= SPEECH_RATE_HZ:
        return signal, sample_rate
    channels = signal.detach().flatten(0, 1).float().cpu().numpy()  # (B * C, T)
    low = torch.from_numpy(soxr.resample(channels.T, sample_rate, SPEECH_RATE_HZ).T.copy())
    resampled: Tensor = low.to(signal.device).unflatten(0, signal.shape[:2])
    return resampled, SPEECH_RATE_HZ
