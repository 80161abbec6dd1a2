"""Impulse responses of recursive filters from their transfer functions, one filter per example of a batch.

A transfer function is evaluated on a circle around the origin of the z plane and transformed back. On the unit circle itself,
whatever a response holds after one period would fold back onto its beginning; on a larger circle it comes back 80 dB quieter.
"""

import math

import torch
from torch import Tensor

from datamodules.corruptions.dsp.fft import fast_even_length

_ATTENUATION = 4 * math.log(10)  # Of one period, as a natural logarithm: 80 dB.


class Circle:
    """Points of the z plane at which filters are evaluated, enough for responses of a length."""

    def __init__(self, length: int, device: torch.device) -> None:
        """Place the points.

        Args:
            length: of the responses in samples.
            device: of the responses.
        """
        self._length = length
        self._period = fast_even_length(2 * length)
        self._bins = torch.arange(self._period // 2 + 1, device=device)

    def delay(self, samples: Tensor) -> Tensor:
        """Evaluate z^-D.

        Args:
            samples: D, whole numbers, (B,), on the device of the points.

        Returns:
            (B, F) complex64.
        """
        turns = (samples.long()[:, None] * self._bins) % self._period
        angle = turns.float() * (-2 * math.pi / self._period)
        radius = torch.exp(samples.float() * (-_ATTENUATION / self._period))[:, None]
        return torch.view_as_complex(torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1))

    def response(self, values: Tensor) -> Tensor:
        """Transform a transfer function back.

        Args:
            values: at the points, (B, F) complex64.

        Returns:
            The impulse response, (B, length) float32.
        """
        damped = torch.fft.irfft(values, n=self._period)[..., : self._length]
        growth = torch.exp(torch.arange(self._length, device=damped.device) * (_ATTENUATION / self._period))
        response: Tensor = damped * growth
        return response
