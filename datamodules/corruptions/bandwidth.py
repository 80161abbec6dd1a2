"""Lose the high frequencies: low-pass filters of random kinds, and the whole way down to a low sample rate and back.

A network trained with a single filter learns to undo that filter and fails on any other (Sulun and Davies, "On Filter
Generalization for Music Bandwidth Extension Using Deep Neural Networks", 2020), so family, order and ripple are drawn for each
example.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules import draws
from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.decimation import INTERPOLATIONS, Frame, down_and_up
from datamodules.corruptions.dsp.fft import fast_length
from datamodules.corruptions.dsp.filters import FAMILIES, MAX_ORDER, FilterDesign, magnitude_response
from datamodules.corruptions.settings import known_names, positive_range, probability, whole_range
from datamodules.draws import Range

ALL_FAMILIES = ("chebyshev1", "butterworth", "elliptic", "bessel", "windowed_sinc", "brick_wall")

HIGHEST_CUTOFF = 7 / 16
"""Of the sample rate: where a range of cutoffs ends that would go on beyond the Nyquist frequency; 7 kHz at 16 kHz."""

_PADDING_CYCLES = 32
"""Reflected audio at each end in periods of the cutoff, for the filters to ring in."""


class FilterDraw:
    """Draw one low-pass filter per example from the given families and ranges."""

    def __init__(self, filters: Sequence[str], order: Range, ripple_db: Range, stopband_db: Range, passes: int) -> None:
        """Check the ranges; their meaning is told in `LowPass`."""
        self.families = known_names(filters, "filters", tuple(FAMILIES))
        self.order = whole_range(order, "order", 1, MAX_ORDER)
        self.ripple_db = draws.as_range(ripple_db, "ripple_db")
        self.stopband_db = draws.as_range(stopband_db, "stopband_db")
        self.passes = passes
        if not 0 < self.ripple_db[0] <= self.ripple_db[1] < self.stopband_db[0]:
            raise ValueError(f"ripple_db={ripple_db!r} must be above 0 and below stopband_db={stopband_db!r}")
        if passes not in (1, 2):
            raise ValueError(f"passes={passes!r} is neither 1 (|H|) nor 2 (|H|^2, forward and backward)")

    def responses(self, cutoff: Tensor, fft_samples: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """Draw filters with the given cutoffs (B,) in cycles per sample and return |H| or |H|^2, (B, fft_samples / 2 + 1)."""
        shape = (cutoff.shape[0],)
        families = [self.families[index] for index in draws.choices(len(self.families), shape, generator).tolist()]
        order = draws.integers(*self.order, shape, generator)
        ripple_db = draws.uniform(*self.ripple_db, shape, generator)
        stopband_db = draws.uniform(*self.stopband_db, shape, generator)
        cutoff, ripple_db, stopband_db = (values.cpu().double() for values in (cutoff, ripple_db, stopband_db))
        design = FilterDesign(cutoff, order.cpu(), ripple_db, stopband_db, device)
        return magnitude_response(families, design, fft_samples).pow_(self.passes)


class LowPass(Corruption):
    """Filter each example with a zero-phase low-pass of a random family, order and cutoff, at its full rate."""

    def __init__(
        self,
        cutoff_hz: Range = (1000.0, 7000.0),
        filters: Sequence[str] = ALL_FAMILIES,
        order: Range = (2, 12),
        ripple_db: Range = (0.05, 0.5),
        stopband_db: Range = (40.0, 80.0),
        passes: int = 1,
    ) -> None:
        """Check the ranges.

        Args:
            cutoff_hz: cutoff, drawn evenly on a logarithmic axis; what it marks in each family is told in `FilterDesign`. Of a
                range that goes on beyond half the sample rate, what lies below 7/16 of the rate is drawn.
            filters: families to draw from, keys of `filters.FAMILIES`; `none` leaves an example as it is.
            order: order, 1 to 16; for `windowed_sinc` a quarter of its zero crossings on each side.
            ripple_db: pass band ripple of `chebyshev1` and `elliptic`.
            stopband_db: stop band attenuation of `elliptic`.
            passes: 1 multiplies the spectrum by |H|; 2 by |H|^2, as filtering forwards and backwards does.

        Raises:
            ValueError: if a range is empty or outside of what the filters allow.
        """
        self._cutoff_hz = positive_range(cutoff_hz, "cutoff_hz")
        self._filter = FilterDraw(filters, order, ripple_db, stopband_db, passes)

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the lowest cutoff in Hz."""
        return self._cutoff_hz[0]

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse rates at which there is no such cutoff; see `Corruption.check`."""
        if self._cutoff_hz[0] >= sample_rate / 2:
            raise ValueError(
                f"cutoff_hz={draws.range_text(self._cutoff_hz)} is not below half of data.sample_rate={sample_rate}: "
                f"begin below {sample_rate / 2:g} Hz or raise data.sample_rate"
            )

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the low-passed batch; see `Corruption`.

        Raises:
            ValueError: if the lowest cutoff is not below half the sample rate.
        """
        self.check(sample_rate, clean.shape[1])
        low, high = (math.log(end / sample_rate) for end in self._drawn_hz(sample_rate))
        cutoff = draws.uniform(low, high, (clean.shape[0],), generator).exp()
        frame = Frame.around(clean.shape[-1], round(_PADDING_CYCLES * sample_rate / self._cutoff_hz[0]), 2)
        response = self._filter.responses(cutoff, frame.total, generator, clean.device)
        spectrum = frame.spectrum(clean).mul_(response[:, None])  # In place: a new tensor of this size costs as much as an FFT.
        return frame.cut(torch.fft.irfft(spectrum, n=frame.total)).contiguous().to(clean.dtype)

    def _drawn_hz(self, sample_rate: int) -> tuple[float, float]:
        """Return the part of the range that a sample rate has."""
        low, high = self._cutoff_hz
        return low, high if high < sample_rate / 2 else max(low, HIGHEST_CUTOFF * sample_rate)


