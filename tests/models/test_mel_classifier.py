"""The classifier of log-mel spectra: what its layers see, and whose labels they are."""

import pytest
import torch
from torch import Tensor

from models.layers.setting_error import SettingError
from models.mel_classifier import MelClassifier

RATE_HZ = 8000
SMALL = {"bands": 16, "channels": 2, "blocks": 3, "tasks": 2, "classes": 5}


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def network() -> MelClassifier:
    torch.manual_seed(0)
    return MelClassifier(RATE_HZ, **SMALL).eval()


def test_blocks_halve_bands_and_frames_and_double_channels() -> None:
    shapes = [tuple(found.shape) for found in network().features(draw(1, 2, 7 * 128), 6)]
    assert shapes == [(2, 2, 16, 8), (2, 2, 16, 8), (2, 4, 8, 4), (2, 4, 8, 4), (2, 8, 4, 2), (2, 8, 4, 2)]
    assert network()(draw(3, 2, 896), 1).shape == (3, 5)


@pytest.mark.parametrize("length", [1, 100, 129])
def test_every_length_has_features(length: int) -> None:
    assert all(found.isfinite().all() and found.numel() for found in network().features(draw(1, 1, length), 6))


def test_it_sees_a_tone_in_the_bands_around_it() -> None:
    tones = torch.stack([torch.sin(2 * torch.pi * hz * torch.arange(RATE_HZ) / RATE_HZ) for hz in (300.0, 3000.0)])
    low, high = network().prepared(tones[:, None]).mean(dim=(1, 3)).argmax(dim=1)
    assert low < 5 < 12 < high


def test_channels_are_judged_one_by_one() -> None:
    net, signal = network(), draw(1, 2, 1000)
    each = [net(signal[:, channel : channel + 1], 0) for channel in (0, 1)]
    torch.testing.assert_close(net(signal, 0), (each[0] + each[1]) / 2)


@pytest.mark.parametrize(("setting", "value"), [("channels", 0), ("blocks", 0), ("bands", 200)])
def test_settings_are_checked(setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"{setting}={value} must"):
        MelClassifier(RATE_HZ, **{**SMALL, setting: value})
