"""Judges of spectra and periods: what they see, that all count the same, and that levels do not matter."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers.setting_error import SettingError
from models.multi_discriminator import MultiDiscriminator, PeriodJudge, SpectralJudge


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("samples", [1, 100, 4000])
def test_every_judge_has_as_many_places(samples: int) -> None:
    net = MultiDiscriminator([128, 64], [2, 5], channels=4)
    logits, activations = net(noise(2, 2, samples), noise(2, 2, samples, seed=1))
    coarsest = min(samples // 32 + 1, math.ceil(math.ceil(samples / 5) / 27))
    assert logits.shape == (4, 4, coarsest)
    assert len(activations) == 2 * 5 + 2 * 4


def test_spectral_judge_sees_log_magnitudes_of_a_tone() -> None:
    judge, seen = SpectralJudge(64, 1, 2, "magnitude"), []
    judge.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    tone = torch.cos(2 * torch.pi * 8 / 64 * torch.arange(640))
    judge(tone[None, None])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    frame = np.fft.rfft(window * tone.numpy()[128:192]) / np.sqrt((window**2).sum())
    wanted = 0.5 * np.log(np.abs(frame) ** 2 + 1e-7)
    np.testing.assert_allclose(seen[0][0, 0, :, 10].numpy(), wanted, atol=1e-2)


def test_period_judge_keeps_phases_apart() -> None:
    judge, signal = PeriodJudge(3, 1, 4), noise(1, 1, 300).requires_grad_()
    logits, _ = judge(signal)
    (gradient,) = torch.autograd.grad(logits[0, 0, 1].sum(), signal)
    assert gradient[0, 0, 1::3].any()
    assert not gradient[0, 0, 0::3].any()
    assert not gradient[0, 0, 2::3].any()


@pytest.mark.parametrize("sees", ["magnitude", "complex"])
def test_levels_do_not_matter_and_silence_is_judged(sees: str) -> None:
    net, signal, corrupted = MultiDiscriminator([64], [3], 4, sees), noise(2, 1, 800), noise(2, 1, 800, seed=1)
    torch.testing.assert_close(net(signal / 1000, corrupted / 1000)[0], net(signal, corrupted)[0], atol=1e-5, rtol=1e-4)
    for given in (torch.zeros_like(signal), signal):
        assert net(given, torch.zeros_like(signal))[0].isfinite().all()


def test_unconditional_judges_do_not_see_what_was_corrupted() -> None:
    net, signal = MultiDiscriminator([64], [2], 4, conditional=False), noise(2, 1, 500)
    quiet = 0.1 * noise(2, 1, 500, seed=1)
    torch.testing.assert_close(net(signal, quiet)[0], net(signal, 0 * quiet)[0])


@pytest.mark.parametrize("settings", [{"fft_samples": []}, {"fft_samples": [6]}, {"sees": "phase"}, {"channels": 0}])
def test_impossible_judges_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        MultiDiscriminator(**settings)  # type: ignore[arg-type]