class Bandwidth(Corruption):
    """Take each example down to a low sample rate and back to the full one, in any ratio and without delay."""

    def __init__(
        self,
        low_rate_hz: Range = 4000,
        filters: Sequence[str] = ALL_FAMILIES,
        order: Range = (2, 12),
        ripple_db: Range = (0.05, 0.5),
        stopband_db: Range = (40.0, 80.0),
        cutoff_ratio: Range = (0.8, 0.95),
        passes: int = 1,
        aliased: float = 0.0,
        interpolation: Sequence[str] = ("sinc", "cubic", "linear"),
    ) -> None:
        """Check the ranges.

        The low-resolution input of Kuleshov, Enam and Ermon ("Audio Super Resolution using Neural Networks", 2017, code) is
        `filters=[chebyshev1] order=8 ripple_db=0.05 cutoff_ratio=0.8 passes=2 interpolation=[cubic]`.

        Args:
            low_rate_hz: low sample rate; all audio ends at half of it.
            filters: families of the filter before decimation, as in `LowPass`; after `none` the result is aliased.
            order: order of the filter, as in `LowPass`.
            ripple_db: pass band ripple, as in `LowPass`.
            stopband_db: stop band attenuation, as in `LowPass`.
            cutoff_ratio: cutoff of the filter relative to half the low rate. What a soft filter lets through above that is
                folded down, as in any real decimator.
            passes: 1 for |H|, 2 for |H|^2, as in `LowPass`.
            aliased: probability of decimating without any filter, whatever `filters` has.
            interpolation: ways back to the full rate, drawn per example: `sinc` (no images), `cubic` (spline), `linear`.

        Raises:
            ValueError: if a range is empty or outside of what the filters allow, or a name is unknown.
        """
        self._low_rate_hz = positive_range(low_rate_hz, "low_rate_hz")
        self._cutoff_ratio = draws.as_range(cutoff_ratio, "cutoff_ratio")
        self._interpolation = known_names(interpolation, "interpolation", tuple(INTERPOLATIONS))
        self._aliased = probability(aliased, "aliased")
        self._filter = FilterDraw(filters, order, ripple_db, stopband_db, passes)
        if not 0 < self._cutoff_ratio[0] <= self._cutoff_ratio[1] <= 1:
            raise ValueError(f"cutoff_ratio={cutoff_ratio!r} is not within 0 (excluded) to 1")

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return half of the lowest low rate."""
        return self._low_rate_hz[0] / 2

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse rates that the low rates do not allow; see `Corruption.check`."""
        if self._low_rate_hz[1] >= sample_rate:
            raise ValueError(
                f"low_rate_hz={draws.range_text(self._low_rate_hz)} is not below data.sample_rate={sample_rate}: "
                f"set it below {sample_rate} or raise data.sample_rate"
            )

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the batch after its way down and up; see `Corruption`.

        Raises:
            ValueError: if the highest low rate is not below the sample rate.
        """
        self.check(sample_rate, clean.shape[1])
        frame = self._frame(clean.shape[-1], sample_rate)
        shape = (clean.shape[0],)
        low_samples = self._low_samples(shape, sample_rate, frame, generator)
        ratio = draws.uniform(*self._cutoff_ratio, shape, generator).cpu()
        cutoff = ratio * (torch.tensor(low_samples) / (2 * frame.total))
        response = self._filter.responses(cutoff, frame.total, generator, clean.device)
        unfiltered = draws.uniform(0, 1, shape, generator) < self._aliased
        response.masked_fill_(unfiltered.to(clean.device)[:, None], 1.0)
        ways = [self._interpolation[way] for way in draws.choices(len(self._interpolation), shape, generator).tolist()]
        spectrum = frame.spectrum(clean).mul_(response[:, None])
        return down_and_up(spectrum, low_samples, ways, frame).to(clean.dtype)

    def _low_samples(self, shape: tuple[int, ...], sample_rate: int, frame: Frame, generator: torch.Generator) -> list[int]:
        """Draw each example's number of low-rate samples in a frame; in a range, the next one that an FFT is fast for."""
        low, high = self._low_rate_hz
        wanted = draws.uniform(low, high, shape, generator).cpu().double() * frame.total / sample_rate
        round_up = round if low == high else fast_length
        return [round_up(round(samples)) for samples in wanted.tolist()]

    def _frame(self, length_samples: int, sample_rate: int) -> Frame:
        low, high = self._low_rate_hz
        padding = round(2 * _PADDING_CYCLES * sample_rate / low)
        exact = low == high and low == int(low)
        multiple = sample_rate // math.gcd(sample_rate, int(low)) if exact else 1
        return Frame.around(length_samples, padding, math.lcm(multiple, 2))
