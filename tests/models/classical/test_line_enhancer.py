"""Tones come out of a line enhancer, noise stays behind."""

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.snr import snr_db
from models.classical.line_enhancer import LineEnhancer, LmsLineEnhancer, NlmsLineEnhancer, RlsLineEnhancer
from models.layers.setting_error import SettingError
from tests.models.classical.decaying_tones import in_white_noise

KINDS = [LmsLineEnhancer, NlmsLineEnhancer, RlsLineEnhancer]


def two_tones(seconds: float = 4.0) -> Tensor:
    """Return two sines at 8 kHz, (1, 1, T)."""
    time = torch.arange(int(8000 * seconds)) / 8000
    return (0.1 * torch.sin(2 * torch.pi * 440 * time) + 0.1 * torch.sin(2 * torch.pi * 1234.5 * time))[None, None]


@pytest.mark.parametrize("kind", KINDS)
def test_tones_in_white_noise_gain_more_than_ten_decibels(kind: type[LineEnhancer]) -> None:
    clean = two_tones()
    restored = kind(8000)(in_white_noise(clean, 0.0))  # type: ignore[call-arg]
    assert snr_db(restored, clean) > 10.0
    assert snr_db(restored[..., :800], clean[..., :800]) > 6.0


def test_normalized_steps_reach_the_figure_of_the_reference() -> None:
    clean = two_tones(10.0)
    assert snr_db(NlmsLineEnhancer(8000)(in_white_noise(clean, 0.0)), clean).item() == pytest.approx(13.6, abs=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_and_silence_are_not_predicted(kind: type[LineEnhancer]) -> None:
    noise = torch.randn(1, 2, 16000, generator=torch.Generator().manual_seed(0))
    assert kind(8000)(noise).norm() < 0.45 * noise.norm()  # type: ignore[call-arg]
    assert torch.equal(kind(8000)(torch.zeros(1, 1, 900)), torch.zeros(1, 1, 900))  # type: ignore[call-arg]


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError, match="delay=0 must be"):
        NlmsLineEnhancer(8000, delay=0)
    with pytest.raises(SettingError, match="length_seconds=0 must be above 0"):
        NlmsLineEnhancer(8000, length_seconds=0)
