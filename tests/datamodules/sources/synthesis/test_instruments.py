import math

import numpy as np
import pytest
import torch

from datamodules.sources.synthesis.instruments import PLUCKED, STRUCK, damped_partials, render_note, stiff_string_hz


def test_partials_of_a_stiff_string_are_stretched():
    stretched = stiff_string_hz(100.0, 0.01, 3)
    assert stretched.tolist() == pytest.approx([100 * math.sqrt(1.01), 200 * math.sqrt(1.04), 300 * math.sqrt(1.09)])


@pytest.mark.parametrize("samples", [1, 2, 100, 101, 4000])
def test_damped_partials_equal_the_sum_of_exponentials(samples):
    poles = torch.tensor([-0.001 + 0.3j, -0.01 + 1.7j], dtype=torch.complex128)
    amplitudes = torch.tensor([0.5 + 0.1j, -0.2j], dtype=torch.complex128)
    time = np.arange(samples)[:, None]
    expected = (amplitudes.numpy() * np.exp(poles.numpy() * time)).sum(axis=1).real
    np.testing.assert_allclose(damped_partials(poles, amplitudes, samples).numpy(), expected, atol=2e-6)


@pytest.mark.parametrize("timbre", [STRUCK, PLUCKED])
def test_a_note_sounds_at_its_pitch_and_decays(timbre):
    note = render_note(timbre, 69, 0.5, 1.0, 16000, torch.Generator().manual_seed(0))
    spectrum = np.abs(np.fft.rfft(note.numpy() * np.hanning(len(note))))
    peak_hz = np.argmax(spectrum[: 600 * len(note) // 16000]) * 16000 / len(note)
    assert peak_hz == pytest.approx(440, abs=3)
    assert note[1000:3000].square().mean() > 4 * note[13000:15000].square().mean()
    assert note[-1].abs() < 1e-6


def test_harder_strokes_are_louder_and_brighter():
    soft, hard = (render_note(STRUCK, 60, velocity, 0.5, 16000, torch.Generator().manual_seed(0)) for velocity in (0.3, 0.9))
    power = [np.abs(np.fft.rfft(note.numpy())) ** 2 for note in (soft, hard)]
    assert power[1].sum() > 10 * power[0].sum()
    above = len(power[0]) // 4
    assert power[1][above:].sum() / power[1].sum() > 2 * power[0][above:].sum() / power[0].sum()
