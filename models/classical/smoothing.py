"""Low-pass filters of the textbooks in zero phase: what is had against noise without looking at the sound.

Butterworth's has the flattest pass band, Chebyshev's a steeper edge for ripples of the pass band, the elliptic one the steepest
for ripples of both bands. Each runs forward and backward, so that nothing is late and all losses count twice.
"""

import numpy as np
import torch
from scipy.signal import butter, cheby1, ellip, sos2zpk, sosfilt
from torch import Tensor

from models.layers import stft
from models.layers.counts import check_count
from models.layers.setting_error import SettingError
from models.restorer import Restorer

NEGLIGIBLE = 1e-6
"""Of the response, what is left at the ends of the kernel."""


class Smoothing(Restorer):
    """Filter forward and backward; ends are mirrored.

    Args:
        sections: second-order sections of the filter (S, 6), stable.
    """

    identity_at_start = False
    level_free = True
    kernel: Tensor

    def __init__(self, sections: np.ndarray) -> None:
        super().__init__()
        radius = np.abs(sos2zpk(sections)[1]).max()
        self.half_samples = int(np.ceil(np.log(NEGLIGIBLE) / np.log(max(radius, NEGLIGIBLE)))) + 2 * len(sections)
        response = sosfilt(sections, np.eye(1, self.half_samples + 1)[0])
        self.register_buffer("kernel", torch.from_numpy(np.correlate(response, response, "full")).float(), persistent=False)

    @property
    def reach_samples(self) -> int:
        """Half of the kernel."""
        return self.half_samples

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the low-passed signal.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        samples = corrupted.shape[-1]
        filled = stft.mirrored(corrupted.float(), self.half_samples, self.half_samples)
        size = filled.shape[-1] + len(self.kernel) - 1
        spectrum = torch.fft.rfft(filled, n=size) * torch.fft.rfft(self.kernel, n=size)
        smooth: Tensor = torch.fft.irfft(spectrum, n=size)[..., 2 * self.half_samples :]
        return smooth[..., :samples].to(corrupted.dtype)


class Butterworth(Smoothing):
    """Butterworth's filter.

    Args:
        order: of the filter, once.
        cutoff: where 3 dB are lost each time, from 0 to below 1 of half the sample rate.

    Raises:
        SettingError: if there is no such filter.
    """

    def __init__(self, order: int = 4, cutoff: float = 0.5) -> None:
        super().__init__(butter(*checked(order, cutoff), output="sos"))


class Chebyshev(Smoothing):
    """Chebyshev's filter of the first kind.

    Args:
        order: of the filter, once.
        cutoff: where the ripples end, from 0 to below 1 of half the sample rate.
        ripple_db: of the pass band, each time.

    Raises:
        SettingError: if there is no such filter.
    """

    def __init__(self, order: int = 4, cutoff: float = 0.5, ripple_db: float = 0.1) -> None:
        order, cutoff = checked(order, cutoff)
        super().__init__(cheby1(order, positive_db("ripple_db", ripple_db), cutoff, output="sos"))


class Elliptic(Smoothing):
    """Cauer's elliptic filter.

    Args:
        order: of the filter, once.
        cutoff: where the ripples of the pass band end, from 0 to below 1 of half the sample rate.
        ripple_db: of the pass band, each time.
        stop_db: least loss of the stop band, each time; above the ripple.

    Raises:
        SettingError: if there is no such filter.
    """

    def __init__(self, order: int = 4, cutoff: float = 0.5, ripple_db: float = 0.1, stop_db: float = 30.0) -> None:
        order, cutoff = checked(order, cutoff)
        if not stop_db > positive_db("ripple_db", ripple_db):
            raise SettingError(f"@stop_db={stop_db} must be above @ripple_db={ripple_db}")
        super().__init__(ellip(order, ripple_db, stop_db, cutoff, output="sos"))


def checked(order: int, cutoff: float) -> tuple[int, float]:
    """Return an order and a cut-off.

    Raises:
        SettingError: if the order is no whole number above 0, or the cut-off is out of range.
    """
    check_count("@order", order)
    if not 0 < cutoff < 1:
        raise SettingError(f"@cutoff={cutoff} must lie between 0 and 1, half of the sample rate")
    return order, cutoff


def positive_db(name: str, level_db: float) -> float:
    """Return a level.

    Raises:
        SettingError: if it is not above 0.
    """
    if not level_db > 0:
        raise SettingError(f"@{name}={level_db} must be above 0")
    return level_db
