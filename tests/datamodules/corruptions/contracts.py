"""What every corruption promises (`datamodules.corruptions.Corruption`), as checks that say what to do when one is broken."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from datamodules.corruptions import Corruption

RATE_HZ = 16_000
RATES_HZ = (8000, 11_025, 44_100, 48_000)
LENGTH_SAMPLES = 8192
MAX_LAG_SAMPLES = 256


@dataclass(frozen=True)
class Subject:
    """A corruption, and what holds of it beside or instead of the promises of the base class.

    Attributes:
        corruption: under test.
        latest_samples: how late, or early, it may be; only a documented mode is at all.
        gain_tolerance_db: of single examples' low frequencies; on average a quarter, but not less than 0.05. None where its
            docstring says that levels change.
        keeps_silence: whether silence comes out as silence; not where a level is absolute.
        draws: whether anything is random.
    """

    corruption: Corruption
    latest_samples: int = 0
    gain_tolerance_db: float | None = 0.05
    keeps_silence: bool = True
    draws: bool = True

    def __call__(self, clean: Tensor, rate_hz: int = RATE_HZ, seed: int = 0) -> Tensor:
        """Corrupt with a generator of its own."""
        return self.corruption(clean, rate_hz, seeded(seed))

    def must(self, condition: object, promise: str) -> None:
        """Fail with a sentence unless a promise is kept."""
        if not condition:
            raise AssertionError(f"{type(self.corruption).__name__} {promise}")


def seeded(seed: int = 0) -> torch.Generator:
    """Return a new generator."""
    return torch.Generator().manual_seed(seed)


def music(batch: int = 8, channels: int = 2, rate_hz: int = RATE_HZ) -> Tensor:
    """Make noise that falls towards high frequencies, as music and speech do, (B, C, T) with a peak of 0.5."""
    spectrum = torch.fft.rfft(torch.randn(batch, channels, LENGTH_SAMPLES, generator=seeded(99)))
    frequency_hz = torch.arange(spectrum.shape[-1]) * rate_hz / LENGTH_SAMPLES
    shaped = torch.fft.irfft(spectrum / (1 + frequency_hz / 1000), n=LENGTH_SAMPLES)
    return 0.5 * shaped / shaped.abs().amax((1, 2), keepdim=True)


def lag_samples(clean: Tensor, corrupted: Tensor) -> Tensor:
    """Measure by how many samples each example's corrupted audio is late, (B,)."""
    padded = 2 * LENGTH_SAMPLES
    cross = torch.fft.rfft(corrupted, padded) * torch.fft.rfft(clean, padded).conj()
    correlation = torch.fft.irfft(cross, padded).sum(1).roll(MAX_LAG_SAMPLES, -1)[:, : 2 * MAX_LAG_SAMPLES + 1]
    return correlation.argmax(1) - MAX_LAG_SAMPLES


