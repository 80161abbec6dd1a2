"""Curves through the samples that a hold has kept: what a converter with a filter behind it makes of a staircase.

The rows under every inverse quantization in time. Each block of equal samples shows one sample of the signal, at a known place of
the block; a curve is drawn through these. None but the band-limited one knows anything beyond the last of them: it goes on level.
"""

from abc import abstractmethod

import numpy as np
import torch
from scipy.interpolate import Akima1DInterpolator, BarycentricInterpolator, CubicSpline
from scipy.signal import resample
from torch import Tensor

from models.classical.held import blocks_of
from models.layers.counts import check_count
from models.layers.setting_error import SettingError
from models.restorer import SegmentedRestorer, segments_of


class HoldCurve(SegmentedRestorer):
    """A curve through the kept samples, computed on the CPU in double precision; of a segment of a long signal at a time.

    Args:
        sample_rate: rate of the signals in Hz.
        hold_factor: samples that show one value; None guesses it for each example, which is returned as it is where nothing
            repeats.
        place: of the shown sample in its block: 0 is its first one, as a converter has it, 0.5 the middle one.

    Raises:
        SettingError: if there is no such factor or place.
    """

    identity_at_start = False
    level_free = True

    def __init__(self, sample_rate: int, hold_factor: int | None = None, place: float = 0.0) -> None:
        if hold_factor is not None:
            check_count("@hold_factor", hold_factor)
        if not 0 <= place <= 1:
            raise SettingError(f"@place={place} must lie between 0, the beginning of a block, and 1, its end")
        super().__init__(segments_of(sample_rate, hold_factor or 1))
        self.hold_factor = hold_factor
        self.place = place

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Draw the curve.

        Args:
            corrupted: signal in steps (B, C, T).

        Returns:
            Signal (B, C, T).
        """
        examples = corrupted.detach().cpu().double().numpy()
        return torch.from_numpy(np.stack([self._example(example) for example in examples])).to(corrupted)

    @abstractmethod
    def curve(self, kept: np.ndarray, factor: int, places: np.ndarray) -> np.ndarray:
        """Return the values of a curve.

        Args:
            kept: (C, P) samples, at least two.
            factor: the distance of two of them in samples of the result.
            places: (T,) where the values are, in distances of kept samples from the first one on.

        Returns:
            (C, T).
        """

    def _example(self, signal: np.ndarray) -> np.ndarray:
        """Restore one example (C, T)."""
        factor, first = blocks_of(signal, self.hold_factor)
        first += int((factor - 1) * self.place)
        kept = signal[:, first::factor]  # (C, P)
        if factor == 1 or kept.shape[1] < 2:
            return signal
        return self.curve(kept, factor, (np.arange(signal.shape[1]) - first) / factor)


class LinearHold(HoldCurve):
    """Straight lines from sample to sample."""

    def curve(self, kept: np.ndarray, factor: int, places: np.ndarray) -> np.ndarray:
        """See `HoldCurve`."""
        return np.stack([np.interp(places, np.arange(len(channel)), channel) for channel in kept])


class CubicHold(HoldCurve):
    """Natural cubic spline."""

    def curve(self, kept: np.ndarray, factor: int, places: np.ndarray) -> np.ndarray:
        """See `HoldCurve`."""
        spline = CubicSpline(np.arange(kept.shape[1]), kept, axis=1, bc_type="natural")
        return np.asarray(spline(_within(places, kept)))


class AkimaHold(HoldCurve):
    """Akima's local cubic curve (J. ACM 17, 1970), which follows a step with less ringing than a spline."""

    def curve(self, kept: np.ndarray, factor: int, places: np.ndarray) -> np.ndarray:
        """See `HoldCurve`."""
        return np.asarray(Akima1DInterpolator(np.arange(kept.shape[1]), kept, axis=1)(_within(places, kept)))


class PolynomialHold(HoldCurve):
    """A polynomial of high order through the nearest samples, after the converters of Wadia Digital.

    Args:
        sample_rate: see `HoldCurve`.
        hold_factor: see `HoldCurve`.
        place: see `HoldCurve`.
        order: of the polynomial, through one sample more; of few samples, through all of them.

    Raises:
        SettingError: if there is no such factor, place or order.
    """

    def __init__(self, sample_rate: int, hold_factor: int | None = None, place: float = 0.0, order: int = 13) -> None:
        super().__init__(sample_rate, hold_factor, place)
        check_count("@order", order)
        self.order = order

    def curve(self, kept: np.ndarray, factor: int, places: np.ndarray) -> np.ndarray:
        """See `HoldCurve`."""
        points = min(self.order + 1, kept.shape[1])
        places = _within(places, kept)
        starts = np.clip(np.floor(places).astype(int) - (points - 1) // 2, 0, kept.shape[1] - points)  # (T,)
        offsets, which = np.unique(np.rint((places - starts) * factor), return_inverse=True)
        weights = BarycentricInterpolator(np.arange(points), np.eye(points))(offsets / factor)[which]  # (T, points)
        near = kept[:, starts[:, None] + np.arange(points)]  # (C, T, points)
        values: np.ndarray = np.einsum("ctp,tp->ct", near, weights)
        return values


class BandLimitedHold(HoldCurve):
    """The one curve without anything above half the rate of the kept samples, if the signal goes on as it began.

    A frame that holds whole cycles of less than that is restored exactly, and one of more never.
    """

    def curve(self, kept: np.ndarray, factor: int, places: np.ndarray) -> np.ndarray:
        """See `HoldCurve`."""
        dense = resample(kept, kept.shape[1] * factor, axis=1)
        wanted = np.rint(places * factor).astype(int)
        return np.asarray(dense[:, wanted % dense.shape[1]])


def _within(places: np.ndarray, kept: np.ndarray) -> np.ndarray:
    values: np.ndarray = np.clip(places, 0, kept.shape[1] - 1)
    return values
