"""The denoiser of dilated convolutions and the classifier: sizes, normalization in NumPy, and labels that are not known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.dilated_denoiser import AdaptiveNorm, DilatedDenoiser, DilatedDenoiserPublished, SoundClassifier, label_error
from models.layers.setting_error import SettingError


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_normalization_is_a_learned_share() -> None:
    norm, features = AdaptiveNorm(3), draw(4, 3, 50)
    torch.testing.assert_close(norm(features), features)
    norm.alpha.data.fill_(0.5)
    norm.beta.data.fill_(2.0)
    norm.shift.data[1] = 7.0
    x = features.double().numpy()
    deviation = np.sqrt(x.var(axis=(0, 2), keepdims=True) + 1e-5)
    wanted = 0.5 * x + 2 * (x - x.mean(axis=(0, 2), keepdims=True)) / deviation + np.array([0.0, 7.0, 0.0])[:, None]
    np.testing.assert_allclose(norm(features).detach().numpy(), wanted, atol=1e-5)


def test_published_network_has_thirteen_dilations_and_as_many_weights() -> None:
    net = DilatedDenoiserPublished()
    assert net.dilations == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 1]
    assert net.reach_samples == 2**13
    weights = 3 * 64 + 13 * 3 * 64 * 64 + 14 * (64 + 2) + 64 + 1
    assert sum(parameter.numel() for parameter in net.parameters()) == weights == 160_925


def test_small_form_adds_what_it_finds_and_the_published_one_gives_it() -> None:
    nets, signal = [kind(layers=2, channels=3) for kind in (DilatedDenoiser, DilatedDenoiserPublished)], draw(2, 2, 60)
    assert torch.equal(nets[0](signal), signal)
    nets[0].load_state_dict(nets[1].state_dict())
    torch.testing.assert_close(nets[0](signal), signal + nets[1](signal))


def test_classifier_halves_all_layers_but_the_last_and_doubles_after_every_fifth() -> None:
    net = SoundClassifier(layers=7, channels=2, tasks=2, classes=5).eval()
    shapes = [tuple(found.shape) for found in net.features(draw(1, 2, 256), 7)]
    assert shapes == [(2, 2, 128), (2, 2, 64), (2, 2, 32), (2, 2, 16), (2, 2, 8), (2, 4, 4), (2, 4, 4)]
    assert net(draw(3, 2, 256), 1).shape == (3, 5)


def test_channels_are_judged_one_by_one() -> None:
    net, signal = SoundClassifier(layers=6, channels=2, tasks=1, classes=5).eval(), draw(1, 2, 256)
    each = [net(signal[:, channel : channel + 1], 0) for channel in (0, 1)]
    torch.testing.assert_close(net(signal, 0), (each[0] + each[1]) / 2)


def test_examples_without_a_label_do_not_count() -> None:
    logits, labels = draw(4, 3), torch.tensor([2, -1, 0, -1])
    x = logits.double().numpy()
    chances = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    wanted = -(np.log(chances[0, 2]) + np.log(chances[2, 0])) / 2
    assert label_error(logits, labels).item() == pytest.approx(wanted, rel=1e-5)
    assert label_error(logits, torch.full((4,), -1)).item() == 0


@pytest.mark.parametrize("setting", ["layers", "channels"])
def test_settings_are_checked(setting: str) -> None:
    with pytest.raises(SettingError, match=f"{setting}=0 must be"):
        DilatedDenoiser(**{setting: 0})
    with pytest.raises(SettingError, match=f"{setting}=0 must be"):
        SoundClassifier(**{setting: 0})
