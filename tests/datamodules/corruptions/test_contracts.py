"""Every promise of a corruption is seen to be broken, and the failure says what to do."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.draws import normal
from tests.datamodules.corruptions import contracts
from tests.datamodules.corruptions.contracts import CHECKS, Subject


class Hiss(Corruption):
    """Add quiet noise that follows the level: a corruption as it should be."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean + 0.01 * clean.abs().amax((1, 2), keepdim=True) * normal(tuple(clean.shape), generator).to(clean)


def broken(change: Callable[[Corruption, Tensor, Tensor, torch.Generator], Tensor]) -> Subject:
    """Return a corruption whose result is changed by a function of itself, the clean audio, the corrupted one and a generator."""

    class Broken(Hiss):
        calls = 0

        def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
            return change(self, clean, super().__call__(clean, sample_rate, generator), generator)

    return Subject(Broken())


def counted(self: Any, clean: Tensor, corrupted: Tensor, generator: torch.Generator) -> Tensor:
    self.calls += 1
    return corrupted * (1 + 1e-3 * self.calls)


def shared(self: Any, clean: Tensor, corrupted: Tensor, generator: torch.Generator) -> Tensor:
    return clean + 0.01 * normal((1, *clean.shape[1:]), generator).to(clean) * clean.abs().amax((1, 2), keepdim=True)


BREACHES: dict[str, tuple[Callable[..., Tensor], str, str]] = {
    "shorter": (lambda self, clean, corrupted, draw: corrupted[..., :-1], "shape_type_and_values", "cut or pad"),
    "longer": (lambda self, clean, corrupted, draw: torch.cat([corrupted, clean], -1), "shape_type_and_values", "cut or pad"),
    "mono": (lambda self, clean, corrupted, draw: corrupted[:, :1], "shape_type_and_values", "must keep batch, channels"),
    "other type": (lambda self, clean, corrupted, draw: corrupted.float(), "shape_type_and_values", r"\.to\(clean\.dtype\)"),
    "not finite": (lambda self, clean, corrupted, draw: corrupted / clean.abs().amin(), "silence_dc_and_full_scale", "gives NaN"),
    "in place": (lambda self, clean, corrupted, draw: clean.add_(corrupted), "input_is_kept", "modifies its input"),
    "a view": (lambda self, clean, corrupted, draw: clean, "input_is_kept", "returns its input, or a view"),
    "global draws": (
        lambda self, clean, corrupted, draw: corrupted + 1e-3 * torch.randn_like(clean),
        "draws_follow_the_generator",
        "draws from a global generator",
    ),
    "own draws": (
        lambda self, clean, corrupted, draw: clean + 0.01 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)),
        "draws_follow_the_generator",
        "must differ for another seed",
    ),
    "clock": (
        lambda self, clean, corrupted, draw: corrupted + 1e-3 * torch.rand(clean.shape, generator=OWN).to(clean),
        "draws_follow_the_generator",
        "is not the same again",
    ),
    "state": (counted, "no_state_between_calls", "keeps state between calls"),
    "one draw for all": (shared, "examples_draw_for_themselves", "8 equal examples 1 forms"),
    "level of the batch": (
        lambda self, clean, corrupted, draw: clean + (corrupted - clean) * clean.abs().mean(),
        "examples_draw_for_themselves",
        "by what the others of its batch are",
    ),
    "late": (lambda self, clean, corrupted, draw: corrupted.roll(1, -1), "nothing_is_late", "is 1 samples late"),
    "early": (lambda self, clean, corrupted, draw: corrupted.roll(-3, -1), "nothing_is_late", "is -3 samples late"),
    "quieter": (lambda self, clean, corrupted, draw: 0.99 * corrupted, "level_is_kept", "changes the level by -0.09 dB"),
    "polarity": (lambda self, clean, corrupted, draw: -corrupted, "level_is_kept", "changes the level by nan dB"),
    "peak": (
        lambda self, clean, corrupted, draw: corrupted / corrupted.abs().amax((1, 2), keepdim=True),
        "silence_dc_and_full_scale",
        "gives NaN for silence",
    ),
    "sound of silence": (
        lambda self, clean, corrupted, draw: corrupted + 0.01 * normal(tuple(clean.shape), draw).to(clean),
        "silence_dc_and_full_scale",
        "makes sound of silence",
    ),
}
OWN = torch.Generator()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_corruption_as_it_should_be_passes(check: Callable[..., None]) -> None:
    assert check(Subject(Hiss())) is None


@pytest.mark.parametrize("breach", list(BREACHES))
def test_breach_is_seen_and_told(breach: str) -> None:
    change, check, message = BREACHES[breach]
    with pytest.raises(AssertionError, match=f"^Broken .*{message}"):
        getattr(contracts, f"check_{check}")(broken(change))
