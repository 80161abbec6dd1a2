"""Folding of channels into the batch and padding, and its inverse."""

import pytest
import torch

from models.layers.mono_batch import from_mono_batch, to_mono_batch


def test_each_channel_becomes_an_example_with_zeros_at_its_end() -> None:
    stereo = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    expected = torch.tensor([[[1.0, 2.0, 3.0, 0.0]], [[4.0, 5.0, 6.0, 0.0]]])
    assert torch.equal(to_mono_batch(stereo, 4), expected)


@pytest.mark.parametrize("samples", [1, 7, 8, 9])
def test_unfolding_undoes_folding(samples: int) -> None:
    signal = torch.randn(3, 2, samples, generator=torch.Generator().manual_seed(0))
    assert torch.equal(from_mono_batch(to_mono_batch(signal, 8), signal), signal)
