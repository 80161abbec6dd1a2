"""The level of a signal: one number for a short one, a curve through its blocks for a long one."""

import numpy as np
import pytest
import torch

from models.layers.level import level_of, sliding_level


def test_level_is_the_root_mean_square() -> None:
    assert level_of(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).flatten().tolist() == pytest.approx([12.5**0.5, 0.0])


def test_a_signal_of_one_block_has_one_level() -> None:
    signal = torch.randn(2, 700, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(sliding_level(signal, 1000), level_of(signal).expand(-1, 700))


def test_levels_of_blocks_are_interpolated_between_their_centers() -> None:
    signal = np.random.default_rng(0).normal(size=(2, 3450)) * np.linspace(0.1, 3, 3450)
    blocks = [np.sqrt((signal[:, start : start + 1000] ** 2).mean(axis=1)) for start in range(0, 3450, 1000)]
    expected = [np.interp(np.arange(3450), [500, 1500, 2500, 3500], [level[row] for level in blocks]) for row in range(2)]
    np.testing.assert_allclose(sliding_level(torch.from_numpy(signal).float(), 1000).numpy(), expected, rtol=1e-5)
