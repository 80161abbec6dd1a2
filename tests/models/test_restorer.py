"""How far networks say that they look, held against how far they do, and what follows: no joints in long recordings."""

import math

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.base import RestorationModule
from lightning_modules.stepwise import Stoppable, with_num_steps
from models.autoencoder import Autoencoder
from models.classical.ar_declick import ARDeclick
from models.classical.hold_curves import HoldCurve
from models.classical.wpe import WPE
from models.conv_rnn import ConvRNN
from models.deep_prior import DeepPrior
from models.restorer import Restorer, SegmentedRestorer, segments_of
from models.streaming.chunking import Chunking
from models.streaming.restoration import RestorationStream, Settings
from tests.models.contracts import RATE_HZ, sounds
from tests.models.small import description, names, untrained, with_weights
from tests.models.training import channels_of

HEAVY = (
    "line_enhancer_rls",
    "conv_rnn_literal",
    "conv_rnn_single_step",
    "mugan",
    "mugan_published",
    "collaborative_gan",
    "collaborative_gan_published",
    "collaborative_gan_small",
    "unet",
    "unet_published",
    "unet_gan",
    "unet_gan_published",
    "conv_rnn_published",
    "autoencoder",
    "mask_net_causal",
    "ddae_published",
    "drdae_published",
    "rnn_dft_published",
    "fcn_raw_connected",
    "fcn_raw_connected_published",
    "tfilm_published",
    "segan",
    "segan_published",
    "segan_plus_published",
    "wavenet_denoiser",
    "wavenet_denoiser_published",
    "dnp",
    "deep_feature_published",
    "dnp_published",
)
SATURATING = "encoder_decoder_published"
"""Ends with a sigmoid, through which larger weights let no gradient."""
FEW_STEPS = 4
"""Of a hundred: the reach is counted step by step."""


METHODS = [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in names()]


def build(name: str) -> RestorationModule:
    """Return a method with weights that are nowhere zero, as after a training."""
    module = with_weights(untrained(description(name)))
    many = isinstance(module, Stoppable) and module.steps > 10
    return with_num_steps(module, FEW_STEPS) if many else module


def distances(net: nn.Module, signal: Tensor, place: int) -> Tensor:
    """Return how far from an output lie the inputs that it depends on."""
    signal = signal.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(net(signal)[0, 0, place], signal)
    seen = gradient[0].abs().amax(dim=0) > 1e-6 * gradient.abs().max()  # a level that cancels leaves the rounding of float32
    return (seen.nonzero().flatten() - place).abs()


@pytest.mark.parametrize("name", METHODS)
def test_no_output_looks_further_than_its_network_declares(name: str) -> None:
    net = build(name).net
    if isinstance(net, WPE | HoldCurve | ARDeclick | DeepPrior):
        pytest.skip("computed without gradients")
    for parameter in net.parameters():
        parameter.data.mul_(
            1.0 if name == SATURATING else 3.0
        )  # so that the longest way through the network is not lost beside the shorter ones
    assert isinstance(net, Restorer)
    if math.isinf(net.reach_samples):
        assert name.endswith("_oracle")
        return
    reach, grid = int(net.reach_samples), net.grid_samples if not isinstance(net, SegmentedRestorer) else 1
    signal = sounds(1, net.channels or 1, 2 * (reach + grid) + 3)
    middle = (reach + grid) // grid * grid
    furthest = max(int(distances(net, signal, middle + place).max()) for place in {0, 1, grid // 2, grid - 1})
    assert furthest <= reach
    if not isinstance(net, SegmentedRestorer):
        assert furthest >= 0.7 * reach, "declared much more than it is: long files would be restored in needlessly long chunks"


def worst_db(whole: Tensor, joined: Tensor) -> float:
    """Return the greatest difference of two signals (1, T) in any 50 ms, relative to the level of the first one there."""
    frame = round(0.05 * RATE_HZ)
    error, power = ((signal[0].square().unfold(0, frame, frame).sum(dim=-1)) for signal in (joined - whole, whole))
    return float(10 * torch.log10(error / power + 1e-30).max())


@pytest.mark.parametrize("name", METHODS)
def test_long_recordings_are_restored_in_chunks_as_they_are_whole(name: str) -> None:
    module = build(name)
    if module.is_oracle:
        pytest.skip("reproduces clean signals, and restores nothing")
    chunking = module.chunking()
    signal = sounds(1, channels_of(module), 2 * chunking.hop_samples + chunking.chunk_samples // 2)[0]
    if name == "consistent_declip":
        signal = signal.clamp(*(sign * 0.6 * float(signal.max()) for sign in (-1, 1)))
    stream = RestorationStream(module.restore, chunking, RATE_HZ, RATE_HZ, len(signal), Settings())
    with torch.inference_mode():
        blocks = [stream.push(block) for block in signal.double().split(RATE_HZ, dim=-1)]
        joined = torch.cat([*blocks, stream.flush()], dim=-1)
        whole = module.restore(signal[None])[0].double()
    assert worst_db(signal.double(), whole) > -60, "the method does nothing: joints could not be seen"
    assert worst_db(whole, joined) < -60


def test_a_network_that_declares_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="Identity does not declare how far it looks"):
        RestorationModule(nn.Identity(), 16000).chunking()
    with pytest.raises(NotImplementedError, match="Restorer does not declare how far its outputs look"):
        Restorer().chunking(16000)


def test_statistics_of_a_whole_signal_reach_all_of_it() -> None:
    net = Autoencoder(depth=2, filters=[4, 4], kernels=(3, 5), norm="group")
    assert net.reach_samples == math.inf
    with pytest.raises(ValueError, match="looks at a whole recording at once"):
        net.chunking(16000)


def test_a_step_of_the_recurrent_network_reaches_eight_frames_further() -> None:
    net = ConvRNN(steps=3, state_channels=4, hidden_channels=4, bias=False, fft_samples=64, hop_samples=16)
    assert [net.reach_at(step) for step in (1, 2, 3)] == [64 + 15 * 16, 64 + 23 * 16, 64 + 31 * 16]
    assert net.reach_samples == net.reach_at(3)


class Judging(SegmentedRestorer):
    """Multiplies a segment by its own energy."""

    def restore_segment(self, segment: Tensor) -> Tensor:
        return segment * segment.square().sum(dim=-1, keepdim=True)


def test_short_signals_are_one_segment() -> None:
    net = Judging(Chunking(100, 20, 5, 10))
    short = torch.ones(1, 1, 109)
    assert torch.equal(net(short), 109 * short)


def test_segments_do_not_depend_on_the_chunks_a_file_is_read_in() -> None:
    net = Judging(Chunking(100, 20, 5, 10))
    signal = torch.randn(1, 547, generator=torch.Generator().manual_seed(0))
    chunking = net.chunking(1000)
    assert (chunking, net.chunking(1000, chunk_seconds=0.3)) == (net.segments, net.segments)
    stream = RestorationStream(net, chunking, 1000, 1000, 1, Settings())
    joined = torch.cat([stream.push(signal.double()), stream.flush()], dim=-1)
    torch.testing.assert_close(joined, net(signal[None])[0].double(), rtol=1e-6, atol=1e-6)


def test_segments_are_sixteen_seconds_and_turn_into_each_other_over_seven() -> None:
    assert segments_of(1000, 25) == Chunking(16000, 8000, 500, 25)
    assert segments_of(1000, 25).fade_samples == 7000
