"""Convolutions from waveform to waveform, and their fully connected form, by what the paper says of them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.fcn_raw import ConnectedRaw, ConnectedRawPublished, FCNRaw, FCNRawPublished


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def weights_of(net: nn.Module) -> int:
    return sum(layer.weight.numel() for layer in net.modules() if isinstance(layer, nn.Conv1d | nn.Linear))


def test_published_network_has_12_7_thousand_weights_where_the_connected_one_has_eight_million() -> None:
    convolutional, connected = weights_of(FCNRawPublished()), weights_of(ConnectedRawPublished())
    assert convolutional == 11 * 15 + 5 * 11 * 15 * 15 + 11 * 15 == 12_705
    assert connected == 11 * 15 + 3 * 11 * 15 * 15 + 512 * 15 * 1024 + 1024 * 512
    assert 0.001 < convolutional / connected < 0.002


@pytest.mark.parametrize("kind", [FCNRawPublished, ConnectedRawPublished])
def test_published_forms_give_the_signal_itself(kind: type[nn.Module]) -> None:
    net = kind().eval()
    nn.init.zeros_(net.last.weight)
    assert not net(draw(1, 1, 600)).any()


def test_convolutions_keep_places_and_connected_layers_do_not() -> None:
    signal = draw(1, 1, 2048)
    shifted = signal.roll(100, dims=-1)
    for kind, keeps in ((FCNRaw, True), (ConnectedRaw, False)):
        net = kind(filters=3, taps=5)
        nn.init.normal_(net.last.weight, generator=torch.Generator().manual_seed(0))
        found = net(signal) - signal
        moved = (net(shifted) - shifted).roll(-100, dims=-1)
        assert torch.allclose(found[..., 100:1800], moved[..., 100:1800], atol=1e-5) is keeps


def test_frames_of_the_connected_form_know_nothing_of_each_other() -> None:
    net = ConnectedRaw(filters=3, taps=5, hidden=8, frame_samples=64)
    nn.init.normal_(net.last.weight, generator=torch.Generator().manual_seed(0))
    frames = draw(1, 1, 192)
    torch.testing.assert_close(net(frames)[..., 64:128], net(frames[..., 64:128]))


@pytest.mark.parametrize("kind", [FCNRaw, ConnectedRaw])
@pytest.mark.parametrize(("settings", "message"), [({"taps": 4}, "taps=4 must be odd"), ({"layers": 0}, "layers=0 must be a")])
def test_wrong_settings_are_refused_by_their_keys(kind: type[nn.Module], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**settings)
