"""Fast transform lengths, and convolution against NumPy's."""

import numpy as np
import pytest
import torch

from datamodules.corruptions.dsp.fft import convolve, fast_even_length, fast_length


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("length", "taps", "direct"), [(1, 1, 0), (7, 20, 3), (997, 64, 5), (64, 997, 0)])
def test_convolution_equals_scipy(length: int, taps: int, direct: int) -> None:
    audio = torch.randn(2, 2, length, dtype=torch.float64, generator=seeded())
    responses = torch.randn(2, taps, dtype=torch.float64, generator=seeded(1))
    expected = [
        [np.convolve(channel, response)[direct:][:length] for channel in example]
        for example, response in zip(audio.numpy(), responses.numpy(), strict=True)
    ]
    padded = np.stack([[np.pad(channel, (0, length - len(channel))) for channel in example] for example in expected])
    np.testing.assert_allclose(convolve(audio, responses, direct).numpy(), padded, atol=1e-9)


def test_fast_lengths_have_no_large_factor() -> None:
    assert [fast_length(number) for number in (1, 7, 11, 16897, 17281)] == [1, 8, 12, 17280, 17496]


def test_fast_even_lengths_are_even_and_never_too_short() -> None:
    lengths = [fast_even_length(number) for number in range(1, 500)]
    assert all(length % 2 == 0 and length >= number for number, length in enumerate(lengths, start=1))
    assert [fast_even_length(number) for number in (1, 16384, 100_003)] == [2, 16384, 101250]
