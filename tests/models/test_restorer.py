"""What networks declare of themselves, held against what they do, and what follows: no joints in long recordings."""

import math
from collections.abc import Callable

import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from conf.compose import FOLDER, plain
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.stepwise import Stepwise, with_num_steps
from models.autoencoder import Autoencoder
from models.classical.wiener import WienerOracle
from models.conv_rnn import ConvRNN
from models.restorer import Restorer, SegmentedRestorer, segments_of
from models.streaming.chunking import Chunking
from models.streaming.restoration import RestorationStream, Settings

RATE_HZ = 4000
HEAVY = ("conv_rnn_literal", "conv_rnn_single_step", "mugan", "collaborative_gan", "unet", "unet_gan", "autoencoder")
FEW_STEPS = 4
"""Of a hundred: the reach is counted step by step."""


NAMES = sorted(file.stem for file in (FOLDER / "model").glob("*.yaml"))
METHODS = [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in NAMES]


def untrained(name: str) -> RestorationModule:
    """Return a method as it starts."""
    with initialize_config_dir(str(FOLDER)):
        config = plain(compose("train", [f"model={name}", f"data.sample_rate={RATE_HZ}", "data.window_samples=8192"]).model)
    torch.manual_seed(0)
    return build_restorer(config).eval()


def build(name: str) -> RestorationModule:
    """Return a method with weights that are nowhere zero, as after a training."""
    module = untrained(name)
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.03)
    many = isinstance(module, Stepwise) and module.steps > 10
    return with_num_steps(module, FEW_STEPS) if many else module


def band_limited(samples: int) -> Tensor:
    """Return sound below an eighth of the sample rate that swells and pauses, (1, 1, T)."""
    spectrum = torch.fft.rfft(torch.randn(samples, generator=torch.Generator().manual_seed(1)))
    spectrum[samples // 8 :] = 0
    swell = 1.05 + torch.sin(2 * math.pi * torch.arange(samples) / (0.7 * RATE_HZ))
    return (0.1 * swell * torch.fft.irfft(spectrum, n=samples))[None, None]


def distances(net: nn.Module, signal: Tensor, place: int) -> Tensor:
    """Return how far from an output lie the inputs that it depends on."""
    signal = signal.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(net(signal)[0, 0, place], signal)
    seen = gradient[0, 0].abs() > 1e-6 * gradient.abs().max()  # a level that cancels leaves the rounding of float32
    return (seen.nonzero().flatten() - place).abs()


@pytest.mark.parametrize("name", METHODS)
def test_no_output_looks_further_than_its_network_declares(name: str) -> None:
    net = build(name).net
    for parameter in net.parameters():
        parameter.data.mul_(3.0)  # so that the longest way through the network is not lost beside the shorter ones
    assert isinstance(net, Restorer)
    if math.isinf(net.reach_samples):
        assert name == "wiener_oracle"
        return
    reach, grid = int(net.reach_samples), net.grid_samples if not isinstance(net, SegmentedRestorer) else 1
    signal = band_limited(2 * (reach + grid) + 3)
    middle = (reach + grid) // grid * grid
    furthest = max(int(distances(net, signal, middle + place).max()) for place in {0, 1, grid // 2, grid - 1})
    assert furthest <= reach
    if not isinstance(net, SegmentedRestorer):
        assert furthest >= 0.7 * reach, "declared much more than it is: long files would be restored in needlessly long chunks"


VERY_QUIET = 1e-4
"""Of a signal's level: a floor such as that of a noise estimate is above it, as is a bias."""


def violations(start: Restorer, trained: Restorer) -> list[str]:
    """Name the declarations of a network that do not hold."""
    signal, calls = band_limited(3000), [applied(net) for net in (start, trained)]
    with torch.no_grad():
        identity = torch.equal(calls[0](signal), signal)
        restored, quiet = calls[1](signal), calls[1](VERY_QUIET * signal) / VERY_QUIET
        level_free = bool((quiet - restored).abs().max() < 1e-5 * restored.abs().max())
        shapes = [(2, count, start.min_samples + more) for count in (1, 2, 3) for more in (0, 1, 6)]
        taken = {shape for shape in shapes if takes(calls[1], shape)}
        shorter = start.min_samples > 1 and takes(calls[1], (2, start.channels or 1, start.min_samples - 1))
    wanted = {shape for shape in shapes if start.channels in (None, shape[1])}
    held = {
        "identity_at_start": identity == start.identity_at_start,
        "level_free": level_free == trained.level_free,
        "channels": {shape[1] for shape in taken} == {shape[1] for shape in wanted},
        "min_samples": {shape[2] for shape in taken} == {shape[2] for shape in wanted} and not shorter,
    }
    return [name for name, holds in held.items() if not holds]


def applied(net: Restorer) -> Callable[[Tensor], Tensor]:
    """Return a network as it is used: one that is told the clean signal, with half of the input as that."""
    return net if type(net) is not WienerOracle else lambda signal: net.restore_with_clean(signal, 0.5 * signal)


def takes(call: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> bool:
    """Say whether a network gives finite sound of its input's shape."""
    signal = band_limited(3000)[..., : shape[-1]].expand(shape)
    try:
        restored = call(signal)
    except (ValueError, RuntimeError):
        return False
    return restored.shape == shape and bool(restored.isfinite().all())


@pytest.mark.parametrize("name", METHODS)
def test_what_a_network_declares_holds(name: str) -> None:
    start, trained = untrained(name).net, build(name).net
    assert isinstance(start, Restorer) and isinstance(trained, Restorer)
    assert violations(start, trained) == []


class OnlyMono(Restorer):
    """Gives one more than it gets, of mono signals from two samples on, of an even length."""

    def forward(self, corrupted: Tensor) -> Tensor:
        if corrupted.shape[1] > 1 or corrupted.shape[2] % 2:
            raise ValueError("one channel and an even length only")
        return corrupted + 1


def test_a_network_that_declares_too_much_is_seen() -> None:
    net = OnlyMono()
    assert violations(net, net) == ["identity_at_start", "channels", "min_samples"]
    net.identity_at_start, net.channels, net.level_free = False, 1, True
    assert violations(net, net) == ["level_free", "min_samples"]


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
    signal = band_limited(2 * chunking.hop_samples + chunking.chunk_samples // 2)[0]
    stream = RestorationStream(module.restore, chunking, RATE_HZ, RATE_HZ, 1, Settings())
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
