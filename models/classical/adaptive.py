"""Filters that learn, sample by sample, to predict one signal from another: LMS, NLMS and RLS.

With the regressor x[n] of L samples, the error e[n] = d[n] - w[n-1]' x[n] before the update and a step s[n],
LMS and NLMS (Widrow and Hoff 1960; Nagumo and Noda 1967): w[n] = w[n-1] + s[n] e[n] x[n], s = mu / (L p) with the mean power p
of x, or mu / (gamma + |x[n]|^2).
RLS: w[n] minimizes the sum over m <= n of lambda^(n-m) (d[m] - w' x[m])^2 (Haykin, Adaptive Filter Theory, chapter on RLS).

K samples are taken at once, without changing anything: the errors of LMS solve a triangular system, those of RLS are the
innovations of K measurements of a constant state, of which the Cholesky factor of their covariance tells one from the other.
"""

from abc import abstractmethod

import torch
from torch import Tensor

from models.layers.setting_error import SettingError
from models.restorer import SegmentedRestorer, segments_of

LEAD_SECONDS = 1.0
"""Before a segment, which a filter learns from before it is listened to."""
BLOCK_SAMPLES = 64
STEADY = 1e-3
"""Power, relative to that of the regressor as a whole, that keeps divisions finite where it pauses."""
LARGEST_INVERSE = 10.0
"""Of the correlation of white regressors of the same power: what RLS forgets to in a pause, and no further."""


class AdaptiveRule:
    """How the weights of a filter follow."""

    @abstractmethod
    def start(self, regressors: Tensor) -> tuple[Tensor, ...]:
        """Return the state before the first sample, its first part the weights (N, L, 1), for regressors (N, T, L)."""

    @abstractmethod
    def advance(self, state: tuple[Tensor, ...], x: Tensor, surprise: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the errors (N, K, 1) of K samples, each before its own update, and the state after them.

        Args:
            state: before them.
            x: regressors (N, K, L).
            surprise: errors of the weights before them (N, K, 1).
        """


class Lms(AdaptiveRule):
    """A step of the same size everywhere, mu from 0 to 2 of the largest stable one."""

    def __init__(self, step: float) -> None:
        self.step = step

    def start(self, regressors: Tensor) -> tuple[Tensor, ...]:
        """See `AdaptiveRule`; the second part of the state is L p (N, 1, 1)."""
        weights = torch.zeros_like(regressors[:, 0, :, None])
        return weights, mean_power(regressors) * regressors.shape[-1]

    def steps(self, energy: Tensor, x: Tensor) -> Tensor:
        """Return s (N, 1 or K, 1) for the energy L p (N, 1, 1) and regressors (N, K, L)."""
        return self.step / energy

    def advance(self, state: tuple[Tensor, ...], x: Tensor, surprise: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See `AdaptiveRule`."""
        weights, energy = state
        steps = self.steps(energy, x)
        earlier = (x @ (steps * x).mT).tril(-1) + torch.eye(x.shape[1], device=x.device)
        error = torch.linalg.solve_triangular(earlier, surprise, upper=False, unitriangular=True)
        return error, (weights + x.mT @ (steps * error), energy)


class Nlms(Lms):
    """A step that is the larger, the quieter the regressor is."""

    def steps(self, energy: Tensor, x: Tensor) -> Tensor:
        """See `Lms`."""
        return self.step / (STEADY * energy + x.square().sum(-1, keepdim=True))


class Rls(AdaptiveRule):
    """The least squared error of the past, which is forgotten by 1/e in `memory_samples`."""

    def __init__(self, memory_samples: float) -> None:
        self.forgetting = 1 - 1 / max(memory_samples, 2.0)

    def start(self, regressors: Tensor) -> tuple[Tensor, ...]:
        """See `AdaptiveRule`; then the inverse of the correlation (N, L, L) and its largest diagonal (N, 1, 1)."""
        weights = torch.zeros_like(regressors[:, 0, :, None])
        largest = LARGEST_INVERSE / mean_power(regressors)
        return weights, torch.eye(regressors.shape[-1], device=regressors.device) * largest / 100, largest

    def advance(self, state: tuple[Tensor, ...], x: Tensor, surprise: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See `AdaptiveRule`; a measurement counts the more, the later it comes."""
        weights, inverse, largest = state
        variance = self.forgetting ** torch.arange(1, x.shape[1] + 1, device=x.device)
        towards = inverse @ x.mT  # (N, L, K)
        root = torch.linalg.cholesky_ex(x @ towards + torch.diag(variance)).L
        innovation = torch.linalg.solve_triangular(root, surprise, upper=False)
        gain = torch.linalg.solve_triangular(root.mT, towards, upper=True, left=False)
        inverse = (inverse - gain @ gain.mT) / self.forgetting ** x.shape[1]
        inverse = inverse * (largest / inverse.diagonal(dim1=1, dim2=2).amax(-1)[:, None, None]).clamp(max=1)
        error = innovation * root.diagonal(dim1=1, dim2=2)[..., None]
        return error, (weights + gain @ innovation, (inverse + inverse.mT) / 2, largest)


def predicted(desired: Tensor, regressors: Tensor, rule: AdaptiveRule) -> Tensor:
    """Return what the filter says of every sample before it has seen it.

    Args:
        desired: d (N, T).
        regressors: x (N, T, L).
        rule: of the weights.

    Returns:
        w[n-1]' x[n], (N, T).
    """
    state, found = rule.start(regressors), []
    for x, d in zip(regressors.split(BLOCK_SAMPLES, dim=1), desired[..., None].split(BLOCK_SAMPLES, dim=1), strict=True):
        error, state = rule.advance(state, x, d - x @ state[0])
        found.append(d - error)
    return torch.cat(found, dim=1)[..., 0]


def mean_power(regressors: Tensor) -> Tensor:
    """Return the mean square (N, 1, 1) of regressors (N, T, L), 1 where all are silent."""
    power = regressors[..., 0].square().mean(dim=1)[:, None, None]
    return torch.where(power > 0, power, 1.0)


class AdaptiveFilter(SegmentedRestorer):
    """A restorer that predicts by a filter, which learns anew in every segment.

    Args:
        sample_rate: rate of the signals in Hz.
        rule: how the filter learns.
        length_seconds: of the filter.

    Raises:
        SettingError: if the filter has no length.
    """

    identity_at_start = False
    level_free = True

    def __init__(self, sample_rate: int, rule: AdaptiveRule, length_seconds: float) -> None:
        super().__init__(segments_of(sample_rate))
        if not length_seconds > 0:
            raise SettingError(f"@length_seconds={length_seconds} must be above 0")
        self.rule = rule
        self.taps = max(1, round(length_seconds * sample_rate))
        self.lead_samples = round(LEAD_SECONDS * sample_rate)
