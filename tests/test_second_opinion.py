"""A second opinion: torchaudio computes what this project computes by its own means, where it can be loaded."""

import math
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.audio.io import resample as resample_file
from datamodules.corruptions.dsp.filters import FilterDesign, magnitude_response
from datamodules.corruptions.quantization import MU, round_mu_law
from lightning_modules.metrics.lsd import HANN_2048, power_spectrogram
from lightning_modules.metrics.mel import BANDS, mel_bands
from models.classical.resampling import SINC, resample
from sweeps.report.loudness import K_WEIGHTING, loudness_lufs
from tests.datamodules.corruptions import of_torchaudio

RATE_HZ = 16000


@pytest.fixture
def functional() -> ModuleType:
    """Return torchaudio.functional, or skip with the reason."""
    return of_torchaudio.require()


def draw(*shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


def band_limited(samples: int, share: float) -> Tensor:
    """Return sound without anything above a share of half the sample rate, (1, T), faded in and out."""
    spectrum = torch.fft.rfft(draw(1, samples))
    spectrum[:, round(share * samples / 2) :] = 0
    faded: Tensor = torch.fft.irfft(spectrum, n=samples) * torch.hann_window(samples)
    return faded


def apart_db(one: Tensor, other: Tensor) -> float:
    return float(10 * torch.log10((one - other).square().sum() / other.square().sum()))


def test_files_are_resampled_alike(functional: ModuleType) -> None:
    """Where nothing lies near the edge both filters are flat, and what differs is their ripple."""
    signal = band_limited(44100, 0.25)  # up to 5.5 of 8 kHz
    ours = torch.from_numpy(resample_file(signal.numpy(), 44100, RATE_HZ))
    theirs = functional.resample(signal, 44100, RATE_HZ, lowpass_filter_width=64, rolloff=0.95)
    assert apart_db(ours, theirs[:, : ours.shape[-1]]) < -70


def test_sinc_interpolation_is_alike(functional: ModuleType) -> None:
    """Both lay a Kaiser window of the same shape on 64 zero crossings; theirs ends the band at 0.99 of it."""
    signal = band_limited(4000, 0.7)
    ours = resample(signal, Fraction(1, 2), 8000, SINC)
    given = {"lowpass_filter_width": 64, "resampling_method": "sinc_interp_kaiser", "beta": 8.0}
    assert apart_db(ours, functional.resample(signal, 1, 2, **given)) < -60


@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_mel_filters_are_alike(functional: ModuleType, rate_hz: int) -> None:
    """Theirs sum to other numbers and may be narrower than two bins: compared are the wide ones, brought to a sum of 1."""
    theirs = functional.melscale_fbanks(HANN_2048.n_fft // 2 + 1, 0.0, rate_hz / 2, BANDS, rate_hz, mel_scale="htk").T
    highest = 2595 * math.log10(1 + rate_hz / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    wide = torch.from_numpy(np.diff(edges)[:-1] > rate_hz / HANN_2048.n_fft)
    assert wide.sum() > BANDS / 2
    expected = theirs / theirs.sum(dim=1, keepdim=True)
    torch.testing.assert_close(mel_bands(rate_hz)[wide], expected[wide], atol=1e-5, rtol=1e-3)  # theirs are computed in float32


def test_mu_law_is_alike(functional: ModuleType) -> None:
    """Ours has a level at silence, theirs lie half a step aside: on the law's scale they differ by half of both steps at most."""
    signal = torch.linspace(-1, 1, 10_001)
    ours = round_mu_law(signal[None, None], torch.tensor([8]))[0, 0]
    theirs = functional.mu_law_decoding(functional.mu_law_encoding(signal, MU + 1), MU + 1)
    scale = [value.sign() * torch.log1p(MU * value.abs()) / math.log1p(MU) for value in (ours, theirs)]
    assert (scale[0] - scale[1]).abs().max() <= (1 / 127 + 2 / 255) / 2 + 1e-5


@pytest.mark.parametrize("cutoff_hz", [300.0, 1000.0, 5000.0])
def test_second_order_filters_have_the_same_magnitudes(functional: ModuleType, cutoff_hz: float) -> None:
    """A biquad low-pass with Q = 1 / sqrt(2) is Butterworth's of order 2; 1e-4 is the rounding of theirs in float32."""
    impulse = torch.zeros(1, 8192)
    impulse[:, 0] = 1
    theirs = torch.fft.rfft(functional.lowpass_biquad(impulse, RATE_HZ, cutoff_hz, Q=1 / math.sqrt(2))).abs()
    numbers = [torch.tensor([number], dtype=torch.float64) for number in (cutoff_hz / RATE_HZ, 2, 0.1, 60)]
    design = FilterDesign(numbers[0], numbers[1], numbers[2], numbers[3], torch.device("cpu"))
    torch.testing.assert_close(magnitude_response(["butterworth"], design, 8192), theirs, atol=1e-4, rtol=0)


def test_weighting_of_loudness_is_filtered_alike(functional: ModuleType) -> None:
    """The same coefficients in double precision: what differs is rounding."""
    from scipy.signal import sosfilt

    signal, weighted = draw(1, 48000).double(), draw(1, 48000).double()
    for section in torch.from_numpy(K_WEIGHTING):
        weighted = functional.lfilter(weighted, section[3:], section[:3], clamp=False)
    np.testing.assert_allclose(sosfilt(K_WEIGHTING, signal.numpy()), weighted.numpy(), atol=1e-9)


def test_loudness_is_alike(functional: ModuleType) -> None:
    """Theirs approximates the weighting by two biquads: 0.2 LU apart on noise."""
    signal = draw(2, 5 * 48000)
    assert loudness_lufs(signal.numpy(), 48000) == pytest.approx(float(functional.loudness(signal, 48000)), abs=0.2)


def test_power_spectrograms_are_alike(functional: ModuleType) -> None:
    """One definition, the same transform: float32 rounds alike but for a few last bits of sums over 2048 samples."""
    signal = draw(2, 1, 20_000)
    n_fft, hop = HANN_2048.n_fft, HANN_2048.hop_samples
    theirs = functional.spectrogram(
        signal, pad=0, window=torch.hann_window(n_fft), n_fft=n_fft, hop_length=hop, win_length=n_fft, power=2, normalized=False
    )
    torch.testing.assert_close(power_spectrogram(signal, HANN_2048), theirs, atol=1e-4, rtol=1e-4)
