"""Blocks of samples at once against the algorithms sample by sample, in NumPy."""

import numpy as np
import pytest
import torch

from models.classical.adaptive import STEADY, AdaptiveRule, Lms, Nlms, Rls, predicted

DRAW = np.random.default_rng(0)
TAPS, SAMPLES = 5, 200
REGRESSORS = DRAW.standard_normal((SAMPLES, TAPS))
DESIRED = REGRESSORS @ DRAW.standard_normal(TAPS) + 0.1 * DRAW.standard_normal(SAMPLES)
ENERGY = TAPS * (REGRESSORS[:, 0] ** 2).mean()


def step_by_step(normalized: bool, mu: float) -> np.ndarray:
    weights, found = np.zeros(TAPS), []
    for x, d in zip(REGRESSORS, DESIRED, strict=True):
        found.append(weights @ x)
        weights = weights + mu / (STEADY * ENERGY + x @ x if normalized else ENERGY) * (d - weights @ x) * x
    return np.array(found)


def least_squares(forgetting: float) -> np.ndarray:
    """Solve anew for every sample, with 10 p on the diagonal, forgotten as all else is."""
    found = []
    for n in range(SAMPLES):
        past, weight = REGRESSORS[:n], forgetting ** np.arange(n - 1, -1, -1)
        normal = (past * weight[:, None]).T @ past + forgetting**n * 10 * ENERGY / TAPS * np.eye(TAPS)
        found.append(np.linalg.solve(normal, (past * weight[:, None]).T @ DESIRED[:n]) @ REGRESSORS[n])
    return np.array(found)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(Lms(0.5), step_by_step(False, 0.5)), (Nlms(0.5), step_by_step(True, 0.5)), (Rls(50.0), least_squares(0.98))],
)
def test_blocks_give_what_samples_give(rule: AdaptiveRule, expected: np.ndarray) -> None:
    given = torch.from_numpy(DESIRED).float()[None], torch.from_numpy(REGRESSORS).float()[None]
    np.testing.assert_allclose(predicted(*given, rule)[0].numpy(), expected, atol=2e-4)


@pytest.mark.parametrize("rule", [Lms(0.1), Nlms(0.5), Rls(50.0)])
def test_a_pause_leaves_finite_weights(rule: AdaptiveRule) -> None:
    regressors = torch.from_numpy(REGRESSORS).float()[None].repeat(1, 20, 1)
    regressors[:, 300:3600] = 0.0
    desired = regressors.sum(-1)
    error = (predicted(desired, regressors, rule) - desired)[:, 3900:].square().mean() / desired[:, 3900:].square().mean()
    assert error < 0.05
    assert (predicted(torch.zeros(1, 70), torch.zeros(1, 70, 3), rule) == 0).all()