def check_shape_type_and_values(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """Same shape and type, finite, for any batch and length."""
    clean = music(4, channels, rate_hz)
    for part in (clean, clean[:1, :1], clean[:2, :, :4099], clean[..., :1], clean.double()):
        corrupted = subject(part.contiguous(), rate_hz)
        shapes = f"({tuple(part.shape)} to {tuple(corrupted.shape)})"
        subject.must(corrupted.shape == part.shape, f"must keep batch, channels and length {shapes}: cut or pad what it returns")
        subject.must(corrupted.dtype == part.dtype, f"must return {part.dtype}, not {corrupted.dtype}: end with .to(clean.dtype)")
        subject.must(corrupted.isfinite().all(), f"gives NaN or infinite samples for {tuple(part.shape)}")


def check_input_is_kept(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """The input stays as it is, and what is returned is no view of it."""
    clean = music(8, channels, rate_hz)
    corrupted = subject(clean, rate_hz)
    subject.must(
        torch.equal(clean, music(8, channels, rate_hz)), "modifies its input: work on a copy, without in-place operations"
    )
    corrupted.zero_()
    subject.must(torch.equal(clean, music(8, channels, rate_hz)), "returns its input, or a view of it: return a copy")


def check_draws_follow_the_generator(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """Bit-identical for a seed, different for another, and no other source of randomness is used or moved."""
    clean = music(8, channels, rate_hz)
    torch.manual_seed(7), random.seed(7), np.random.seed(7)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    first = subject(clean, rate_hz, 1)
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    untouched = torch.equal(before[0], after[0]) and before[1:] == after[1:]
    subject.must(untouched, "draws from a global generator: draw from the `generator` argument alone (datamodules.draws)")
    torch.manual_seed(8), random.seed(8), np.random.seed(8)
    subject.must(
        torch.equal(first, subject(clean, rate_hz, 1)), "is not the same again for the same seed: draw from `generator` alone"
    )
    differs = not torch.equal(first, subject(clean, rate_hz, 2))
    subject.must(differs == subject.draws, "must differ for another seed: draw what it does from the `generator` argument")


def check_no_state_between_calls(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """What was corrupted before, of whatever shape and rate, changes nothing."""
    clean = music(8, channels, rate_hz)
    first = subject(clean, rate_hz)
    for seed, other in enumerate((clean[:3, :1, :5000], clean, 0 * clean)):
        subject(other.contiguous(), rate_hz, seed)
    subject.must(torch.equal(first, subject(clean, rate_hz)), "keeps state between calls: assign attributes in __init__ only")


def check_examples_draw_for_themselves(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """Equal examples are corrupted differently, and no example hears what the others of its batch are."""
    one = music(1, channels, rate_hz).expand(8, -1, -1).contiguous()
    different = len(torch.unique(subject(one, rate_hz).flatten(1), dim=0))
    subject.must(different > 4 or not subject.draws, f"gives 8 equal examples {different} forms: draw with shape (B, ...)")
    others = one.clone()
    others[1:] = music(9, channels, rate_hz)[2:] * torch.tensor([0.2, 2.0, 0.0, 1.0, 0.1, 4.0, 0.5])[:, None, None]
    alone, among = subject(one, rate_hz)[0], subject(others, rate_hz)[0]
    close = torch.allclose(alone, among, atol=1e-6)
    subject.must(close, "corrupts an example by what the others of its batch are: reduce over channels and time only")


def check_nothing_is_late(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """The corrupted audio stays aligned."""
    clean = music(16, channels, rate_hz)
    late = lag_samples(clean, subject(clean, rate_hz))
    worst = int(late[late.abs().argmax()])
    subject.must(abs(worst) <= subject.latest_samples, f"is {worst} samples late: compensate the delay, or filter without phase")


def check_level_is_kept(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """What is not removed, a sine of 100 Hz, has the level it had."""
    if subject.gain_tolerance_db is None:
        return
    sine = 0.3 * torch.sin(2 * torch.pi * 100 * torch.arange(rate_hz) / rate_hz).expand(16, channels, -1).contiguous()
    gains = (subject(sine, rate_hz) * sine).sum((1, 2)) / sine.square().sum((1, 2))
    mean_db, worst_db = float(20 * gains.mean().log10()), float((20 * gains.log10()).abs().max())
    kept = abs(mean_db) < max(0.05, subject.gain_tolerance_db / 4) and worst_db < subject.gain_tolerance_db
    subject.must(kept, f"changes the level by {mean_db:.2f} dB, up to {worst_db:.2f} dB: normalize nothing, take back its gain")


def check_silence_dc_and_full_scale(subject: Subject, rate_hz: int = RATE_HZ, channels: int = 2) -> None:
    """Silence beside sound stays silence, and extreme signals stay finite."""
    clean = music(8, channels, rate_hz)
    clean[::2] = 0
    corrupted = subject(clean, rate_hz)
    subject.must(corrupted.isfinite().all(), "gives NaN for silence: clamp what it divides by, such as with draws.SILENCE")
    loudest = float(corrupted[::2].abs().max())
    subject.must(
        loudest < 1e-4 or not subject.keeps_silence, f"makes sound of silence ({loudest:.2g}): scale by the example's level"
    )
    for name, extreme in (("DC", torch.full_like(clean, 0.5)), ("full scale", clean.sign())):
        subject.must(subject(extreme, rate_hz).isfinite().all(), f"gives NaN or infinite samples for {name}")


CHECKS: tuple[Callable[..., None], ...] = (
    check_shape_type_and_values,
    check_input_is_kept,
    check_draws_follow_the_generator,
    check_no_state_between_calls,
    check_examples_draw_for_themselves,
    check_nothing_is_late,
    check_level_is_kept,
    check_silence_dc_and_full_scale,
)
AT_EVERY_RATE = (check_shape_type_and_values, check_nothing_is_late, check_level_is_kept, check_silence_dc_and_full_scale)
