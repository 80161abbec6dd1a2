"""Graphs of real tensors restore as the networks that they stand in for, and what has none is a sentence."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.band_net import BandNet
from models.classical.interpolation import Sinc
from models.classical.wiener import Wiener
from models.cold_diffusion import ColdDiffusionRNN
from models.conv_rnn import ConvRNN
from models.exporting.floors import SlidingFloor
from models.exporting.graphs import graph_of
from models.exporting.refusal import NotExportableError
from models.exporting.streaming import StreamGraph
from models.exporting.transform import MatrixTransform
from models.layers import stft
from models.layers.mask_features import log_floor
from models.mask_net import MaskNet
from models.mask_net_causal import MaskNetCausal
from models.mugan import MUGANGenerator
from models.unet import UNet

RECURRENT = {"steps": 2, "state_channels": 4, "hidden_channels": 4, "fft_samples": 64, "hop_samples": 16}
MASK = {"channels": 4, "blocks": 1, "fft_samples": 64, "hop_samples": 16}
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "unet": lambda: UNet(depth=2, channels=[4, 4], kernels=[9, 5], bias=False),
    "mugan": lambda: MUGANGenerator(depth=2, filters=[4, 4], kernels=[3]),
    "conv_rnn": lambda: ConvRNN(**RECURRENT, bias=False),  # type: ignore[arg-type]
    "conv_rnn_of_a_level": lambda: ConvRNN(**RECURRENT, bias=True, step_features=2, frequency_features=2, gate=True),  # type: ignore[arg-type]
    "conv_rnn_of_magnitudes": lambda: ConvRNN(**RECURRENT, bias=False, representation="magnitude"),  # type: ignore[arg-type]
    "single_steps": lambda: ColdDiffusionRNN(**RECURRENT, bias=False),  # type: ignore[arg-type]
    "mask_net": lambda: MaskNet(4000, **MASK),
    "mask_net_of_one_stage": lambda: MaskNet(4000, **MASK, gain_channels=0),
}


def trained(net: nn.Module, seed: int = 0) -> nn.Module:
    """Return a network that changes what it is given."""
    draws = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        parameter.data = 0.2 * torch.randn(parameter.shape, generator=draws)
    return net.eval().requires_grad_(False)


def noise(*shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("samples", [4, 100, 1017])
def test_graph_restores_as_its_network(make: Callable[[], nn.Module], samples: int) -> None:
    net, signal = trained(make()), noise(2, samples)
    restored = net(signal[None])[0]
    assert (graph_of(net)(signal) - restored).abs().max() < 1e-5
    assert samples == 4 or (restored - signal).abs().max() > 1e-3


@pytest.mark.parametrize("gain_channels", [0, 4])
def test_graph_looks_twice_at_what_leads_up_to_a_sudden_sound(gain_channels: int) -> None:
    net, signal = trained(MaskNet(4000, **MASK, gain_channels=gain_channels)), noise(2, 4000)
    signal[1, 2000:] *= 30
    found = graph_of(net)(signal)
    assert (found - net(signal[None])[0]).abs().max() < 1e-4
    assert isinstance(net, MaskNet) and net.onsets.find(signal / signal.square().mean(dim=1, keepdim=True).sqrt())[1].any()


@pytest.mark.parametrize("samples", [100, 1017])
def test_graph_shares_rows_as_its_network_does(samples: int) -> None:
    net, signal = trained(MaskNet(4000, **{**MASK, "fft_samples": 192, "hop_samples": 48}, detailed_hz=400.0)), noise(2, samples)
    assert isinstance(net, MaskNet) and net.alone == 32
    assert (graph_of(net)(signal) - net(signal[None])[0]).abs().max() < 1e-5


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_graph_of_a_single_sample_is_a_finite_sample(make: Callable[[], nn.Module]) -> None:
    restored = graph_of(trained(make()))(noise(2, 1))  # the mirror image of one is all rounding but for a bin
    assert restored.shape == (2, 1) and restored.isfinite().all()


@pytest.mark.parametrize("length", [1, 4, 19, 20, 21, 90])
def test_floor_of_any_length_is_that_of_a_known_one(length: int) -> None:
    heights = noise(2, 3, length)
    heights[..., length // 2 :] += 1.0
    assert torch.equal(SlidingFloor(20)(heights), log_floor(heights, 20))


def test_graph_leaves_its_network_as_it_is() -> None:
    net = trained(NETWORKS["conv_rnn"]())
    before = {name: id(layer) for name, layer in net.named_modules()}
    graph_of(net)
    assert {name: id(layer) for name, layer in net.named_modules()} == before


@pytest.mark.parametrize("samples", [64, 320])
def test_matrices_give_the_short_time_spectrum_and_take_it_back(samples: int) -> None:
    window, signal = torch.hann_window(32), noise(2, samples)
    transform = MatrixTransform(window, 8)
    spectrum = stft.analyze(signal, window, 8, edges="silent")
    real, imaginary = transform.analyze(signal)
    assert torch.allclose(torch.complex(real, imaginary), spectrum, atol=1e-6)
    assert torch.allclose(transform.synthesize(real, imaginary), signal, atol=1e-6)


@pytest.mark.parametrize("lookahead_frames", [1, 2])
def test_blocks_give_what_the_causal_network_gives_at_once(lookahead_frames: int) -> None:
    settings = {"channels": 4, "blocks": 2, "fft_samples": 64, "hop_samples": 16, "lookahead_frames": lookahead_frames}
    net = trained(MaskNetCausal(4000, **settings))  # type: ignore[arg-type]
    assert isinstance(net, MaskNetCausal)
    graph = graph_of(net)
    assert isinstance(graph, StreamGraph)
    signal = noise(2, 1600) * (torch.arange(1600) > 200)  # silence first: nothing to hear
    state, found = torch.zeros(2, graph.state_values), []
    for block in functional.pad(signal, (0, net.delay_samples)).split(16, dim=-1):
        restored, state = graph(block, state)
        found.append(restored)
    assert (torch.cat(found, dim=-1)[:, net.delay_samples :] - net(signal[None])[0]).abs().max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet", "mugan"])
def test_torch_exports_networks_on_waveforms_with_a_free_length(name: str) -> None:
    net, free = trained(NETWORKS[name]()), torch.export.Dim.DYNAMIC
    program = torch.export.export(net, (noise(1, 2, 1001),), dynamic_shapes=({1: free, 2: free},)).module()
    for shape in ((1, 2, 999), (1, 3, 4096), (1, 2, 4097)):
        signal = noise(*shape)
        assert (program(signal) - net(signal)).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (lambda: BandNet(16000), "BandNet cannot be exported: it finds the edge of the band in every segment"),
        (lambda: Wiener(16000), "Wiener cannot be exported: its gains follow from frame to frame"),
        (lambda: Sinc(16000), "Sinc cannot be exported: a graph is known of UNet, "),
        (
            lambda: MaskNet(4000, channels=4, blocks=1, fft_samples=64, hop_samples=24),
            "MaskNet cannot be exported: hop_samples=24 does not go into fft_samples=64",
        ),
    ],
)
def test_what_has_no_graph_is_named_with_the_reason(net: Callable[[], nn.Module], reason: str) -> None:
    with pytest.raises(NotExportableError, match=f"^{reason}"):
        graph_of(net())
