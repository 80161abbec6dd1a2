"""The stereo autoencoder: as large as its public description has it, its convolutions tap by tap, and its edges."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers.setting_error import SettingError
from models.stereo_autoencoder import StereoAutoencoder

RATE_HZ = 44100


def trained(edges: str) -> StereoAutoencoder:
    """Return a network that has learned sines of all frequencies and constants, in 150 steps."""
    torch.manual_seed(0)
    net, generator = StereoAutoencoder(code_channels=16, hidden_channels=16, edges=edges), torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(150):
        hz, phase, level = (torch.rand(16, 2, 1, generator=generator) for _ in range(3))
        clean = 0.5 * level * torch.sin(2 * math.pi * (2000 * hz * torch.arange(256) / RATE_HZ + phase))
        optimizer.zero_grad()
        (net(clean) - clean).square().mean().backward()
        optimizer.step()
    return net.eval()


def sines(hz: float, samples: int = 1024) -> Tensor:
    """Return the same sine in both channels at 16 phases, (16, 2, T)."""
    phase = torch.arange(16)[:, None] / 16
    return 0.3 * torch.sin(2 * math.pi * (hz * torch.arange(samples) / RATE_HZ + phase))[:, None].expand(-1, 2, -1)


def edge_ratio(net: StereoAutoencoder, signal: Tensor) -> float:
    """Return the mean squared error of the four samples at each end over that of what lies 16 samples within."""
    with torch.no_grad():
        error = (net(signal) - signal).square().mean(dim=(0, 1))
    return float(torch.cat([error[:4], error[-4:]]).mean() / error[16:-16].mean())


def test_size_is_that_of_the_description_with_the_natural_first_layer() -> None:
    net = StereoAutoencoder()
    assert sum(parameter.numel() for parameter in net.parameters()) == 17_026
    published = StereoAutoencoder(edges="zeros")
    assert published.encode(torch.zeros(100, 2, 1024)).shape == (100, 64, 256)


def convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return a convolution (C, T / 2) of (C', T) by four taps with stride 2, a zero at each end, rectified."""
    padded = np.pad(x, ((0, 0), (1, 1)))
    frames = [np.einsum("oct,ct->o", weight, padded[:, 2 * n : 2 * n + 4]) + bias for n in range(x.shape[1] // 2)]
    return np.maximum(np.stack(frames, axis=1), 0)


def spread(code: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return the sum of the four taps that each frame lays every two samples, less a sample at each end."""
    laid = np.zeros((weight.shape[1], 2 * code.shape[1] + 2))
    for n in range(code.shape[1]):
        laid[:, 2 * n : 2 * n + 4] += np.einsum("c,cot->ot", code[:, n], weight)
    return laid[:, 1:-1] + bias[:, None]


@pytest.mark.parametrize("stride", [4, 8])
def test_values_are_those_of_the_plan(stride: int) -> None:
    torch.manual_seed(0)
    net = StereoAutoencoder(5, 3, stride, edges="zeros").eval()
    signal = torch.randn(1, 2, 32)
    x = signal[0].numpy()
    for layer in net.down:
        x = convolved(x, layer.weight.detach().numpy(), layer.bias.detach().numpy())
    np.testing.assert_allclose(net.encode(signal).detach()[0], x, atol=1e-5)
    for place, layer in enumerate(net.up):
        x = spread(x, layer.weight.detach().numpy(), layer.bias.detach().numpy())
        x = np.maximum(x, 0) if place < len(net.up) - 1 else x
    np.testing.assert_allclose(net(signal).detach()[0], x, atol=1e-5)


def test_a_frame_of_the_code_sees_ten_samples() -> None:
    torch.manual_seed(0)
    net, signal = StereoAutoencoder(edges="zeros"), torch.randn(1, 2, 64, requires_grad=True)
    (gradient,) = torch.autograd.grad(net.encode(signal)[0, :, 8].sum(), signal)
    seen = gradient[0].abs().amax(dim=0).nonzero().flatten()
    assert seen.tolist() == [*range(29, 39)]  # 4 + 3 x 2 samples, around those of the frame, 32 to 35


def test_mid_side_form_sees_mid_and_side() -> None:
    torch.manual_seed(0)
    net = StereoAutoencoder(layout="mid_side", edges="zeros")
    net.down[0].weight.data[:, 1] = 0  # blind to what it gets as its second channel
    mono = torch.randn(1, 1, 64).expand(-1, 2, -1)
    side = torch.cat([mono[:, :1], -mono[:, 1:]], dim=1)
    assert torch.allclose(net(mono + side), net(mono), atol=1e-5)
    assert not torch.allclose(net(mono + side), net(side), atol=1e-2)


def test_edges_are_as_good_as_the_rest_and_were_not_with_zeros() -> None:
    constant, tones = torch.full((1, 2, 1024), 0.3), [sines(hz) for hz in (110, 220, 440, 880, 1760)]
    net, published = trained("continued"), trained("zeros")
    assert [edge_ratio(net, signal) for signal in (constant, *tones)] == pytest.approx([1.0] * 6, abs=0.1)
    assert min(edge_ratio(published, signal) for signal in (constant, *tones)) > 2


def test_code_is_rounded_to_multiples_of_its_step() -> None:
    torch.manual_seed(0)
    net = StereoAutoencoder(8, code_step=0.05)
    code = net.encode(torch.randn(1, 2, 256)).detach()
    torch.testing.assert_close(code / 0.05, (code / 0.05).round(), atol=1e-4, rtol=0)
    assert len(code.unique()) > 3


@pytest.mark.parametrize(
    "wrong", [{"stride": 5}, {"layout": "ms"}, {"edges": "reflect"}, {"code_step": 0.0}, {"code_channels": 0}]
)
def test_setting_that_there_is_not_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        StereoAutoencoder(**wrong)  # type: ignore[arg-type]
