"""White noise that is the same every time: the draw of a method that has no seed of its own to be given."""

import torch
from torch import Tensor

NOISE_SEED = 0


def fixed_noise(like: Tensor, period_samples: int) -> Tensor:
    """Return Gaussian noise (C, T) of unit variance for a signal (..., C, T), one stream per channel, on its device.

    It repeats after a period, so that segments that start on multiples of it have the same noise where they overlap.

    Args:
        like: the signal.
        period_samples: after which it repeats.
    """
    generator = torch.Generator().manual_seed(NOISE_SEED)
    period = torch.randn(period_samples, like.shape[-2], generator=generator)
    return period[torch.arange(like.shape[-1]) % period_samples].T.to(like.device)
