"""Numbers as bits: they come back, and take as many bits as their entropy says."""

import numpy as np
import pytest

from models.layers.range_coding import decoded, encoded


@pytest.mark.parametrize("values", [[5], [0] * 1000, [1, -1] * 50, [*range(300)], [-(10**6), 0, 10**6]])
def test_numbers_come_back(values: list[int]) -> None:
    assert decoded(encoded(values)) == values


def test_size_is_the_entropy() -> None:
    random = np.random.default_rng(0)
    values = np.round(random.laplace(scale=3.0, size=20_000)).astype(int)
    share = np.unique(values, return_counts=True)[1] / len(values)
    content = encoded(values.tolist())
    assert decoded(content) == values.tolist()
    body_bits = 8 * (len(content) - 4 - int.from_bytes(content[:4], "big"))
    assert body_bits == pytest.approx(-len(values) * (share * np.log2(share)).sum(), rel=1e-3)
