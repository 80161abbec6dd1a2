"""What every metric promises, as checks that say what to do when one is broken."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

RATE_HZ = 16_000
SNRS_DB = (40.0, 25.0, 10.0, 0.0)
"""Of ever more damage."""
WHISTLES_HZ = (5000.0, 6100.0)
OF_TONES = ("partials_db",)
"""Metrics that have no value where the clean signal has no steady tone."""


@dataclass(frozen=True)
class Subject:
    """A metric, and what holds of it.

    Attributes:
        name: in messages.
        function: (B, C, T) and (B, C, T) to (B,).
        sign: 1 where more is better, else -1.
        perfect: value of an exact restoration.
        tolerance: of that value.
        of_nan: value of a restoration with NaN: the worst there is, or NaN where the value does not exist.
        silence_has_a_value: whether silence can be restored, or be a restoration.
    """

    name: str
    function: Callable[[Tensor, Tensor], Tensor]
    sign: int
    perfect: float
    of_nan: float
    tolerance: float = 1e-4
    silence_has_a_value: bool = True

    def must(self, condition: object, promise: str) -> None:
        """Fail with a sentence unless a promise is kept."""
        if not condition:
            raise AssertionError(f"{self.name} {promise}")


def speech(batch: int = 3, channels: int = 2) -> Tensor:
    """Make noise whose level rises and falls like syllables, and two whistles, (B, C, 2 s)."""
    draw = torch.Generator().manual_seed(0)
    seconds = torch.arange(2 * RATE_HZ) / RATE_HZ
    syllables = 1 + torch.sin(2 * torch.pi * 4 * seconds)
    whistles = sum(0.1 * torch.sin(2 * torch.pi * frequency * seconds) for frequency in WHISTLES_HZ)
    return 0.1 * torch.randn(batch, channels, 2 * RATE_HZ, generator=draw) * syllables + whistles


def damaged(clean: Tensor, snr_db: float) -> Tensor:
    """Add noise at a ratio, the same noise at every ratio."""
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    return clean + noise * (clean.square().mean() / noise.square().mean() * 10 ** (-snr_db / 10)).sqrt()


def check_perfect_score(subject: Subject) -> None:
    """Equal signals have the perfect score, and no damage is better."""
    value = subject.function(speech(), speech())
    subject.must(value.shape == (3,), f"has the shape {tuple(value.shape)} for 3 examples: return (B,), with channels averaged")
    perfect = torch.allclose(value, torch.full((3,), subject.perfect), rtol=0, atol=subject.tolerance)
    subject.must(
        perfect, f"gives equal signals {value.tolist()}, not {subject.perfect}: an exact restoration has the perfect score"
    )


def check_direction(subject: Subject) -> None:
    """More damage is worse, in the direction that the registry says, unless both are as good as perfect on its scale."""
    clean = speech()
    values = [subject.sign * subject.function(damaged(clean, snr_db), clean) for snr_db in SNRS_DB]
    perfect = subject.sign * subject.perfect
    falling = all(((worse < better) | ((worse == better) & (worse == perfect))).all() for better, worse in pairwise(values))
    told = f"is not worse for more damage ({values}): look at its sign and at higher_is_better in the registry"
    subject.must(falling and (values[-1] < perfect).all(), told)


def check_nan_and_silence(subject: Subject) -> None:
    """A restoration with NaN is never good, and silence has a finite value or none."""
    clean = speech()
    broken = clean.clone()
    broken[1, 0, 1000] = torch.nan
    value = subject.function(broken, clean)
    as_promised = math.isnan(value[1]) if math.isnan(subject.of_nan) else value[1] == subject.of_nan
    subject.must(as_promised, f"gives a restoration with NaN {value[1]}, not {subject.of_nan}: a mean must not hide it")
    subject.must(value[[0, 2]].isfinite().all(), "lets the NaN of one example reach another: reduce over channels and time only")
    for restored, reference in ((0 * clean, clean), (clean, 0 * clean), (0 * clean, 0 * clean)):
        value = subject.function(restored, reference)
        exists = value.isfinite() if subject.silence_has_a_value else value.isfinite() | value.isnan()
        subject.must(exists.all(), f"gives {value} for silence: limit what it divides by and takes the logarithm of")


def check_examples_alone(subject: Subject) -> None:
    """An example has the value it has alone, and inputs stay as they are."""
    clean = speech() * torch.tensor([1.0, 0.1, 3.0])[:, None, None]
    restored = damaged(speech(), 10.0) * torch.tensor([1.0, 0.1, 3.0])[:, None, None]
    before = restored.clone(), clean.clone()
    together = subject.function(restored, clean)
    kept = torch.equal(restored, before[0]) and torch.equal(clean, before[1])
    subject.must(kept, "modifies its inputs: work on copies")
    alone = torch.cat([subject.function(restored[n : n + 1], clean[n : n + 1]) for n in range(3)])
    same = torch.allclose(together, alone, rtol=1e-4, atol=1e-4)
    subject.must(same, f"gives {together} together and {alone} alone: reduce over channels and time only")


CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_perfect_score,
    check_direction,
    check_nan_and_silence,
    check_examples_alone,
)
