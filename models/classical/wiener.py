"""Decision-directed Wiener filter for stationary noise (Scalart and Filho 1996): a = xi / (1 + xi)."""

from torch import Tensor

from models.classical.decision_directed import DecisionDirected
from models.classical.spectral_gain import ToldNoise


class Wiener(DecisionDirected):
    """Decision-directed Wiener filter whose noise spectrum is estimated from the signal itself, anew in every segment."""

    def gain(self, prior: Tensor, posterior: Tensor) -> Tensor:
        """Return gains (N, bins) from 0 to 1; see `DecisionDirected`."""
        return prior / (1 + prior)


class WienerOracle(ToldNoise, Wiener):
    """Decision-directed Wiener filter that knows the noise spectrum: the bound for the blind one, not a restorer."""
