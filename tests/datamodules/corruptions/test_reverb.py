"""Reverberation keeps the direct sound where and as loud as it was, and decays as fast as asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch
from torch import Tensor

from datamodules.corruptions.fft import convolve, fast_length
from datamodules.corruptions.responses import RecordedResponses, align
from datamodules.corruptions.reverb import Reverb
from datamodules.corruptions.rooms import simulate_responses

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reverberation_time_s(response: Tensor, sample_rate: int) -> float:
    """Fit the backward-integrated decay from -5 to -25 dB (Schroeder, 1965; ISO 3382-1, T20)."""
    energy = np.cumsum(response[1:].double().numpy()[::-1] ** 2)[::-1]
    decay_db = 10 * np.log10(energy / energy[0])
    part = slice(int(np.argmax(decay_db <= -5)), int(np.argmax(decay_db <= -25)))
    slope = np.polyfit(np.arange(len(decay_db))[part], decay_db[part], 1)[0]
    return float(-60 / slope / sample_rate)


@pytest.fixture
def rir_root(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for name, rate_hz, delay in (("hall.wav", 16000, 100), ("booth.flac", 48000, 3)):
        response = 0.05 * generator.standard_normal((rate_hz // 4, 2)) * np.exp(-np.arange(rate_hz // 4) / 500)[:, None]
        response[:delay] = 0
        response[delay] = 0.8
        soundfile.write(tmp_path / name, response, rate_hz)
    (tmp_path / "MANIFEST.csv").write_text("file,split\nhall.wav,train\nbooth.flac,test\n")
    return tmp_path


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
@pytest.mark.parametrize("t60_s", [0.2, 0.5, 1.0])
def test_simulated_rooms_decay_as_fast_as_asked(t60_s: float, sample_rate: int) -> None:
    responses = simulate_responses(torch.full((8,), t60_s), torch.zeros(8), sample_rate, seeded())
    for response in responses:
        assert reverberation_time_s(response, sample_rate) == pytest.approx(t60_s, rel=0.15)


def test_simulated_rooms_have_the_asked_direct_to_reverberant_ratio() -> None:
    drr_db = torch.tensor([-5.0, 0.0, 6.0])
    responses = simulate_responses(torch.tensor([0.3, 0.6, 1.0]), drr_db, RATE_HZ, seeded())
    assert responses[:, 0].eq(1).all()
    torch.testing.assert_close(-10 * responses[:, 1:].square().sum(1).log10(), drr_db, atol=0.01, rtol=0)


def test_first_wall_is_heard_as_a_single_early_reflection() -> None:
    early = simulate_responses(torch.full((4,), 0.5), torch.zeros(4), 48000, seeded())[:, 1:480]
    assert early.ne(0).sum(1).min() >= 1 and early.eq(0).float().mean() > 0.8


def test_reverberation_time_of_a_moment_leaves_the_direct_sound() -> None:
    clean = torch.randn(2, 1, 500, generator=seeded())
    assert Reverb(t60_s=1e-5)(clean, RATE_HZ, seeded()).isfinite().all()


@pytest.mark.parametrize("origin", ["simulated", "recorded"])
def test_direct_sound_stays_at_its_place_and_level(origin: str, rir_root: Path) -> None:
    impulse = torch.zeros(6, 1, 4001)
    impulse[..., 1000] = 0.5
    heard = Reverb([origin], drr_db=0, rir_root=str(rir_root))(impulse, RATE_HZ, seeded())
    torch.testing.assert_close(heard[..., 1000], impulse[..., 1000], atol=1e-5, rtol=0)
    assert heard[..., : 1000 - RATE_HZ // 1000].abs().max() < 1e-5


def test_correlation_with_the_clean_audio_peaks_at_lag_zero() -> None:
    clean = torch.randn(1, 1, 8000, generator=seeded())
    heard = Reverb(drr_db=6)(clean, RATE_HZ, seeded())
    assert scipy.signal.correlate(heard.flatten().numpy(), clean.flatten().numpy()).argmax() == clean.shape[-1] - 1


@pytest.mark.parametrize(("length", "taps", "direct"), [(1, 1, 0), (7, 20, 3), (997, 64, 5), (64, 997, 0)])
def test_convolution_equals_scipy(length: int, taps: int, direct: int) -> None:
    audio = torch.randn(2, 2, length, dtype=torch.float64, generator=seeded())
    responses = torch.randn(2, taps, dtype=torch.float64, generator=seeded(1))
    expected = [
        [np.convolve(channel, response)[direct:][:length] for channel in example]
        for example, response in zip(audio.numpy(), responses.numpy(), strict=True)
    ]
    padded = np.stack([[np.pad(channel, (0, length - len(channel))) for channel in example] for example in expected])
    np.testing.assert_allclose(convolve(audio, responses, direct).numpy(), padded, atol=1e-9)


def test_fast_lengths_have_no_large_factor() -> None:
    assert [fast_length(number) for number in (1, 7, 11, 16897, 17281)] == [1, 8, 12, 17280, 17496]


def test_alignment_prefers_the_direct_sound_to_a_louder_reflection() -> None:
    response = np.zeros(400, dtype=np.float32)
    response[[50, 52, 300]] = [0.5, -0.7, 0.9]
    aligned = align(response, 16)
    assert aligned[16] == 1 and aligned[16 + 248] == pytest.approx(-0.9 / 0.7)
    assert align(response[52:], 16)[16] == 1


def test_split_chooses_the_recorded_responses(rir_root: Path) -> None:
    short, direct = RecordedResponses(str(rir_root), "test").draw(4, RATE_HZ, seeded())
    both, _ = RecordedResponses(str(rir_root)).draw(16, RATE_HZ, seeded())
    assert short[:, direct].eq(1).all() and both[:, direct].eq(1).all()
    assert len(torch.unique(short[:, direct + 5])) == 2 and len(torch.unique(both[:, direct + 5])) == 4


def test_broken_recordings_are_named_and_left_out(rir_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (rir_root / "broken.wav").write_bytes(b"nothing")
    RecordedResponses(str(rir_root))
    assert "broken.wav" in caplog.text


def test_missing_recordings_are_refused(rir_root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ValueError, match="rir_root='/nowhere' is not a folder"):
        RecordedResponses("/nowhere")
    with pytest.raises(ValueError, match="holds no readable audio"):
        RecordedResponses(str(empty))
    with pytest.raises(ValueError, match="rir_split='val' is not in .*known: test, train"):
        RecordedResponses(str(rir_root), "val")
    with pytest.raises(ValueError, match="rir_split='val' needs .*MANIFEST.csv"):
        RecordedResponses(str(empty), "val")


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
