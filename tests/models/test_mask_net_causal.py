"""The causal mask network against a reference in NumPy, and what its docstrings promise: its latency, and the same in blocks."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.mask_net_causal import BLOCK_FRAMES, MaskNetCausal, shuffle
from tests.models import causal_reference
from tests.models.causal_reference import Sizes

SMALL: dict[str, Any] = {
    "channels": 5,
    "blocks": 2,
    "fine_channels": 3,
    "hidden_channels": 4,
    "fft_samples": 64,
    "hop_samples": 16,
    "lookahead_frames": 1,
    "memory_seconds": 0.5,
}
RATE_HZ = 1000


def drawn(scale: float = 0.2, **changes: Any) -> MaskNetCausal:
    net, generator = MaskNetCausal(RATE_HZ, **{**SMALL, **changes}), torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def noise(samples: int, channels: int = 2) -> Tensor:
    return 0.3 * torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(1))


def with_pause(samples: int) -> Tensor:
    signal = noise(samples)
    signal[..., : samples // 4] = 0
    signal[..., samples // 2 : samples // 2 + 150] = 0
    return signal


@torch.no_grad()
def streamed(net: MaskNetCausal, signal: Tensor, block_samples: int) -> Tensor:
    """Return what comes out of a stream for a signal and the silence after it, without the delay."""
    lacking = -(signal.shape[-1] + net.delay_samples) % block_samples
    followed = torch.nn.functional.pad(signal, (0, net.delay_samples + lacking))
    state, out = None, []
    for block in followed.split(block_samples, dim=-1):
        restored, state = net.stream(state, block)
        out.append(restored)
    return torch.cat(out, dim=-1)[..., net.delay_samples :][..., : signal.shape[-1]]


@pytest.mark.parametrize(
    "settings",
    [{}, {"blocks": 0}, {"lookahead_frames": 0}, {"lookahead_frames": 3}, {"fft_samples": 48, "hop_samples": 24}],
)
@pytest.mark.parametrize("make", [noise, with_pause])
def test_network_equals_recursions_and_sums_over_taps(settings: dict[str, Any], make: Any) -> None:
    net, signal = drawn(**settings), make(1333)
    weights = {name: value.double().numpy() for name, value in net.state_dict().items()}
    now = {**SMALL, **settings}
    memory = now["memory_seconds"] * RATE_HZ / now["hop_samples"]
    sizes = Sizes(now["blocks"], now["fft_samples"], now["hop_samples"], now["lookahead_frames"], memory)
    expected = np.stack([causal_reference.restored(each.double().numpy(), weights, sizes) for each in signal[0]])
    change = expected - signal[0].numpy()
    assert np.abs(change).max() > 0.05
    np.testing.assert_allclose((net(signal) - signal)[0].detach(), change, atol=1e-4 * np.abs(change).max())


@pytest.mark.parametrize("hops", [1, 2, 5, 16])
@pytest.mark.parametrize("lookahead_frames", [0, 1])
def test_stream_of_blocks_equals_the_whole(hops: int, lookahead_frames: int) -> None:
    net, signal = drawn(lookahead_frames=lookahead_frames), with_pause(2001)
    whole = net(signal).detach()
    assert (whole - signal).abs().max() > 0.05
    torch.testing.assert_close(streamed(net, signal, hops * net.hop_samples), whole, rtol=0, atol=1e-5)


def test_stream_of_the_default_network_equals_the_whole() -> None:
    net, generator = MaskNetCausal(16000).eval(), torch.Generator().manual_seed(0)
    net.mask.weight.data = torch.randn(net.mask.weight.shape, generator=generator)
    signal = noise(9000, 1)
    torch.testing.assert_close(streamed(net, signal, 8 * net.hop_samples), net(signal).detach(), rtol=0, atol=1e-5)


def test_long_recording_that_is_worked_on_in_blocks_equals_short_blocks() -> None:
    net = drawn()
    signal = with_pause(round(2.3 * BLOCK_FRAMES * net.hop_samples))
    torch.testing.assert_close(streamed(net, signal, 100 * net.hop_samples), net(signal).detach(), rtol=0, atol=1e-5)


def test_blocks_may_differ_in_length() -> None:
    net, signal = drawn(), noise(1600)
    state, out = None, []
    with torch.no_grad():
        for block in signal.split([16, 160, 32, 1392], dim=-1):
            restored, state = net.stream(state, block)
            out.append(restored)
    joined = torch.cat(out, dim=-1)[..., net.delay_samples :]
    torch.testing.assert_close(joined, net(signal).detach()[..., : joined.shape[-1]], rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"lookahead_frames": 0}, {"fft_samples": 96, "lookahead_frames": 2}])
def test_no_output_waits_for_more_than_the_latency_and_some_for_all_of_it(settings: dict[str, Any]) -> None:
    net = drawn(0.5, **settings)
    furthest = []
    for place in range(480, 480 + net.hop_samples):
        signal = noise(800, 1).requires_grad_(True)
        (gradient,) = torch.autograd.grad(net(signal)[0, 0, place], signal)
        furthest.append(int(gradient[0, 0].nonzero().max()) - place)
    assert net.latency_samples - 3 <= max(furthest) <= net.latency_samples - 1  # a window's edges weigh nothing


def test_change_of_the_future_changes_nothing_before() -> None:
    net, signal = drawn(), noise(1500)
    other = signal.clone()
    other[..., 1000:] = 0
    same = 1001 - net.latency_samples
    before, after = net(signal)[..., :same], net(other)[..., :same]
    torch.testing.assert_close(after, before, rtol=0, atol=1e-6)
    assert (net(signal) - net(other))[..., same : same + net.latency_samples].abs().max() > 1e-3


def test_defaults_have_the_stated_size_and_latency() -> None:
    net = MaskNetCausal(16000)
    assert sum(parameter.numel() for parameter in net.parameters()) == 305_978
    assert (net.latency_samples, net.delay_samples) == (640, 512)
    assert net.latency_samples / 16000 <= 0.040


def test_untrained_network_streams_its_input_late() -> None:
    net, signal = MaskNetCausal(RATE_HZ, **SMALL).eval(), noise(320)
    with torch.no_grad():
        restored, _ = net.stream(None, signal)
    assert torch.equal(restored[..., net.delay_samples :], signal[..., : -net.delay_samples])
    assert not restored[..., : net.delay_samples].any()


def test_level_is_that_of_the_input_also_after_silence() -> None:
    net, signal = drawn(), with_pause(1500)
    torch.testing.assert_close(net(1e-4 * signal) / 1e-4, net(signal), rtol=0, atol=1e-5)


def test_silence_counts_in_no_statistic() -> None:
    net, signal = drawn(), noise(1600)
    late = torch.cat([torch.zeros(1, 2, 1600), signal], dim=-1)
    later = torch.cat([torch.zeros(1, 2, 3200), signal], dim=-1)
    torch.testing.assert_close(net(later)[..., 3200:], net(late)[..., 1600:], rtol=0, atol=1e-6)


def test_minutes_of_silence_leave_nothing_that_is_not_finite() -> None:
    net = drawn(memory_seconds=0.05)
    signal = torch.cat([noise(320), torch.zeros(1, 2, 16000), noise(320)], dim=-1)
    assert net(signal).isfinite().all()


def test_values_of_a_patch_are_laid_out_over_its_bins() -> None:
    patches = torch.arange(16 * 3 * 2.0).reshape(1, 16, 3, 2)
    laid = shuffle(patches)
    assert laid.shape == (1, 2, 24, 2)
    assert laid[0, 1, 8 * 2 + 5, 1] == patches[0, 8 + 5, 2, 1]


@pytest.mark.parametrize("samples", [0, 15, 24])
def test_block_of_no_whole_hops_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match=f"a block of {samples} samples must be a multiple of hop_samples=16"):
        drawn().stream(None, noise(samples))


def test_block_of_other_channels_is_refused() -> None:
    net = drawn()
    _, state = net.stream(None, noise(160))
    with pytest.raises(ValueError, match="a block of 3 channels in all goes on with a stream of 2"):
        net.stream(state, noise(160, 3))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channels": 0}, "channels=0"),
        ({"blocks": -1}, "blocks=-1"),
        ({"lookahead_frames": -1}, "lookahead_frames=-1"),
        ({"fft_samples": 100}, "fft_samples=100"),
        ({"hop_samples": 24}, "hop_samples=24 must go into fft_samples=64"),
        ({"hop_samples": 64}, "hop_samples=64 must go into fft_samples=64"),
        ({"memory_seconds": 0.01}, "memory_seconds=0.01 must be at least a hop, 0.016 s"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_key(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MaskNetCausal(RATE_HZ, **{**SMALL, **settings})
