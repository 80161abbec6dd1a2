"""What the two channels of an example are: left and right, or their middle and their difference."""

import torch
from torch import Tensor

LAYOUTS = ("left_right", "mid_side")


def to_mid_side(audio: Tensor) -> Tensor:
    """Turn left and right into mid and side.

    Both are halved, so that neither leaves full scale. Of two signals that are both turned, ratios of energies over channels and
    time, such as an SNR, stay what they are.

    Args:
        audio: left and right, (..., 2, T).

    Returns:
        (L + R) / 2 and (L - R) / 2, (..., 2, T).

    Example:
        >>> to_mid_side(torch.tensor([[1.0, 0.5], [0.0, 0.5]])).tolist()
        [[0.5, 0.5], [0.5, 0.0]]
    """
    left, right = audio.unbind(-2)
    return torch.stack([(left + right) / 2, (left - right) / 2], dim=-2)


def as_recorded(audio: Tensor) -> Tensor:
    """Leave the channels of a signal as they are."""
    return audio


def check_layout(layout: str, channels: int) -> None:
    """Refuse a layout that there is not, or that other than two channels cannot have.

    Raises:
        ValueError: naming the keys.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"data.channel_layout={layout!r} is unknown; known: {', '.join(LAYOUTS)}")
    if layout == "mid_side" and channels != 2:
        raise ValueError(f"data.channel_layout=mid_side needs data.channels=2; this is {channels}")
