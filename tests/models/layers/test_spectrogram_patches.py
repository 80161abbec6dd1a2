"""Spectra are undone exactly, and patches add up to what they were cut from, up to the borders."""

import numpy as np
import pytest
import torch

from models.layers.spectrogram_patches import ComplexSpectrum, MagnitudeSpectrum, assemble, assembly_kernel, cut, patch_window

LENGTHS = [1, 7, 127, 1000, 2048]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("samples", LENGTHS)
def test_complex_spectrum_is_undone_exactly_at_any_length(samples: int) -> None:
    spectrum, signal = ComplexSpectrum(64, 16), noise(2, samples)
    torch.testing.assert_close(spectrum.synthesize(spectrum.analyze(signal), signal), signal, rtol=0, atol=1e-5)


@pytest.mark.parametrize("samples", LENGTHS)
def test_spectrum_divides_into_patches(samples: int) -> None:
    batch, channels, rows, frames = ComplexSpectrum(64, 16).analyze(noise(2, samples)).shape
    assert (batch, channels, rows) == (2, 2, 32)
    assert frames % 8 == 0 and (frames - 9) * 16 < samples <= (frames - 1) * 16


def test_bins_agree_with_a_transform_by_hand() -> None:
    signal = noise(1, 1000)
    frame = signal[0, 5 * 16 - 32 : 5 * 16 + 32].double().numpy() * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64))
    by_hand = np.fft.rfft(frame) / np.sqrt((64 * 3 / 8) / 2)
    real, imaginary = ComplexSpectrum(64, 16).analyze(signal)[0, :, :, 5].numpy()
    np.testing.assert_allclose(real, by_hand.real[:-1], atol=1e-5)
    np.testing.assert_allclose(imaginary[1:], by_hand.imag[1:-1], atol=1e-5)
    assert imaginary[0] == pytest.approx(by_hand.real[-1], abs=1e-5)


def test_white_noise_has_the_same_level_in_the_spectrum() -> None:
    spectrum = ComplexSpectrum(64, 16).analyze(noise(4, 16000))
    assert spectrum[:, :, 1:, 8:-8].var().item() == pytest.approx(1.0, abs=0.03)


def test_spectrum_is_linear() -> None:
    spectrum, first, second = ComplexSpectrum(64, 16), noise(1, 500), noise(2, 500)[1:]
    torch.testing.assert_close(spectrum.analyze(first + second), spectrum.analyze(first) + spectrum.analyze(second))


def test_magnitude_keeps_the_phase_and_all_but_the_nyquist_bin() -> None:
    spectrum, time = MagnitudeSpectrum(64, 16), torch.arange(1000)
    tone = torch.sin(0.5 * time)[None]
    magnitude = spectrum.analyze(tone)
    assert magnitude.shape == (1, 1, 32, 64) and (magnitude >= 0).all()
    torch.testing.assert_close(spectrum.synthesize(magnitude, tone)[:, 50:-50], tone[:, 50:-50], rtol=0, atol=1e-3)


def test_windows_of_the_four_patches_over_a_place_sum_to_one() -> None:
    quarters = patch_window().reshape(2, 8, 2, 8).sum(dim=(0, 2))
    torch.testing.assert_close(quarters, torch.ones(8, 8))


@pytest.mark.parametrize("channels", [1, 2])
def test_patches_add_up_to_the_spectrogram_up_to_its_borders(channels: int) -> None:
    spectrogram = noise(2, channels, 24, 40)
    patches = cut(spectrogram)
    assert patches.shape == (2, channels * 256, 4, 6)
    whole = assemble(patches, assembly_kernel(torch.eye(channels * 256), patch_window()))
    torch.testing.assert_close(whole, spectrogram, rtol=0, atol=1e-5)


def test_patch_is_the_square_it_was_cut_from() -> None:
    spectrogram = noise(1, 2, 24, 40)
    torch.testing.assert_close(cut(spectrogram)[0, :, 1, 2], spectrogram[0, :, 0:16, 8:24].flatten())


def test_assembly_equals_a_loop_over_patches_read_out_of_their_states() -> None:
    state, values = noise(1, 5, 3, 4), noise(512, 5)
    expected = torch.zeros(2, 16 + 16, 24 + 16)
    for row in range(3):
        for column in range(4):
            patch = (values @ state[0, :, row, column]).reshape(2, 16, 16) * patch_window()
            expected[:, 8 * row : 8 * row + 16, 8 * column : 8 * column + 16] += patch
    torch.testing.assert_close(
        assemble(state, assembly_kernel(values, patch_window()))[0], expected[:, 8:24, 8:32], rtol=0, atol=1e-4
    )
