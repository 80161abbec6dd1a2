"""The least mean squared error of amplitudes (Ephraim and Malah 1984) and of their logarithms (Ephraim and Malah 1985).

With v = xi gamma / (1 + xi), the prior ratio xi and the posterior gamma of signal to noise,
STSA (eq. 7): a = sqrt(pi v) / (2 gamma) exp(-v / 2) [(1 + v) I0(v / 2) + v I1(v / 2)];
LSA (eq. 20): a = xi / (1 + xi) exp(E1(v) / 2).
"""

import math

import numpy as np
import torch
from scipy.special import exp1
from torch import Tensor

from models.classical.decision_directed import DecisionDirected
from models.classical.spectral_gain import ToldNoise

SILENT = 1e-10
"""Least posterior ratio that is told from silence; gains are largest there, amplitudes 0."""
LOWEST, HIGHEST, POINTS = math.log(1e-12), math.log(50.0), 4096
"""Logarithms of v between which exp(E1(v) / 2) is tabulated; above it is 1."""


class MmseStsa(DecisionDirected):
    """The amplitude that is expected of a Gaussian spectrum in Gaussian noise."""

    def gain(self, prior: Tensor, posterior: Tensor) -> Tensor:
        """Return gains (N, bins); see `DecisionDirected`."""
        posterior = posterior.clamp(min=SILENT)
        v = prior / (1 + prior) * posterior
        bessel = (1 + v) * torch.special.i0e(v / 2) + v * torch.special.i1e(v / 2)
        gain: Tensor = (math.pi * v).sqrt() / (2 * posterior) * bessel
        return gain


class MmseStsaOracle(ToldNoise, MmseStsa):
    """The expected amplitude by a known noise spectrum: the bound for the blind one, not a restorer."""


class MmseLsa(DecisionDirected):
    """The expected logarithm of the amplitude, nearer to what is heard than the amplitude.

    torch has no exponential integral; sqrt(v) exp(E1(v) / 2), which is even over log v, is interpolated between values of SciPy.
    """

    table: Tensor

    def __init__(self, sample_rate: int, alpha: float = 0.98, prior_snr_floor_db: float = -25.0) -> None:
        """Set the recursion; see `DecisionDirected`."""
        super().__init__(sample_rate, alpha, prior_snr_floor_db)
        v = np.exp(np.linspace(LOWEST, HIGHEST, POINTS))
        self.register_buffer("table", torch.from_numpy(np.log(v) / 2 + exp1(v) / 2).float(), persistent=False)

    def gain(self, prior: Tensor, posterior: Tensor) -> Tensor:
        """Return gains (N, bins); see `DecisionDirected`."""
        share = prior / (1 + prior)
        return share * self.exp_half_e1(share * posterior.clamp(min=SILENT))

    def exp_half_e1(self, v: Tensor) -> Tensor:
        """Return exp(E1(v) / 2) for v > 0, of the same shape."""
        log_v = v.log()
        place = ((log_v - LOWEST) * ((POINTS - 1) / (HIGHEST - LOWEST))).clamp(0, POINTS - 1)
        left = place.long().clamp(max=POINTS - 2)
        smooth = torch.lerp(self.table[left], self.table[left + 1], place - left)
        return torch.where(log_v < HIGHEST, (smooth - log_v / 2).exp(), 1.0)


class MmseLsaOracle(ToldNoise, MmseLsa):
    """The expected logarithm by a known noise spectrum: the bound for the blind one, not a restorer."""
