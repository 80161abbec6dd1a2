"""Clipped peaks are filled, consistently; what is not clipped stays."""

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.snr import snr_db
from models.classical.consistent_declip import ConsistentDeclip, clipped_samples, declipped
from tests.models.classical.decaying_tones import chord, in_white_noise


def clipped(clean: Tensor, depth_db: float) -> Tensor:
    level = float(clean.abs().max()) * 10 ** (-depth_db / 20)
    return clean.clamp(-level, level)


@pytest.mark.parametrize(("depth_db", "gain_db"), [(3.0, 15.0), (10.0, 10.0)])
def test_clipped_tones_gain(depth_db: float, gain_db: float) -> None:
    clean = chord()
    corrupted = clipped(clean, depth_db)
    assert snr_db(ConsistentDeclip(8000)(corrupted), clean) > snr_db(corrupted, clean) + gain_db


def test_samples_that_are_not_clipped_stay_and_others_agree() -> None:
    corrupted = clipped(in_white_noise(chord(), 20.0), 6.0)
    restored, at = ConsistentDeclip(8000)(corrupted), clipped_samples(corrupted)
    assert 50 < at.sum() < 5000
    assert torch.equal(restored[~at], corrupted[~at])
    assert (restored[at] / corrupted[at] > 1 - 1e-5).all()


def test_frames_agree_with_what_is_known() -> None:
    frames = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))
    where = frames.abs() > 1.5
    restored = declipped(frames.clamp(-1.5, 1.5), where)
    assert torch.equal(restored[~where], frames[~where])
    assert (restored[where].abs() >= 1.5).all() and torch.equal(restored[where].sign(), frames[where].sign())


@pytest.mark.parametrize("samples", [1, 2, 7, 9000])
def test_what_is_not_clipped_stays(samples: int) -> None:
    noise = torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(0))
    for signal in (noise, torch.zeros(1, 1, samples)):
        restored = ConsistentDeclip(8000)(signal)
        assert torch.equal(restored, signal)
        assert restored is not signal


def test_steps_are_no_clipping() -> None:
    tone = torch.sin(0.05 * torch.arange(4000))[None, None]
    for steps in ((8 * tone).round() / 8, tone[..., ::10].repeat_interleave(10, dim=-1)):
        assert not clipped_samples(steps).any()


def test_examples_are_judged_apart_and_channels_together() -> None:
    tone = torch.sin(0.05 * torch.arange(4000))
    stereo = torch.stack([tone, 0.5 * tone])[None]
    batch = torch.cat([stereo, clipped(stereo, 3.0)])
    found = clipped_samples(batch)
    assert found.any(dim=-1).tolist() == [[False, False], [True, False]]
