"""Evaluate the curve through uniform samples on another uniform grid, as one strided convolution per batch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor
from torch.nn import functional

SINC_HALF_WIDTH = 64  # samples on each side; with KAISER_BETA exact to 80 dB up to 0.96 of the Nyquist frequency
KAISER_BETA = 8.0
SPLINE_HALF_WIDTH = 32  # a sample's influence falls by 2 - sqrt(3) = 0.27 per sample: below 1e-18 beyond
_POLE = math.sqrt(3.0) - 2.0


@dataclass(frozen=True)
class Kernel:
    """A curve y(t) = sum_k y[k] weight(t - k).

    Attributes:
        weight: the kernel, a function of distances in samples (float64).
        half_width: distance in samples beyond which it is zero.
    """

    weight: Callable[[Tensor], Tensor]
    half_width: int


def windowed_sinc(distance: Tensor) -> Tensor:
    """Return the sinc function under a Kaiser window: the band-limited curve."""
    edge = (1 - (distance / SINC_HALF_WIDTH).square()).clamp(min=0).sqrt()
    curve: Tensor = torch.sinc(distance) * torch.special.i0(KAISER_BETA * edge) / torch.special.i0(edge.new_tensor(KAISER_BETA))
    return curve


def cardinal_spline(distance: Tensor) -> Tensor:
    """Return the cubic spline through a unit impulse (Unser, Aldroubi and Eden 1993, IEEE Trans. Signal Processing 41(2)).

    Sum over k of c[k] b(t - k), with the cubic B-spline b and c[k] = -6 z / (1 - z^2) z^|k|, z = sqrt(3) - 2, the inverse of
    its samples (1, 4, 1) / 6.
    """
    shifts = torch.arange(-SPLINE_HALF_WIDTH - 2, SPLINE_HALF_WIDTH + 3, dtype=distance.dtype)
    coefficients = -6 * _POLE / (1 - _POLE**2) * _POLE ** shifts.abs()
    t = (distance[..., None] - shifts).abs()
    near = 2 / 3 - t.square() + t**3 / 2
    far = (2 - t).clamp(min=0) ** 3 / 6
    return (torch.where(t < 1, near, far) * coefficients).sum(-1)


SINC = Kernel(windowed_sinc, SINC_HALF_WIDTH)
SPLINE = Kernel(cardinal_spline, SPLINE_HALF_WIDTH)


def resample(values: Tensor, step: Fraction, count: int, kernel: Kernel) -> Tensor:
    """Evaluate the curve through samples at 0, 1, 2, ... at the positions 0, step, 2 step, ...

    Beyond its ends the signal is continued by point reflection, which gives `SPLINE` the natural end conditions (no curvature).
    With step = p / q the weights repeat after q outputs and p inputs: q filters of stride p.

    Args:
        values: samples (N, K).
        step: distance of the positions in samples.
        count: number of positions.
        kernel: the curve.

    Returns:
        Values (N, count), in the dtype of `values`.
    """
    periods = math.ceil(count / step.denominator)
    filters = _polyphase(step, kernel).to(values)
    needed = (periods - 1) * step.numerator + filters.shape[-1]
    left = kernel.half_width - 1
    extended = _extend_oddly(values, left, max(0, needed - left - values.shape[-1]))
    phases = functional.conv1d(extended.unsqueeze(1), filters, stride=step.numerator)[..., :periods]  # (N, q, periods)
    return phases.transpose(1, 2).flatten(1)[:, :count]


def _polyphase(step: Fraction, kernel: Kernel) -> Tensor:
    """Return the filters (q, 1, taps) whose first tap meets the sample half_width - 1 before position 0."""
    positions = torch.arange(step.denominator, dtype=torch.float64) * step.numerator / step.denominator
    taps = torch.arange(1 - kernel.half_width, kernel.half_width + step.numerator + 1, dtype=torch.float64)
    distance = positions[:, None] - taps
    weights = torch.zeros_like(distance)
    within = distance.abs() < kernel.half_width
    weights[within] = kernel.weight(distance[within])
    return weights.unsqueeze(1)


def _extend_oddly(values: Tensor, left: int, right: int) -> Tensor:
    """Continue (N, K) by point reflection in its end samples, over and over where it is short; (N, left + K + right)."""
    last = values.shape[-1] - 1
    if last == 0:
        return values.expand(-1, left + 1 + right)
    index = torch.arange(-left, last + right + 1, device=values.device)
    period, phase = index.div(2 * last, rounding_mode="floor"), index % (2 * last)
    first, end = values[:, :1], values[:, -1:]
    mirrored = 2 * end - values[:, (2 * last - phase).clamp(max=last)]
    return torch.where(phase <= last, values[:, phase.clamp(max=last)], mirrored) + 2 * period * (end - first)
