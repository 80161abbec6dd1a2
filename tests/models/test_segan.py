"""The generators and the discriminator of SEGAN, by the published sizes and by what noise, skips and emphasis do."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from torch import Tensor, nn

from lightning_modules.segan import SEGANModule
from models.layers.emphasis import deemphasized, emphasized
from models.segan import SEGAN, SEGANPublished
from models.segan_discriminator import SEGANDiscriminator

PLUS: dict[str, Any] = {"channels": (64, 128, 256, 512, 1024), "stride": 4, "scaled": True}
SMALL: dict[str, Any] = {"channels": (4, 6), "stride": 2, "taps": 5, "segment_samples": 64}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def drawn(net: nn.Module) -> Any:
    generator = torch.Generator().manual_seed(1)
    for parameter in net.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return net.eval()


@pytest.mark.parametrize(
    ("settings", "code", "million", "shapes"),
    [({}, (1024, 8), 73.1, 11), (PLUS, (1024, 16), 64.8, 5)],
)
def test_published_generators_have_the_published_sizes(
    settings: dict[str, Any], code: tuple[int, int], million: float, shapes: int
) -> None:
    seen = []
    with torch.device("meta"):
        net = SEGANPublished(**settings)
        for layer in net.down:
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
        weights = sum(layer.weight.numel() for layer in (*net.down, *net.up))
        features = torch.zeros(1, 1, 16384)
        for layer in net.down:
            features = layer(features)
        for layer in net.up:
            features = layer(torch.zeros(1, layer.in_channels, features.shape[-1]))
    assert (len(seen), seen[-1]) == (shapes, code)
    assert features.shape == (1, 1, 16384)
    assert round(weights / 1e6, 1) == million


def test_noise_is_the_same_for_every_segment_and_another_for_every_draw_of_a_training() -> None:
    net = drawn(SEGAN(**SMALL))
    code = torch.zeros(3, 6, 8)
    assert torch.equal(net.noise(code)[0], net.noise(code[:1])[0])
    with net.in_training(torch.Generator().manual_seed(5)):
        first, second = net.noise(code), net.noise(code)
    assert not torch.equal(first, second) and not torch.equal(first[0], first[1])
    assert first.std().item() == pytest.approx(1, abs=0.15)
    assert torch.equal(net.noise(code), net.noise(code))


def test_noise_and_skips_reach_the_output() -> None:
    signal, net = draw(1, 1, 64), drawn(SEGAN(**SMALL, scaled=True))
    before = net(signal)
    with net.in_training(torch.Generator().manual_seed(5)):
        assert not torch.allclose(net(signal), before)
    net.scales[0].data.zero_()
    assert not torch.allclose(net(signal), before)
    assert [scale.shape[0] for scale in SEGAN(**PLUS).scales] == [512, 256, 128, 64]
    assert all(bool((scale == 1).all()) for scale in SEGAN(**PLUS).scales)


def test_published_output_is_bounded_where_it_is_emphasized() -> None:
    net = drawn(SEGANPublished(**SMALL, pre_emphasis=0.0))
    nn.init.constant_(net.up[-1].weight, 5.0)
    assert net(draw(1, 1, 200)).abs().max() <= 1


def test_emphasis_is_a_filter_and_is_undone() -> None:
    signal = draw(2, 2, 3000)
    raised = emphasized(signal, 0.95)
    np.testing.assert_allclose(raised, lfilter([1, -0.95], [1], signal.double().numpy()), atol=1e-6)
    np.testing.assert_allclose(deemphasized(raised, 0.95), signal, atol=1e-4)
    np.testing.assert_allclose(deemphasized(signal, 0.95), lfilter([1], [1, -0.95], signal.double().numpy()), atol=1e-4)
    assert torch.equal(deemphasized(signal, 0.0), signal)


def test_discriminator_gives_one_verdict_for_a_window_and_knows_the_pair() -> None:
    net = SEGANDiscriminator((4, 6), 2, 5, window_samples=64).eval()
    verdict, activations = net(draw(3, 1, 64), draw(3, 1, 64, seed=1))
    assert (verdict.shape, [tuple(each.shape[1:]) for each in activations]) == ((3, 1, 1), [(4, 32), (6, 16)])
    assert not torch.equal(net(draw(3, 1, 64), draw(3, 1, 64, seed=2))[0], verdict)
    assert net(draw(1, 1, 72), draw(1, 1, 72))[0].shape == (1, 1, 3)
    assert net(draw(1, 1, 8), draw(1, 1, 8))[0].shape == (1, 1, 1)


def test_layers_are_given_emphasized_signals_and_what_they_find_is_brought_back() -> None:
    net, signal = drawn(SEGAN(**SMALL)), draw(1, 1, 64)
    torch.testing.assert_close(net(signal), signal + deemphasized(net.found(emphasized(signal, 0.95)), 0.95))
    plain = drawn(SEGAN(**SMALL, pre_emphasis=0.0))
    torch.testing.assert_close(plain(signal), signal + plain.found(signal))


def test_training_shows_both_players_emphasized_signals() -> None:
    optimizer, seen = partial(torch.optim.RMSprop, lr=1e-3), []
    module = SEGANModule(
        net=drawn(SEGAN(**SMALL)),
        sample_rate=8000,
        loss_weights={"l1": 100.0, "adversarial": 1.0},
        discriminator=partial(SEGANDiscriminator, (4, 6), 2, 5, window_samples=64),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        adversary="lsgan",
    )
    module.step_auxiliary_networks = lambda batch, restored: seen.append((batch, restored)) or {}  # type: ignore[method-assign]
    module._step_generator = lambda *_: None  # type: ignore[method-assign]
    batch = {"clean": draw(2, 1, 64), "corrupted": draw(2, 1, 64, seed=1), "index": torch.arange(2)}
    module.training_step(batch, 0)
    module.training_step(batch, 1)
    shown, restored = seen[0]
    for name in ("clean", "corrupted"):
        assert torch.equal(shown[name], emphasized(batch[name], 0.95))
    assert torch.equal(restored, seen[1][1])  # the noise belongs to the batch
    module.training_step({**batch, "index": torch.arange(2) + 1}, 2)
    assert not torch.equal(restored, seen[2][1])


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (SEGAN, {"taps": 4}, "taps=4 must be odd"),
        (SEGAN, {"stride": 1}, "stride=1 must be a whole number, at least 2"),
        (SEGAN, {"segment_samples": 12}, "segment_samples=12 must be a multiple of 8, two total strides"),
        (SEGAN, {"pre_emphasis": 1.0}, "pre_emphasis=1.0 must be at least 0 and below 1"),
        (SEGANDiscriminator, {"window_samples": 6}, "window_samples=6 must be a multiple of 4, the total stride"),
        (SEGANDiscriminator, {"norm": "virtual"}, "unknown norm 'virtual'"),
    ],
)
def test_wrong_settings_are_refused_by_their_keys(kind: type[nn.Module], settings: dict[str, Any], message: str) -> None:
    given = {name: value for name, value in SMALL.items() if kind is SEGAN or name != "segment_samples"}
    with pytest.raises(ValueError, match=message):
        kind(**{**given, **settings})
