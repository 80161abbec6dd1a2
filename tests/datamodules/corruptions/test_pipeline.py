"""The step grammar builds the corruptions it names, keeps levels, and explains what it cannot read."""

import math

import pytest
import torch
from torch import Tensor

from datamodules.corruptions.levels import LevelNoise
from datamodules.corruptions.pipeline import Pipeline
from datamodules.describe import describe
from datamodules.draws import rms

RATE_HZ = 10_000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clean_batch(batch: int = 4, channels: int = 2, length: int = 8192) -> Tensor:
    return 0.1 * torch.randn(batch, channels, length, generator=seeded(99))


def sine(frequency_hz: float, length: int = 8000) -> Tensor:
    return torch.sin(2 * math.pi * frequency_hz * torch.arange(length) / RATE_HZ).view(1, 1, -1)


def test_sample_keeps_the_low_band_and_its_level() -> None:
    sampled = Pipeline("sample 5000 10000")(sine(1000), RATE_HZ, seeded())
    assert torch.allclose(sampled[..., 500:-500], sine(1000)[..., 500:-500], atol=0.02)


def test_sample_removes_what_the_input_rate_cannot_hold() -> None:
    sampled = Pipeline("sample 5000 10000")(sine(3200), RATE_HZ, seeded())
    assert sampled[..., 500:-500].abs().max() < 0.02


def test_sample_tells_its_cutoff() -> None:
    assert Pipeline("sample 5000 10000,whitenoise 0 0.1").cutoff_hz(RATE_HZ) == 2500.0
    assert Pipeline("whitenoise 0 0.1").cutoff_hz(RATE_HZ) == 5000.0


@pytest.mark.parametrize("color", ["white", "pink", "brown", "tpdf"])
def test_noise_has_the_asked_level_and_is_added_to_unchanged_audio(color: str) -> None:
    clean = clean_batch()
    noise = Pipeline(f"{color}noise 0 0.1")(clean, RATE_HZ, seeded()) - clean
    assert torch.allclose(rms(noise), torch.tensor(0.1), rtol=1e-4)
    assert (torch.corrcoef(torch.stack([noise.flatten(), clean.flatten()]))[0, 1]).abs() < 0.05


def test_variance_is_the_standard_deviation_of_the_level() -> None:
    clean = torch.zeros(2000, 1, 64)
    levels = rms(Pipeline("whitenoise 0.01 0.1")(clean, RATE_HZ, seeded()))
    assert levels.mean().item() == pytest.approx(0.1, abs=0.001)
    assert levels.std().item() == pytest.approx(0.01, abs=0.001)


def test_steps_apply_from_left_to_right() -> None:
    clean = clean_batch()
    generator = seeded(3)
    by_hand = Pipeline("sample 5000 10000")(clean, RATE_HZ, generator)
    by_hand = LevelNoise("pink", 0.0, 0.1)(by_hand, RATE_HZ, generator)
    assert torch.equal(Pipeline("sample 5000 10000,pinknoise 0 0.1")(clean, RATE_HZ, seeded(3)), by_hand)


def test_scale_gives_an_equal_pair_at_its_rate() -> None:
    clean = clean_batch()
    scaled = Pipeline("scale 10000")(clean, RATE_HZ, seeded())
    assert torch.equal(scaled, clean)
    assert scaled is not clean


def test_list_of_steps_equals_their_text() -> None:
    clean = clean_batch()
    listed = Pipeline(["sample 5000 10000", "brownnoise 0.1 0.1"])(clean, RATE_HZ, seeded())
    assert torch.equal(listed, Pipeline(" sample 5000 10000 ,  brownnoise 0.1 0.1")(clean, RATE_HZ, seeded()))


def test_other_sample_rate_than_the_steps_target_is_refused() -> None:
    with pytest.raises(ValueError, match=r"aim at 10000 Hz but data\.sample_rate=16000"):
        Pipeline("sample 5000 10000")(clean_batch(), 16_000, seeded())


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "sample 5000 10000,purplenoise 1 2",
            r"unknown step 'purplenoise 1 2'; known: sample INPUT_RATE TARGET_RATE, whitenoise",
        ),
        ("", "unknown step ''"),
        ("whitenoise 0 0.1,", "unknown step ''"),
        ("sample 5000", "'sample 5000', which is not 'sample INPUT_RATE TARGET_RATE': got 1 arguments"),
        ("whitenoise 0 loud", "'whitenoise 0 loud', which is not 'whitenoise VARIANCE INTENSITY'"),
        ("whitenoise 0 nan", "'nan' is not a finite number"),
        ("sample 10000 5000", "input rate 10000 must lie between 0 and the target rate 5000"),
        ("sample 5000 10000.5", "not a positive whole number"),
        ("reverb 10000 0 50 50 100 100 0 0 0 1", r"'reverb RATE \[VARIANCE .* WET_ONLY\]': got 10 arguments"),
        ("reverb 10000 0 120", "REVERBERANCE is 120, which is not within 0 to 100"),
        ("reverb 10000 0 50 101", "hf_damping=101.0 is not within 0 to 100"),
        ("reverb 10000 0 50 50 100 100 0 0 2", "WET_ONLY must be 0 or 1"),
        ("echo 100 1.5", "decay=1.5 is not within 0 to 1"),
        ("feedback 5 0 1000", "loop_gain_db=0.0 is not within -120 to -0.1"),
        ("quantization 1", "bits=1.0 is not made of whole numbers from 2 to 24"),
        ("compression 10 0.5", "ratio=0.5 is not within 1 to 1000"),
        ("hum 0 0.1 0", "mains_hz=0.0 must be above 0"),
        ("background 10 /nonexistent/folder", "background 10 /nonexistent/folder', which is not 'background SNR FOLDER'"),
        ("effect", "'effect', which is not 'effect FUNCTION ARGUMENT=VALUE"),
        (
            "effect overdrive gain=5 gain=6",
            "'effect overdrive gain=5 gain=6', which is not 'effect FUNCTION .*: gain is given 2 times",
        ),
        ("whitenoise 0 0.1,effect overdrive 20", "'effect overdrive 20', which is not 'effect FUNCTION ARGUMENT=VALUE"),
        ("sample 5000 10000,sample 8000 16000", r"several target rates \(10000, 16000\)"),
    ],
)
def test_wrong_text_is_refused_with_its_step(steps: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pipeline(steps)


def test_rates_are_refused_before_any_audio() -> None:
    pipeline = Pipeline("sample 5000 10000,whitenoise 0 0.1")
    pipeline.check(10_000, 1)
    with pytest.raises(ValueError, match=r"aim at 10000 Hz but data\.sample_rate=16000: set it to 10000"):
        pipeline.check(16_000, 1)


def test_steps_answer_for_a_pipeline_and_can_be_replaced() -> None:
    pipeline = Pipeline("whitenoise 0 0.1,sample 5000 10000")
    assert list(pipeline.parts) == ["steps.0", "steps.1"]
    assert describe(pipeline.for_split("val")) == describe(pipeline)
    without_sample = pipeline.with_parts([*pipeline.parts.values()][:1])
    assert (without_sample.cutoff_hz(10_000), pipeline.cutoff_hz(10_000)) == (5000.0, 2500.0)
    with pytest.raises(ValueError, match="^corruption.steps aim at 10000 Hz but data.sample_rate=8000"):
        without_sample.check_under("corruption", 8000, 1)
