"""Log spectra of bands and bins against NumPy, and the way back to signals."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers.log_frames import FLOOR_DB, MIDDLE_DB, SPAN_DB, LogFrames, mel_shares, with_context, without_context


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def changed(frames: LogFrames, spectrum: Tensor, difference: Tensor, samples: int) -> Tensor:
    """Return by how much signals change when their features do."""
    return frames.synthesize(torch.expm1(frames.gains(spectrum, difference)) * spectrum, samples)


def test_every_bin_is_shared_out_among_the_nearest_bands() -> None:
    shares = mel_shares(257, 40, 16000).double().numpy()
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-6)
    assert ((shares > 0).sum(axis=0) <= 2).all()
    mel = 2595 * np.log10(1 + np.linspace(0, 8000, 257) / 700)
    np.testing.assert_allclose(np.linspace(0, mel[-1], 40) @ shares, mel, atol=0.1)  # linear in between


@pytest.mark.parametrize("bands", [None, 20])
def test_features_are_log_powers_relative_to_white_noise(bands: int | None) -> None:
    frames, signal = LogFrames(8000, 64, 16, bands), draw(1, 320)
    spectrum = frames.analyze(signal)
    assert spectrum.shape == (1, 33, 21)
    window = np.hanning(65)[:-1]
    row = np.fft.rfft(signal[0, 160 - 32 : 160 + 32].double().numpy() * window)  # frame 10 is centered on sample 160
    power = np.abs(row) ** 2 / (window**2).sum()
    if bands is not None:
        power = mel_shares(33, bands, 8000).double().numpy() @ power
    expected = (np.maximum(10 * np.log10(np.maximum(power, 1e-30)), FLOOR_DB) - MIDDLE_DB) / SPAN_DB
    np.testing.assert_allclose(frames.features(spectrum)[0, :, 10], expected, atol=1e-4)


@pytest.mark.parametrize("bands", [None, 20])
@pytest.mark.parametrize("samples", [1, 7, 320, 333])
def test_equal_changes_of_all_features_scale_the_signal(bands: int | None, samples: int) -> None:
    frames, signal = LogFrames(8000, 64, 16, bands), draw(2, samples)
    spectrum = frames.analyze(signal)
    six = torch.full_like(frames.features(spectrum), 6.0206 / SPAN_DB)
    torch.testing.assert_close(changed(frames, spectrum, six, samples), signal, rtol=1e-3, atol=1e-4)  # as much again: twice
    assert not changed(frames, spectrum, 0 * six, samples).any()


def test_bins_are_restored_to_the_magnitudes_of_the_features() -> None:
    frames, noisy = LogFrames(8000, 64, 16, None), draw(1, 640)
    clean = 0.8 * noisy + 0.1 * noisy.roll(1, dims=-1) + 0.1 * noisy.roll(-1, dims=-1)  # no magnitude grows or vanishes
    spectra = [frames.analyze(each) for each in (noisy, clean)]
    difference = frames.features(spectra[1]) - frames.features(spectra[0])
    expected = torch.istft(spectra[1].abs() * torch.sgn(spectra[0]), 64, 16, window=frames.window, length=640)
    torch.testing.assert_close(noisy + changed(frames, spectra[0], difference, 640), expected, rtol=0, atol=1e-3)


def test_patches_hold_frames_around_and_their_means_are_the_frames() -> None:
    features = draw(2, 3, 9)
    patches = with_context(features, 5)
    assert patches.shape == (2, 15, 9)
    torch.testing.assert_close(patches[:, 6:9], features)
    torch.testing.assert_close(patches[:, :3, 4], features[..., 2])
    torch.testing.assert_close(without_context(patches, 5)[..., 2:-2], features[..., 2:-2])


def test_what_lies_below_the_floor_is_not_amplified() -> None:
    frames, tone = LogFrames(8000, 64, 16, None), torch.sin(torch.arange(640) * (2 * torch.pi * 8 / 64))[None]
    spectrum = frames.analyze(tone)
    louder = torch.ones_like(frames.features(spectrum))  # by 20 dB
    middle = torch.arange(200, 400)
    torch.testing.assert_close(changed(frames, spectrum, louder, 640)[0, middle], 9 * tone[0, middle], rtol=0, atol=1e-3)
    spectrum[:, 20:] = 1e-5
    assert frames.analyze(changed(frames, spectrum, louder, 640))[:, 24:, 10:30].abs().max() < 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((63, 16, None), "fft_samples=63 must be even"),
        ((64, 33, None), "fft_samples=64 must be a whole number, at least 66"),
        ((64, 16, 34), "bands=34 must lie between 2 and 33, the bins of fft_samples=64"),
    ],
)
def test_wrong_settings_are_refused_by_their_keys(settings: tuple[int, int, int | None], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogFrames(8000, *settings)
