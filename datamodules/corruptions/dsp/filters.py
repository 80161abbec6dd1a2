"""Magnitude responses of the classical low-pass filters, in closed form for a whole batch of designs at once.

The recursive families are analog prototypes |H(jw)| seen through the bilinear transform, w = tan(pi f) / tan(pi f_c) with f in
cycles per sample (Oppenheim and Schafer, "Discrete-Time Signal Processing", chapter 7). Multiplying a spectrum by |H| filters
without any delay. Every response is divided by its value at 0 Hz, so that no design changes the level.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.draws import rows_by_value

MAX_ORDER = 16
"""Highest order: beyond it the Bessel polynomials leave the range of single precision."""

ZERO_CROSSINGS_PER_ORDER = 4
"""Half-length of a windowed sinc in zero crossings: orders 2 to 12 give 8 to 48, about what published resamplers use."""

_LARGEST_FREQUENCY = 1e6  # Stands for the bilinear transform's infinity at Nyquist; all responses are below -200 dB there.
_THETA_TERMS = 12  # The nome of every allowed elliptic design is below 0.6, and 0.6^144 is below double precision.


@dataclass(frozen=True)
class FilterDesign:
    """The numbers that define one low-pass filter per example, each (B,); what a family does not use it ignores.

    They are float64 on the CPU, as not every device has double precision; what has the length of a spectrum is computed in
    float32 on `device`.
    """

    cutoff: Tensor
    """In cycles per sample, below 0.5: the end of the ripple for Chebyshev I and elliptic, -3 dB for Butterworth and Bessel,
    -6 dB for the windowed sinc, the edge of the brick wall."""
    order: Tensor
    ripple_db: Tensor
    """Pass band ripple of Chebyshev I and elliptic."""
    stopband_db: Tensor
    """Stop band attenuation of the elliptic family."""
    device: torch.device
    """Where the responses are wanted."""

    def rows(self, indices: Sequence[int]) -> "FilterDesign":
        """Return the designs of some examples."""
        pick = torch.as_tensor(indices)
        return FilterDesign(self.cutoff[pick], self.order[pick], self.ripple_db[pick], self.stopband_db[pick], self.device)

    def column(self, values: Tensor) -> Tensor:
        """Return numbers (B,) as (B, 1) float32 on the device."""
        return values.float().to(self.device)[:, None]


def magnitude_response(families: Sequence[str], design: FilterDesign, fft_samples: int) -> Tensor:
    """Evaluate each example's filter at the frequencies of a real FFT.

    Args:
        families: name of each example's family, a key of `FAMILIES`.
        design: numbers of each example's filter.
        fft_samples: length of the FFT, even.

    Returns:
        |H|, 1 at 0 Hz, (B, fft_samples / 2 + 1) float32 on the device of `design`.
    """
    response = torch.empty(len(families), fft_samples // 2 + 1, device=design.device)
    for family, rows in rows_by_value(families).items():
        magnitude = FAMILIES[family](design.rows(rows), fft_samples)
        response[rows] = magnitude / magnitude[:, :1]
    return response


def butterworth(design: FilterDesign, fft_samples: int) -> Tensor:
    """Evaluate |H|^2 = 1 / (1 + w^2N)."""
    frequency = _analog_frequency(design, fft_samples)
    return (1 + torch.exp2(design.column(2 * design.order) * frequency.log2())).rsqrt()


def chebyshev1(design: FilterDesign, fft_samples: int) -> Tensor:
    """Evaluate |H|^2 = 1 / (1 + e^2 T_N(w)^2) with e^2 = 10^(ripple/10) - 1 and T_N the Chebyshev polynomial."""
    frequency, order = _analog_frequency(design, fft_samples), design.column(design.order)
    inside = torch.cos(order * frequency.clamp(max=1).acos())
    above = frequency.clamp(min=1)
    outside = torch.cosh(order * (above + (above.square() - 1).sqrt()).log())  # Six times faster than acosh.
    polynomial = torch.where(frequency <= 1, inside, outside)
    return (1 + design.column(_ripple_power(design.ripple_db)) * polynomial.square()).rsqrt()


def elliptic(design: FilterDesign, fft_samples: int) -> Tensor:
    """Evaluate |H|^2 = 1 / (1 + e^2 R_N(w)^2) with R_N the elliptic rational function.

    R_N(w) = w^(N mod 2) prod_i (w^2 - a_i) / (1 - k^2 a_i w^2), scaled to R_N(1) = 1, where a_i = cd((2i - 1) K / N, k)^2 and the
    modulus k follows from the degree equation (Orfanidis, "Lecture Notes on Elliptic Filter Design", 2006).
    """
    squared = _analog_frequency(design, fft_samples).square()
    zeros, modulus = _elliptic_zeros(design)  # (R, Z), (R, 1)
    poles = modulus.square() * zeros
    gains = torch.where(zeros > 0, (1 - poles) / (1 - zeros), 0.0)
    offsets = torch.where(zeros > 0, gains * zeros, -1.0)  # Without a zero the factor is (0 + 1) / (1 - 0).
    characteristic = torch.where(design.column(design.order % 2) == 1, squared.sqrt(), 1.0)
    tables = (table.float().T.to(design.device) for table in (gains, offsets, poles))  # (Z, R) each
    for gain, offset, pole in zip(*tables, strict=True):
        numerator = torch.addcmul(-offset[:, None], gain[:, None], squared)
        characteristic *= numerator.div_(1 - pole[:, None] * squared)
    return (1 + design.column(_ripple_power(design.ripple_db)) * characteristic.square_()).rsqrt()


def bessel(design: FilterDesign, fft_samples: int) -> Tensor:
    """Evaluate |H|^2 = |theta_N(0)|^2 / |theta_N(jw)|^2, the reverse Bessel polynomial, with -3 dB at the cutoff."""
    squared = _analog_frequency(design, fft_samples).square()
    table = [_bessel_power(int(order)) for order in design.order.tolist()]
    width = max(len(row) for row in table)
    coefficients = torch.tensor([row + (0.0,) * (width - len(row)) for row in table], device=design.device)
    power = coefficients[:, -1:] * torch.ones_like(squared)
    for column in range(width - 2, -1, -1):
        power = torch.addcmul(coefficients[:, column : column + 1], power, squared)
    return power.rsqrt()


def windowed_sinc(design: FilterDesign, fft_samples: int) -> Tensor:
    """Evaluate the symmetric FIR filter h[n] = sinc(2 f_c n) under a Hann window; its response is real."""
    cutoff = design.column(design.cutoff)
    lengths = ZERO_CROSSINGS_PER_ORDER * design.order.float() / (2 * design.cutoff.float())
    half_length = design.column(lengths)
    lag = torch.arange(1, min(math.ceil(lengths.max()), fft_samples // 2), device=design.device)
    kernel = torch.sinc(2 * cutoff * lag) * torch.cos(torch.pi / 2 * (lag / half_length).clamp(max=1)).square()
    delayed = torch.nn.functional.pad(kernel, (1, 0))  # Lag 0 is 1 and enters once, every other lag twice.
    spectrum: Tensor = torch.fft.rfft(delayed, n=fft_samples)
    return 1 + 2 * spectrum.real


def brick_wall(design: FilterDesign, fft_samples: int) -> Tensor:
    """Keep the bins up to the cutoff and nothing else."""
    bins = torch.arange(fft_samples // 2 + 1)
    kept = torch.searchsorted((bins / fft_samples).double(), design.cutoff + 1e-9, right=True)  # (B,)
    return (bins.to(design.device) < kept.to(design.device)[:, None]).float()


def no_filter(design: FilterDesign, fft_samples: int) -> Tensor:
    """Keep all bins: decimation then folds whatever is above half of the low rate into the band."""
    return torch.ones(len(design.cutoff), fft_samples // 2 + 1, device=design.device)


FAMILIES: dict[str, Callable[[FilterDesign, int], Tensor]] = {
    "chebyshev1": chebyshev1,
    "butterworth": butterworth,
    "elliptic": elliptic,
    "bessel": bessel,
    "windowed_sinc": windowed_sinc,
    "brick_wall": brick_wall,
    "none": no_filter,
}


def _analog_frequency(design: FilterDesign, fft_samples: int) -> Tensor:
    bins = torch.arange(fft_samples // 2 + 1, dtype=torch.float64)
    warped = torch.tan(torch.pi / fft_samples * bins).float()
    warped[-1] = float("inf")  # tan(pi/2) has either sign in floating point.
    edge = design.column(torch.tan(torch.pi * design.cutoff))
    return (warped.to(design.device) / edge).clamp_(max=_LARGEST_FREQUENCY)


def _ripple_power(ripple_db: Tensor) -> Tensor:
    return torch.expm1(ripple_db * (math.log(10) / 10))


def _elliptic_zeros(design: FilterDesign) -> tuple[Tensor, Tensor]:
    """Find the squared zeros of R_N and the modulus k, through theta functions of the nome.

    Returns:
        Squared zeros (R, max(N) // 2), 0 where an example's order has no more of them, and k (R, 1).
    """
    ripple, attenuation = _ripple_power(design.ripple_db), _ripple_power(design.stopband_db)
    order = design.order.double()
    nome = _nome((ripple / attenuation).sqrt()).pow(1 / order)[:, None, None]  # (R, 1, 1)
    term = torch.arange(_THETA_TERMS, dtype=torch.float64)
    odd, even = nome.pow(term * (term + 1)), nome.pow(term.square()) * torch.where(term > 0, 2.0, 1.0)
    index = torch.arange(int(order.max()) // 2, dtype=torch.float64)
    angle = (torch.pi / 2 * (2 * index + 1) / order[:, None])[..., None]  # (R, Z, 1)
    theta2 = (odd * torch.cos((2 * term + 1) * angle)).sum(-1) / odd.sum(-1)
    theta3 = (even * torch.cos(2 * term * angle)).sum(-1) / even.sum(-1)
    exists = index < order[:, None].div(2, rounding_mode="floor")
    modulus = (2 * nome[..., 0].pow(0.25) * odd.sum(-1) / even.sum(-1)).square()
    return (theta2 / theta3).square() * exists, modulus


def _nome(modulus: Tensor) -> Tensor:
    """Compute q(k) by its series in l = (1 - sqrt k') / (2 (1 + sqrt k')), Whittaker and Watson, section 21.8."""
    root = (1 - modulus.square()).sqrt().sqrt()
    ell = 0.5 * modulus.square() / ((1 + root.square()) * (1 + root).square())
    return ell + 2 * ell.pow(5) + 15 * ell.pow(9) + 150 * ell.pow(13)


@functools.lru_cache
def _bessel_power(order: int) -> tuple[float, ...]:
    """Return the coefficients in w^2 of |theta_N(jw)|^2 / theta_N(0)^2, with w scaled so that the polynomial is 2 at w = 1.

    |theta_N(jw)|^2 = sum_k (2N - k)! (2N - 2k)! / (k! ((N - k)!)^2) (2w)^2k / 4^N (DLMF 10.49.18, read backwards).
    """
    factorial = math.factorial
    power = [
        factorial(2 * order - k) * factorial(2 * order - 2 * k) * 4**k / (factorial(k) * factorial(order - k) ** 2)
        for k in range(order + 1)
    ]
    relative = [coefficient / power[0] for coefficient in power]
    low, high = 0.0, 4.0 * MAX_ORDER
    for _ in range(100):
        middle = (low + high) / 2
        above = sum(c * middle**k for k, c in enumerate(relative)) > 2
        low, high = (low, middle) if above else (middle, high)
    return tuple(c * low**k for k, c in enumerate(relative))
