"""Frames as measures of speech have them: Hann windows of 30 ms that overlap by three quarters."""

import torch
from torch import Tensor

from models.layers import stft

FRAME_SECONDS = 0.03


def speech_frames(signal: Tensor, sample_rate: int) -> Tensor:
    """Cut a signal into windowed frames; zeros fill one shorter than a frame, and a last incomplete frame is left out.

    Args:
        signal: (..., T).
        sample_rate: in Hz.

    Returns:
        (..., frames, samples), each times 0.5 (1 - cos(2 pi n / (samples + 1))), n = 1 ... samples.
    """
    samples = max(round(FRAME_SECONDS * sample_rate), 4)
    window = torch.hann_window(samples + 2, periodic=False, dtype=signal.dtype, device=signal.device)[1:-1]
    return stft.filled_to_frame(signal, samples).unfold(-1, samples, samples // 4) * window
