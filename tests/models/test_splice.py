"""A mixture of kinds of frames: what it corrects, what it learns of a batch, and what it begins with."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lightning_modules.spectral_regression import MixtureRegression
from models.splice import SPLICE
from tests.models.contracts import RATE_HZ
from tests.models.training import fit, pairs

SMALL: dict[str, Any] = {"fft_samples": 64, "hop_samples": 16, "bands": 10}
Array = NDArray[np.float64]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def kinds(frames: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return noisy and clean features (1, 10, frames): three kinds around -2, 0 and 2, raised by noise by 0.5, 1, 1.5."""
    kind = torch.arange(frames) % 3
    noisy = 2.0 * (kind - 1) + 0.2 * draw(10, frames, seed=seed)
    return noisy[None], (noisy - 0.5 * (kind + 1))[None]


def started(components: int = 3, frames: int = 300) -> SPLICE:
    net = SPLICE(RATE_HZ, components, **SMALL)
    net.start(*kinds(frames))
    return net


def numbers(net: SPLICE) -> tuple[Array, Array, Array, Array]:
    """Return weights (K,), means, variances and corrections (K, D)."""
    share, first, second, gap = (value.detach().double().numpy() for value in net.statistics)
    return share[:, 0] / len(share), first / share, second / share - (first / share) ** 2, gap / share


def posteriors(frames: Array, weights: Array, means: Array, variances: Array) -> Array:
    """Return p(k | y), (frames, K), of frames (frames, D)."""
    squares = (frames[:, None] - means) ** 2 / variances
    logarithms = np.log(weights) - 0.5 * (squares + np.log(2 * np.pi * variances)).sum(-1)
    joint = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def recipe(rate: float = 1.0) -> MixtureRegression:
    settings: dict[str, Any] = {"loss_weights": {"statistics": 1.0}, "optimizer": partial(torch.optim.SGD, lr=rate)}
    return MixtureRegression(net=SPLICE(RATE_HZ, 5, **SMALL), sample_rate=RATE_HZ, **settings)


def test_a_frame_moves_by_what_its_kinds_move_by_on_average() -> None:
    net, frames = started(), 3 * draw(40, 10, seed=1)
    weights, means, variances, corrections = numbers(net)
    y = frames.double().numpy()
    wanted = y + posteriors(y, weights, means, variances) @ corrections
    np.testing.assert_allclose(net.enhanced(frames.T[None])[0].T.detach(), wanted, atol=1e-4)


def test_kinds_and_their_corrections_are_found() -> None:
    weights, means, variances, corrections = numbers(started())
    np.testing.assert_allclose(weights, [1 / 3] * 3, atol=1e-3)
    np.testing.assert_allclose(means, np.repeat([[-2.0], [0.0], [2.0]], 10, axis=1), atol=0.08)
    np.testing.assert_allclose(variances, np.full((3, 10), 0.04), atol=0.02)
    np.testing.assert_allclose(corrections, np.repeat([[-0.5], [-1.0], [-1.5]], 10, axis=1), atol=1e-3)


def test_an_untrained_mixture_corrects_nothing_and_the_first_batch_starts_it() -> None:
    net, features = SPLICE(RATE_HZ, 4, **SMALL), draw(2, 10, 7)
    assert torch.equal(net.enhanced(features), features)
    assert not net.started
    module = recipe()
    fit(module, 1)
    assert module.net.started
    assert module.net.gap.abs().max() > 0.01


def test_a_step_at_a_rate_of_one_is_a_step_of_em() -> None:
    module = recipe()
    noisy, clean = module.net.features_of(pairs()["corrupted"], pairs()["clean"])
    module.net.start(noisy, clean)
    weights, means, variances, _ = numbers(module.net)
    y, x = (features.transpose(1, 2).flatten(0, 1).double().numpy() for features in (noisy, clean))
    share = posteriors(y, weights, means, np.maximum(variances, 0.01))
    fit(module, 1)
    weights, means, variances, corrections = numbers(module.net)
    np.testing.assert_allclose(weights, share.mean(0), atol=1e-5)
    averages = [np.einsum("nk,nd->kd", share, of) / share.sum(0)[:, None] for of in (y, y**2, x - y)]
    np.testing.assert_allclose(means, averages[0], atol=1e-4)
    np.testing.assert_allclose(variances, averages[1] - averages[0] ** 2, atol=1e-3)
    np.testing.assert_allclose(corrections, averages[2], atol=1e-4)


def test_a_smaller_step_forgets_by_its_share() -> None:
    net, (noisy, clean) = started(), kinds(60, seed=5)
    before = [value.detach().clone() for value in net.statistics]
    found = net.statistics_of(noisy, clean + 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.25)
    net.statistics_error(noisy, clean + 1).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    for was, theirs, value in zip(before, found, net.statistics, strict=True):
        torch.testing.assert_close(value.detach(), 0.75 * was + 0.25 * theirs)


def test_more_components_than_frames_are_no_matter() -> None:
    net = started(components=50, frames=20)
    noisy, clean = kinds(20)
    restored = net.enhanced(noisy)
    assert restored.isfinite().all()
    assert (restored - clean).square().mean() < 0.01 * (noisy - clean).square().mean()


def test_no_component_is_refused_by_its_key() -> None:
    with pytest.raises(ValueError, match="components=0 must be a whole number"):
        SPLICE(RATE_HZ, 0, **SMALL)
