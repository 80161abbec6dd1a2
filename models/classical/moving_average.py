"""The mean of neighboring samples, the least filter against noise and steps."""

from torch import Tensor
from torch.nn import functional

from models.layers.counts import check_odd
from models.restorer import Restorer


class MovingAverage(Restorer):
    """Replace every sample by the mean of those around it; at the ends, of fewer.

    Args:
        samples: of the mean, odd.

    Raises:
        SettingError: if it is no odd number.
    """

    identity_at_start = False
    level_free = True

    def __init__(self, samples: int = 5) -> None:
        super().__init__()
        check_odd("@samples", samples)
        self.samples = samples

    @property
    def reach_samples(self) -> int:
        """Half of the mean."""
        return self.samples // 2

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the means.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        return functional.avg_pool1d(corrupted, self.samples, 1, self.samples // 2, count_include_pad=False)
