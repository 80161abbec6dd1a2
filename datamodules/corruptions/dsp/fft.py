"""Transform lengths that are fast, and convolution by them."""

import functools

import torch
from torch import Tensor


@functools.lru_cache(maxsize=4096)
def fast_length(at_least: int) -> int:
    """Return the smallest number with no prime factor above 5 that is not below `at_least`.

    Example:
        >>> fast_length(16897)
        17280
    """
    length = at_least
    while not _is_smooth(length):
        length += 1
    return length


def fast_even_length(at_least: int) -> int:
    """Return twice the smallest number with no prime factor above 5 that is not below half of `at_least`.

    Example:
        >>> [fast_even_length(length) for length in (1, 16384, 16381, 100_003)]
        [2, 16384, 16384, 101250]
    """
    return 2 * fast_length(-(-at_least // 2))


def convolve(audio: Tensor, responses: Tensor, direct_samples: int) -> Tensor:
    """Filter each example with its own response, aligned on one of its samples.

    Args:
        audio: (B, C, T).
        responses: (B, L), for all channels of an example.
        direct_samples: index in the responses that stands for lag 0.

    Returns:
        (B, C, T).
    """
    length = audio.shape[-1]
    heard = responses[:, : length + direct_samples]  # What comes later falls behind the end of the audio.
    total = fast_length(length + heard.shape[-1] - 1)
    spectrum = torch.fft.rfft(audio, n=total).mul_(torch.fft.rfft(heard, n=total)[:, None])
    convolved: Tensor = torch.fft.irfft(spectrum, n=total)
    return convolved[..., direct_samples : direct_samples + length].contiguous()


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1
