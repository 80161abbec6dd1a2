"""The way down and up through the spectrum, against sampling in time."""

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from datamodules.corruptions.dsp.decimation import Frame, down_and_up


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("length", [1, 2, 100, 4097])
@pytest.mark.parametrize("multiple", [1, 4, 147])
def test_frame_returns_its_window_and_fits_the_grid(length: int, multiple: int) -> None:
    audio = noise(2, 1, length)
    frame = Frame.around(length, 64, multiple)
    assert frame.start % multiple == 0 and frame.total % multiple == 0
    torch.testing.assert_close(frame.cut(torch.fft.irfft(frame.spectrum(audio), n=frame.total)), audio, atol=1e-12, rtol=0)


def test_window_is_continued_by_its_fading_mirror_image() -> None:
    frame = Frame.around(100, 20, 1)
    framed = torch.fft.irfft(frame.spectrum(torch.ones(1, 1, 100)), n=frame.total)[0, 0]
    before = framed[frame.start - 20 : frame.start]
    assert before.diff().min() > 0 and before.min() >= -1e-6 and before.max() <= 1
    torch.testing.assert_close(framed[frame.start + 100 : frame.start + 120], before.flip(0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("way", ["sinc", "cubic", "linear"])
@pytest.mark.parametrize("ratio", [2, 3, 5])
def test_each_way_passes_through_the_kept_samples(way: str, ratio: int) -> None:
    frame = Frame(0, 240, 240, 0)
    audio = noise(1, 2, 240)
    restored = down_and_up(torch.fft.rfft(audio), [240 // ratio], [way], frame)
    torch.testing.assert_close(restored[..., ::ratio], audio[..., ::ratio], atol=1e-6, rtol=0)


def test_sinc_is_scipys_resampling_of_the_kept_samples() -> None:
    audio = noise(1, 1, 240)
    restored = down_and_up(torch.fft.rfft(audio), [80], ["sinc"], Frame(0, 240, 240, 0))
    expected = scipy.signal.resample(audio[0, 0, ::3].numpy(), 240)
    np.testing.assert_allclose(restored[0, 0].numpy(), expected, atol=1e-10)


def test_examples_take_their_own_ways() -> None:
    audio = noise(3, 1, 240)
    plans = [(80, "sinc"), (60, "linear"), (80, "sinc")]
    together = down_and_up(torch.fft.rfft(audio), [low for low, _ in plans], [way for _, way in plans], Frame(0, 240, 240, 0))
    for row, (low, way) in enumerate(plans):
        alone = down_and_up(torch.fft.rfft(audio[row : row + 1]), [low], [way], Frame(0, 240, 240, 0))
        torch.testing.assert_close(together[row : row + 1], alone)
