"""Noise that a reference hears too, after another way, is taken out of a recording."""

import pytest
import torch
from torch.nn import functional

from lightning_modules.metrics.snr import snr_db
from models.classical.noise_canceller import NoiseCanceller
from models.layers.setting_error import SettingError
from tests.models.classical.decaying_tones import chord

CLEAN = chord(6.0)
NOISE = torch.randn(CLEAN.shape, generator=torch.Generator().manual_seed(0))
ROOM = torch.randn(1, 1, 30, generator=torch.Generator().manual_seed(1)) * 0.8 ** torch.arange(30)


@pytest.mark.parametrize("late_samples", [0, 30])
def test_noise_of_another_room_goes_whichever_microphone_hears_it_first(late_samples: int) -> None:
    heard = 0.03 * functional.conv1d(functional.pad(NOISE, (29, 0)), ROOM.flip(-1))
    recording = CLEAN + heard
    restored = NoiseCanceller(8000)(torch.cat([recording, NOISE.roll(late_samples, -1)], dim=1))
    assert snr_db(restored[:, :1], CLEAN) > snr_db(recording, CLEAN) + 12
    assert torch.equal(restored[:, 1:], NOISE.roll(late_samples, -1))


def test_a_reference_that_hears_something_else_changes_little() -> None:
    restored = NoiseCanceller(8000)(torch.cat([CLEAN, NOISE], dim=1))[:, :1]
    assert snr_db(restored, CLEAN) > 12
    silent = torch.cat([CLEAN, torch.zeros_like(CLEAN)], dim=1)
    assert torch.equal(NoiseCanceller(8000)(silent), silent)


def test_settings_and_channels_are_checked() -> None:
    with pytest.raises(SettingError, match="length_seconds=0 must be above 0"):
        NoiseCanceller(8000, length_seconds=0)
    with pytest.raises(ValueError, match="channels=2, the recording and the reference; this signal has 3"):
        NoiseCanceller(8000)(torch.zeros(1, 3, 100))
