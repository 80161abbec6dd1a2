"""The band network against a reference in NumPy, and what its docstrings promise."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.corruptions.bandwidth import Bandwidth
from models.band_net import BandNet, level_power, log_spectrum
from models.classical.interpolation import Sinc
from models.layers.excitations import above, whitened
from tests.models import band_reference

RATE_HZ = 4000
FFT = 256
SMALL: dict[str, Any] = {"channels": 6, "blocks": 2}


def drawn(scale: float = 0.2, **changes: Any) -> BandNet:
    net, generator = BandNet(RATE_HZ, **{**SMALL, **changes}), torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def noise(samples: int, seed: int = 1) -> Tensor:
    return 0.3 * torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(seed))


def low_passed(samples: int = 8000, edge_hz: float = 500.0) -> Tensor:
    spectrum = torch.fft.rfft(noise(samples))
    spectrum[..., round(edge_hz * samples / RATE_HZ) :] = 0
    return torch.fft.irfft(spectrum, n=samples)


def level_db(signal: Tensor, low_hz: float, high_hz: float) -> float:
    spectrum = torch.fft.rfft(signal.double() * torch.hann_window(signal.shape[-1]))
    hz = torch.arange(spectrum.shape[-1]) * (RATE_HZ / signal.shape[-1])
    return float(10 * torch.log10(spectrum[..., (hz >= low_hz) & (hz <= high_hz)].abs().square().sum() + 1e-30))


@pytest.mark.parametrize("settings", [{}, {"blocks": 0}, {"kernel": 3, "expansion": 2}])
@pytest.mark.parametrize(("samples", "edge_hz"), [(1500, 500.0), (1333, 810.0)])
def test_network_equals_sums_over_frames_and_bins(settings: dict[str, Any], samples: int, edge_hz: float) -> None:
    net, signal = drawn(cutoff_hz=edge_hz, **settings), noise(samples)
    weights = {name: value.double().numpy() for name, value in net.state_dict().items()}
    blocks = {**SMALL, **settings}["blocks"]
    masking = net.noise_for(signal)[0].double().numpy()
    expected = np.stack(
        [
            band_reference.restored(each.double().numpy(), masking[place], weights, blocks, FFT, edge_hz * FFT / RATE_HZ)
            for place, each in enumerate(signal[0])
        ]
    )
    change = expected - signal[0].numpy()
    assert np.abs(change).max() > 0.1
    np.testing.assert_allclose((net(signal) - signal)[0].detach(), change, atol=2e-4 * np.abs(change).max())


def test_defaults_have_the_stated_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in BandNet(16000).parameters()) == 2_134_345


def test_frames_last_as_long_at_every_rate() -> None:
    assert [(len(net.window), net.hop_samples) for net in map(BandNet, (8000, 16000, 44100, 48000))] == [
        (512, 128),
        (1024, 256),
        (2048, 512),
        (4096, 1024),
    ]


@torch.no_grad()
def test_nothing_up_to_the_edge_is_changed() -> None:
    net, signal = drawn(cutoff_hz=600.0), noise(8000)
    change = net(signal) - signal
    assert level_db(change, 700, 2000) > level_db(signal, 0, 600) - 20
    assert level_db(change, 0, 560) < level_db(change, 700, 2000) - 60


@torch.no_grad()
@pytest.mark.parametrize("filters", ["chebyshev1", "windowed_sinc", "bessel"])
def test_the_edge_is_found_in_what_the_corruption_leaves(filters: str) -> None:
    clean = noise(32000)
    corrupted = Bandwidth(1000, filters=[filters])(clean, RATE_HZ, torch.Generator().manual_seed(0))
    _, edges_hz = BandNet(RATE_HZ, **SMALL).band_of(corrupted)
    assert 350 < edges_hz.item() < 560


@torch.no_grad()
def test_images_of_an_interpolation_are_taken_out_and_the_band_is_given_back() -> None:
    clean, draw = noise(32000), torch.Generator().manual_seed(0)
    drawn_by = {
        name: Bandwidth(1000, filters=["windowed_sinc"], interpolation=[name])(clean, RATE_HZ, draw)
        for name in ("sinc", "linear")
    }
    restored = BandNet(RATE_HZ, **SMALL)(drawn_by["linear"])
    torch.testing.assert_close(restored, Sinc(RATE_HZ, 1000.0)(drawn_by["linear"]))
    errors_db = [level_db(signal - drawn_by["sinc"], 0, 400) for signal in (drawn_by["linear"], restored)]
    assert errors_db[1] < errors_db[0] - 20


@torch.no_grad()
def test_sound_of_full_band_and_silence_stay_as_they_are() -> None:
    net = drawn()
    both = torch.cat([noise(8000), torch.zeros(1, 2, 8000)])
    assert torch.equal(net(both), both)
    told = drawn(cutoff_hz=500.0)
    assert torch.equal(told(both[1:]), both[1:])


@torch.no_grad()
def test_a_batch_of_different_edges_is_restored_as_each_alone() -> None:
    net = drawn()
    batch = torch.cat([low_passed(edge_hz=400.0), noise(8000), low_passed(edge_hz=900.0)])
    torch.testing.assert_close(net(batch), torch.cat([net(each[None]) for each in batch]), atol=1e-5, rtol=0)
    changes = net(batch) - batch
    assert level_db(changes[0], 500, 850) > level_db(changes[2], 0, 850) + 40
    assert not changes[1].any()


def test_gates_and_the_last_layer_are_all_that_keeps_an_untrained_network_silent() -> None:
    net, signal = BandNet(RATE_HZ, cutoff_hz=500.0, **SMALL), low_passed()
    assert torch.equal(net(signal), signal)
    torch.nn.init.constant_(net.gates, 0.05)
    assert level_db(net(signal).detach(), 600, 2000) > level_db(signal, 0, 500) - 10


@torch.no_grad()
def test_noise_goes_on_from_segment_to_segment() -> None:
    net = BandNet(RATE_HZ, cutoff_hz=500.0, **SMALL).eval()
    torch.nn.init.constant_(net.gates[:1], 0.05)
    signal = low_passed(net.segments.limit_samples + 30_000)
    change = net(signal) - signal
    levels = [level_db(change[..., start : start + 4000], 700, 2000) for start in range(8000, signal.shape[-1] - 8000, 4000)]
    assert max(levels) - min(levels) < 2.0, "where segments are faded into each other their noises do not cancel"


def test_every_step_of_a_training_has_other_noise_for_each_example() -> None:
    net, batch = BandNet(RATE_HZ, **SMALL).train(), torch.zeros(3, 2, 1000)
    stretches = torch.cat([net.noise_for(batch), net.noise_for(batch)])
    assert stretches.shape == (6, 2, 1000)
    assert len({tuple(channel[:5].tolist()) for each in stretches for channel in each}) == 12
    assert torch.equal(*net.eval().noise_for(batch[:2]))


def test_excitations_are_of_level_one_whatever_the_envelope() -> None:
    white = torch.randn(1, 200, 60, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    slope = torch.logspace(0, -3, 200)[:, None] * torch.logspace(0, 1, 60)
    flat = whitened(white * slope, torch.full((1, 1, 60), 1e-12))
    power = flat.abs().square()[0]
    levels = [float(part.mean()) for part in (power, power[:50], power[150:], power[:, :15], power[:, 45:])]
    assert levels == pytest.approx(5 * [0.95], abs=0.1)


def test_what_is_loud_and_what_is_quiet_is_heard_alike() -> None:
    spectrum = torch.randn(2, 129, 90, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    spectrum[1] = 1e-4 * spectrum[0]
    heard = log_spectrum(spectrum, level_power(spectrum))
    torch.testing.assert_close(heard[0], heard[1], atol=1e-4, rtol=0)
    silence = torch.zeros(1, 129, 90, dtype=torch.complex64)
    assert log_spectrum(silence, level_power(silence)).isfinite().all()


def test_high_part_fades_in_by_a_raised_cosine() -> None:
    seconds = torch.arange(4000) / RATE_HZ
    tones = torch.stack([torch.sin(2 * math.pi * hz * seconds) for hz in (500.0, 520.0, 540.0)])
    kept = above(tones, torch.full((3,), 500.0), 40.0, RATE_HZ, 1000)
    levels = kept[:, 1000:3000].square().mean(dim=-1).sqrt() * math.sqrt(2)
    assert levels.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=0.02)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channels": 0}, "channels=0"),
        ({"blocks": -1}, "blocks=-1"),
        ({"kernel": 4}, "kernel=4 must be odd"),
        ({"expansion": 0}, "expansion=0"),
        ({"cutoff_hz": 2000.0}, "cutoff_hz=2000.0 must be between 0 and half of sample_rate=4000"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_key(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BandNet(RATE_HZ, **{**SMALL, **settings})
