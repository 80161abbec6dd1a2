"""The mask network against a reference in NumPy, and what its docstrings promise."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers import stft
from models.layers.mask_features import log_floor, mask_features
from models.mask_net import MaskNet, shuffle
from tests.models import mask_reference

SMALL: dict[str, Any] = {
    "channels": 5,
    "blocks": 2,
    "fine_channels": 3,
    "hidden_channels": 4,
    "fft_samples": 64,
    "hop_samples": 16,
    "gain_channels": 4,
    "gain_fft_samples": 32,
    "gain_hop_samples": 8,
}
RATE_HZ = 1000


SETTINGS: list[dict[str, Any]] = [
    {},
    {"blocks": 0, "gain_channels": 0},
    {"fft_samples": 48, "hop_samples": 12},
    {"fft_samples": 160, "hop_samples": 40, "detailed_hz": 100.0},
]


def drawn(**changes: Any) -> MaskNet:
    net, generator = MaskNet(RATE_HZ, **{**SMALL, **changes}), torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        parameter.data = 0.2 * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def sizes_of(settings: dict[str, Any]) -> dict[str, Any]:
    return {**SMALL, **settings}


def noise(samples: int) -> Tensor:
    return 0.3 * torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("samples", [30, 333, 900])
def test_network_equals_sums_over_bins_and_taps(settings: dict[str, Any], samples: int) -> None:
    net, signal = drawn(**settings), noise(samples)
    assert net.alone == (16 if "detailed_hz" in settings else sizes_of(settings)["fft_samples"] // 2)
    weights = {name: value.double().numpy() for name, value in net.state_dict().items()}
    sizes = sizes_of(settings)
    frames, short = (sizes["fft_samples"], sizes["hop_samples"]), (sizes["gain_fft_samples"], sizes["gain_hop_samples"])
    reference = partial(
        mask_reference.restored, weights=weights, blocks=sizes["blocks"], frames=frames, short=short, alone=net.alone
    )
    restored = [reference(each.double().numpy()) for each in signal[0]]
    expected = np.stack(restored)
    change = expected - signal[0].numpy()
    assert np.abs(change).max() > 0.1
    np.testing.assert_allclose((net(signal) - signal)[0].detach(), change, atol=1e-4 * np.abs(change).max())


def test_defaults_have_the_stated_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in MaskNet(16000).parameters()) == 1_221_540
    assert sum(parameter.numel() for parameter in MaskNet(16000, gain_channels=0).parameters()) == 1_216_434


def test_steady_tone_between_bins_turns_by_what_lies_between() -> None:
    fft, hop, place = 256, 64, 20.25
    tone = torch.cos(2 * math.pi * place / fft * torch.arange(4096, dtype=torch.float64))
    spectrum = torch.stft(tone[None], fft, hop, window=torch.hann_window(fft, dtype=torch.float64), return_complex=True)
    found = mask_features(spectrum, hop)[0]
    turn = 2 * math.pi * 0.25 * hop / fft
    torch.testing.assert_close(found[2, 20, 4:-4], torch.full_like(found[2, 20, 4:-4], math.cos(turn)), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[3, 20, 4:-4], torch.full_like(found[3, 20, 4:-4], math.sin(turn)), atol=1e-3, rtol=0)
    assert (found[4, 20, 4:-4] > 0.99).all()


def test_floor_is_that_of_the_pauses() -> None:
    levels = torch.full((1, 3, 90), 5.0)
    levels[..., ::8] = 0.0
    torch.testing.assert_close(log_floor(levels, 16), torch.zeros(1, 3, 90))
    assert (log_floor(levels, 30)[..., 1:-1] == 0.0).all() and (log_floor(levels[..., 1:8], 30) == 5.0).all()


@pytest.mark.parametrize("step", [-4.0, 4.0])
def test_every_passage_has_its_own_floor_up_to_the_step(step: float) -> None:
    levels = torch.zeros(1, 3, 90)
    levels[..., 45:] = step
    torch.testing.assert_close(log_floor(levels, 20), levels)


def test_what_is_heard_of_a_quiet_passage_is_what_it_has_alone() -> None:
    sound = noise(8000)[:, 0]
    spectra = [stft.analyze(signal, torch.hann_window(64), 16) for signal in (torch.cat([sound, sound / 100], dim=-1), sound)]
    both, alone = (mask_features(spectrum, 16) for spectrum in spectra)
    apart = (both[..., 500 + 40 : -40] - alone[..., 40:-40]).abs()
    assert (apart < 1e-2).float().mean() > 0.99, "but in bins where chance left nothing"


def test_signals_of_all_lengths_end_without_silence() -> None:
    net = drawn()
    for samples in (100, 333, 1000):
        spectrum = net.analyze(torch.ones(1, samples))
        torch.testing.assert_close(spectrum[:, 0].real, torch.full_like(spectrum[:, 0].real, 32.0))


def test_values_of_a_patch_are_laid_out_over_its_bins_and_frames() -> None:
    patches = torch.arange(2 * 32 * 3 * 2.0).reshape(1, 64, 3, 2)
    laid = shuffle(patches)
    assert laid.shape == (1, 2, 24, 8)
    assert laid[0, 1, 8 * 2 + 5, 4 * 1 + 3] == patches[0, 32 + 5 * 4 + 3, 2, 1]


@pytest.mark.parametrize(
    ("rate_hz", "frame", "short", "alone"),
    [
        (8000, 2048, 256, 1024),
        (16000, 4096, 512, 2048),
        (22050, 5632, 704, 2048),
        (44100, 11264, 1408, 2048),
        (48000, 12288, 1536, 2048),
    ],
)
def test_frames_last_as_long_at_every_rate_and_bins_share_rows_above_8_khz(
    rate_hz: int, frame: int, short: int, alone: int
) -> None:
    net = MaskNet(rate_hz, channels=2, blocks=0, detailed_hz=8000.0)
    assert net.gain_stage is not None
    lengths = (len(net.window), net.hop_samples, len(net.gain_stage.window), net.gain_stage.hop_samples)
    assert lengths == (frame, frame // 4, short, short // 4)
    assert net.alone == alone
    assert {name: value.shape for name, value in net.state_dict().items()} == {
        name: value.shape for name, value in MaskNet(16000, channels=2, blocks=0).state_dict().items()
    }


def test_noise_above_what_is_told_apart_is_taken_out_by_the_masks_of_groups() -> None:
    net = MaskNet(44100, channels=2, blocks=0, gain_channels=0, detailed_hz=8000.0).eval()
    net.mask.bias.data = torch.tensor([-0.9, 0.0])
    sound = torch.sin(2 * math.pi * 15000 / 44100 * torch.arange(44100))[None, None]
    left = net(sound)[..., 5000:-5000]
    torch.testing.assert_close(left, 0.1 * sound[..., 5000:-5000], atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channels": 0}, "channels=0"),
        ({"blocks": -1}, "blocks=-1"),
        ({"fft_samples": 100}, "fft_samples=100"),
        ({"hop_samples": 40}, "hop_samples=40"),
        ({"gain_channels": -1}, "gain_channels=-1"),
        ({"gain_fft_samples": 33}, "gain_fft_samples=33"),
        ({"gain_hop_samples": 17}, "gain_hop_samples=17"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_key(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MaskNet(RATE_HZ, **{**SMALL, **settings})


def test_what_leads_up_to_a_sudden_sound_is_restored_as_if_it_did_not_come() -> None:
    net = MaskNet(8000, channels=2, blocks=1, fft_samples=512, hop_samples=128).eval()
    torch.nn.init.normal_(net.mask.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    steady = torch.randn(1, 1, 8000, generator=torch.Generator().manual_seed(0))
    sudden = steady.clone()
    sudden[..., 4000:] *= 100
    led_up = slice(4000 - 500, 4000 - 4)
    fair = (net(steady) - steady)[..., led_up]
    heard = (net(torch.cat([steady, sudden, steady, -sudden])) - torch.cat([steady, sudden, steady, -sudden]))[..., led_up]
    torch.testing.assert_close(heard[[0, 2]], fair.expand(2, -1, -1))
    for sign, found in ((1, heard[1]), (-1, heard[3])):
        assert (found - sign * fair).square().mean() < 0.2 * fair.square().mean()


def test_training_hears_of_changes_that_are_all_too_large_to_be_kept() -> None:
    net = MaskNet(8000, channels=2, blocks=0, fft_samples=64, hop_samples=16, gain_channels=0)
    torch.nn.init.constant_(net.mask.bias, -3.0)
    given = torch.randn(1, 1, 2000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(net.eval()(given), given)
    net.train()(given).square().mean().backward()
    assert net.mask.bias.grad is not None
    assert net.mask.bias.grad[0] < 0
