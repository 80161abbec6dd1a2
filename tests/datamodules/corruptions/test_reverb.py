"""Reverberation keeps the direct sound where and as loud as it was, and decays as fast as asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from datamodules.corruptions.reverb import Reverb

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_reverberation_time_of_a_moment_leaves_the_direct_sound() -> None:
    clean = torch.randn(2, 1, 500, generator=seeded())
    assert Reverb(t60_s=1e-5)(clean, RATE_HZ, seeded()).isfinite().all()


@pytest.mark.parametrize("origin", ["simulated", "recorded"])
def test_direct_sound_stays_at_its_place(origin: str, rir_root: Path) -> None:
    impulse = torch.zeros(6, 1, 4001)
    impulse[..., 1000] = 0.5
    heard = Reverb([origin], drr_db=0, rir_root=str(rir_root))(impulse, RATE_HZ, seeded())
    assert heard.abs().argmax(dim=-1).eq(1000).all()
    assert heard[..., : 1000 - RATE_HZ // 1000].abs().max() < 1e-5


def test_direct_sound_keeps_its_level(rir_root: Path) -> None:
    impulse = torch.zeros(6, 1, 4001)
    impulse[..., 1000] = 0.5
    simulated = Reverb(["simulated"], drr_db=0)(impulse, RATE_HZ, seeded())
    torch.testing.assert_close(simulated[..., 1000], impulse[..., 1000], atol=1e-5, rtol=0)
    recorded = Reverb(["recorded"], rir_root=str(rir_root))(impulse, RATE_HZ, seeded())
    energy = recorded[..., 1000 - 16 : 1000 + 41].square().sum(dim=-1)  # to 2.5 ms after its peak
    torch.testing.assert_close(energy, torch.full_like(energy, 0.25), atol=1e-4, rtol=0)


def test_correlation_with_the_clean_audio_peaks_at_lag_zero() -> None:
    clean = torch.randn(1, 1, 8000, generator=seeded())
    heard = Reverb(drr_db=6)(clean, RATE_HZ, seeded())
    assert scipy.signal.correlate(heard.flatten().numpy(), clean.flatten().numpy()).argmax() == clean.shape[-1] - 1


@pytest.mark.parametrize("origins", [["simulated"], ["recorded"], ["simulated", "recorded"]])
@pytest.mark.parametrize("length", [1, 101, 4093])
def test_any_length_comes_back_unmodified_and_silence_silent(origins: list[str], length: int, rir_root: Path) -> None:
    clean = torch.randn(5, 2, length, generator=seeded())
    clean[3] = 0
    before = clean.clone()
    heard = Reverb(origins, rir_root=str(rir_root))(clean, RATE_HZ, seeded())
    assert heard.shape == clean.shape and heard.isfinite().all() and heard[3].abs().max() < 1e-6
    assert torch.equal(clean, before)


def test_same_seed_same_rooms_and_examples_differ(rir_root: Path) -> None:
    clean = torch.randn(1, 1, 999, generator=seeded()).repeat(12, 1, 1)
    reverb = Reverb(["simulated", "recorded"], rir_root=str(rir_root))
    heard = reverb(clean, RATE_HZ, seeded(4))
    assert torch.equal(heard, reverb(clean, RATE_HZ, seeded(4)))
    assert len({round(float(example.square().sum()), 4) for example in heard}) > 6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"responses": ["church"]}, "responses=.*simulated, recorded"),
        ({"t60_s": [0, 1]}, "t60_s="),
        ({"drr_db": [5, -5]}, "drr_db="),
        ({"responses": ["recorded"]}, "rir_root"),
    ],
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Reverb(**settings)


def test_matching_responses_are_those_of_the_split(rir_root: Path) -> None:
    reverb = Reverb(["recorded"], rir_root=str(rir_root))
    served = [reverb.for_split(split)._recorded for split in ("train", "test")]
    assert [[info.path.name for info in files._files] for files in served] == [["hall.wav"], ["booth.flac"]]
    with pytest.raises(ValueError, match=r"no usable file of split 'val'.*corruption\.rir_split=null"):
        reverb.for_split("val")
    assert Reverb().for_split("val") is not None


def test_responses_that_cannot_be_decoded_or_are_silent_are_named_at_the_beginning(
    rir_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    soundfile.write(rir_root / "nan.wav", np.array([0.5, np.nan, 0.1]), RATE_HZ, subtype="FLOAT")
    soundfile.write(rir_root / "silent.wav", np.tile([1.0, 0.0], (100, 1)), RATE_HZ)
    reverb = Reverb(["recorded"], rir_root=str(rir_root), rir_split=None)
    assert len(reverb.skipped) == 2
    assert "nan.wav: holds NaN" in reverb.skipped[0]
    assert "silent.wav: is no impulse response: channel 2 is silent" in reverb.skipped[1]
    assert [caplog.text.count(name) for name in ("nan.wav", "silent.wav")] == [1, 1]
    assert reverb(torch.randn(20, 1, 500, generator=seeded()), RATE_HZ, seeded()).isfinite().all()
