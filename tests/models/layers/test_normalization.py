"""Normalization by name: statistics of what comes out, and whom they are taken from."""

import pytest
import torch
from torch import Tensor, nn

from models.layers.normalization import NORMALIZATIONS, normalized


def convolution(kind: str, channels: int = 16) -> nn.Module:
    torch.manual_seed(0)
    return normalized(nn.Conv1d(2, channels, 3, padding=1), channels, kind)


def noise(batch: int = 3) -> Tensor:
    return torch.randn(batch, 2, 50, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("kind", "shape", "dims"),
    [("batch", (3, 16, 50), (0, 2)), ("layer", (3, 16, 50), (1, 2)), ("group", (3, 8, 2, 50), (2, 3))],
)
def test_output_has_zero_mean_and_unit_variance_over_its_group(kind: str, shape: tuple, dims: tuple) -> None:
    output = convolution(kind)(noise()).view(shape)
    torch.testing.assert_close(output.mean(dims), torch.zeros_like(output.mean(dims)), atol=1e-5, rtol=0)
    torch.testing.assert_close(output.var(dims, correction=0), torch.ones_like(output.mean(dims)), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("kind", "independent"), [("none", True), ("layer", True), ("group", True), ("batch", False)])
def test_whether_an_example_depends_on_the_others_of_its_batch(kind: str, independent: bool) -> None:
    module = convolution(kind)
    assert torch.allclose(module(noise())[:1], module(noise()[:1]), atol=1e-6) == independent


def test_spectral_normalization_brings_every_weight_to_unit_norm() -> None:
    torch.manual_seed(0)
    branches = normalized(nn.Sequential(nn.Conv1d(4, 8, 9), nn.Conv1d(8, 8, 3)), 8, "spectral")
    for _ in range(50):
        branches(torch.zeros(1, 4, 20))
    largest = [torch.linalg.svdvals(conv.weight.flatten(1))[0].item() for conv in branches]
    assert largest == pytest.approx([1, 1], abs=1e-3)


def test_spectral_normalization_stands_still_in_evaluation() -> None:
    module = convolution("spectral").eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    assert torch.equal(module(noise()), module(noise()))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("channels", [1, 6, 7, 64])
def test_groups_fit_any_number_of_channels(channels: int) -> None:
    assert convolution("group", channels)(noise()).isfinite().all()


def test_without_normalization_the_convolution_stays_as_it_is() -> None:
    conv = nn.Conv1d(2, 4, 3)
    assert normalized(conv, 4, "none") is conv


def test_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=f"unknown norm 'instance'; known: {', '.join(NORMALIZATIONS)}"):
        convolution("instance")
