"""Functions of torchaudio by name: arguments are checked by their signatures, drawn per example, computed together if equal."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from torch import Tensor

from datamodules.corruptions.chain import Chain, RandomApply
from datamodules.corruptions.pipeline import Pipeline
from datamodules.corruptions.torchaudio_effects import DRAW_THEMSELVES, SAMPLE_BY_SAMPLE, TorchaudioEffects, _known
from datamodules.describe import describe
from tests.datamodules.corruptions import of_torchaudio
from tests.datamodules.corruptions.contracts import CHECKS, RATE_HZ, Subject, music, seeded


class Library:
    """What a make-believe torchaudio.functional has."""

    calls: list[tuple[int, Any]]

    def __init__(self) -> None:
        self.calls = []

    def scale(self, waveform: Tensor, factor: float, steps: int = 1, mode: str = "times", flip: bool = False) -> Tensor:
        self.calls.append((len(waveform), factor))
        assert mode in ("times", "over")
        return (-1 if flip else 1) * waveform * factor**steps

    def low(self, waveform: Tensor, sample_rate: int, cutoff_freq: float, limit: float | None = None) -> Tensor:
        if limit == 0:
            raise ZeroDivisionError("division by zero")
        return waveform * cutoff_freq / sample_rate

    def dither(self, waveform: Tensor) -> Tensor:
        return waveform + torch.rand(waveform.shape)

    def shorter(self, waveform: Tensor) -> Tensor:
        return waveform[..., 1:]

    def mono(self, waveform: Tensor) -> Tensor:
        return waveform.mean(-2, keepdim=True)

    def broken(self, waveform: Tensor, level: float = 0.0) -> Tensor:
        return waveform / level

    def limited(self, waveform: Tensor, level: float) -> Tensor:
        if waveform.abs().max() > 10 * level:
            raise ArithmeticError("too loud")
        return waveform

    def lone_biquad(self, waveform: Tensor) -> Tensor:
        return waveform * (2 if waveform.shape[:2] == (1, 1) else 3)

    def mixed(self, waveform: Tensor, noise: Tensor) -> Tensor:
        return waveform + noise

    def spectrum(self, specgram: Tensor) -> Tensor:
        return specgram


EFFECTS = ("broken", "dither", "limited", "lone_biquad", "low", "mono", "scale", "shorter")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Put a make-believe torchaudio in place of any that there is."""
    package, functions, library = ModuleType("torchaudio"), ModuleType("torchaudio.functional"), Library()
    package.__spec__ = ModuleSpec("torchaudio", None)
    package.__version__ = "2.11.0"  # type: ignore[attr-defined]
    functions.__all__ = [*EFFECTS, "mixed", "spectrum"]  # type: ignore[attr-defined]
    for name in functions.__all__:
        setattr(functions, name, getattr(library, name))
    monkeypatch.setitem(sys.modules, "torchaudio", package)
    monkeypatch.setitem(sys.modules, "torchaudio.functional", functions)
    return library


REFUSED: list[tuple[Any, str]] = [
    ([], r"effects=\[\] must be a list of one or more effects"),
    ("scale", "effects='scale' must be a list"),
    ([{"scale": {"factor": 1}, "low": {}}], r"effects\[0\]=.* must be the name of one function"),
    ([3], r"effects\[0\]=3 must be the name of one function"),
    ([{"scale": 3}], r"effects\[0\]\.scale=3 must be arguments by name"),
    (["scael"], rf"effects\[0\]=scael is no function of torchaudio\.functional; known: {', '.join(EFFECTS)}"),
    (["__doc__"], r"effects\[0\]=__doc__ is no function"),
    (["dither", "spectrum"], r"effects\[1\]=spectrum does not turn a waveform alone into another; known: broken"),
    (["mixed"], r"effects\[0\]=mixed does not turn a waveform alone into another"),
    (["scale"], r"effects\[0\]\.scale needs factor"),
    ([{"scale": {"fcator": 1}}], r"effects\[0\]\.scale\.fcator is no argument .*; known: factor, steps, mode, flip"),
    ([{"low": {"cutoff_freq": 9, "sample_rate": 8000}}], r"effects\[0\]\.low\.sample_rate is filled in by itself"),
    ([{"low": {"cutoff_freq": 9, "waveform": 8000}}], r"effects\[0\]\.low\.waveform is filled in by itself"),
    ([{"scale": {"factor": "loud"}}], r"effects\[0\]\.scale\.factor='loud' is not a range"),
    ([{"scale": {"factor": True}}], r"effects\[0\]\.scale\.factor=True is not a range"),
    ([{"scale": {"factor": None}}], r"effects\[0\]\.scale\.factor=None is not a range"),
    ([{"scale": {"factor": [2, 1]}}], r"effects\[0\]\.scale\.factor=\[2, 1\] is not a range: low"),
    ([{"scale": {"factor": 1, "steps": [1, 2.5]}}], r"effects\[0\]\.scale\.steps=\[1, 2\.5\] must be a whole number or"),
    ([{"scale": {"factor": 1, "mode": 3}}], r"effects\[0\]\.scale\.mode=3 must be text"),
    ([{"scale": {"factor": 1, "flip": 1}}], r"effects\[0\]\.scale\.flip=1 must be true or false"),
]


@pytest.mark.parametrize(("effects", "message"), REFUSED, ids=[str(effects) for effects, _ in REFUSED])
def test_wrong_name_or_argument_is_told(library: Library, effects: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        TorchaudioEffects(effects)


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        (["shorter"], r"effects\[0\]\.shorter: torchaudio\.functional\.shorter changes the length from 4096 to 4095 samples"),
        (["dither", "mono"], r"effects\[1\]\.mono: torchaudio\.functional\.mono changes the number of channels from 2 to 1"),
        (["broken"], r"effects\[0\]\.broken: torchaudio\.functional\.broken returns NaN or infinite samples"),
        ([{"broken": {"level": [-1.0, 0.0]}}], r"effects\[0\]\.broken: torchaudio\.functional\.broken returns NaN"),
        ([{"low": {"cutoff_freq": [5, 8000]}}], r"effects\[0\]\.low\.cutoff_freq=\[5, 8000\] must lie below half of .*=16000"),
        ([{"low": {"cutoff_freq": 5, "limit": 0}}], r".*fails with cutoff_freq=5\.0, limit=0\.0: ZeroDivisionError: division by"),
    ],
)
def test_what_a_function_cannot_do_is_told_before_audio_is_read(library: Library, effects: Any, message: str) -> None:
    corruption = TorchaudioEffects(effects)
    with pytest.raises(ValueError, match=f"^steps.1.{message}".replace("steps.1..*", "steps.1.*")):
        corruption.check_under("steps.1", RATE_HZ, 2)


def test_failure_after_the_start_is_told_with_key_and_arguments(library: Library) -> None:
    corruption = TorchaudioEffects([{"limited": {"level": [1, 2]}}])
    corruption.check(RATE_HZ, 1)
    message = r"^effects\[0\]\.limited: torchaudio\.functional\.limited fails with level=1\.\d+: ArithmeticError: too loud"
    with pytest.raises(ValueError, match=message):
        corruption(torch.full((1, 1, 9), 100.0), RATE_HZ, seeded())


def test_arguments_are_drawn_evenly_for_each_example(library: Library) -> None:
    ones = torch.ones(2000, 1, 8)
    real = TorchaudioEffects([{"scale": {"factor": [2, 6]}}])(ones, RATE_HZ, seeded())[:, 0, 0]
    assert 2 <= real.min() < 2.05 and 5.95 < real.max() < 6 and abs(real.mean() - 4) < 0.1
    whole = TorchaudioEffects([{"scale": {"factor": 2, "steps": [1, 3]}}])(ones, RATE_HZ, seeded())[:, 0, 0]
    values, counts = whole.unique(return_counts=True)
    assert values.tolist() == [2, 4, 8] and counts.min() > 600


def test_what_is_equal_is_computed_together_and_in_place(library: Library) -> None:
    ramp = torch.arange(6.0).view(6, 1, 1).expand(6, 2, 10).contiguous()
    assert torch.equal(TorchaudioEffects([{"scale": {"factor": 2}}])(ramp, RATE_HZ, seeded()), 2 * ramp)
    assert library.calls == [(6, 2.0)]
    library.calls.clear()
    scaled = TorchaudioEffects([{"scale": {"factor": 2, "steps": [1, 2]}}])(ramp, RATE_HZ, seeded())
    assert len(library.calls) == 2 and sum(count for count, _ in library.calls) == 6
    assert (scaled[1:] / ramp[1:]).unique().tolist() == [2, 4]


@pytest.mark.parametrize("channels", [1, 2])
def test_filter_does_the_same_to_a_lone_row_as_among_others(library: Library, channels: int) -> None:
    corruption = TorchaudioEffects(["lone_biquad"])
    ones = torch.ones(1, channels, 50)
    assert torch.equal(corruption(ones, RATE_HZ, seeded()), 3 * ones)
    assert torch.equal(corruption(ones.expand(3, -1, -1), RATE_HZ, seeded()), 3 * ones.expand(3, -1, -1))


def test_effects_follow_each_other_with_the_sample_rate_filled_in(library: Library) -> None:
    corruption = TorchaudioEffects([{"scale": {"factor": 3, "flip": True}}, {"low": {"cutoff_freq": 100, "limit": None}}])
    expected = torch.full((1, 1, 9), -3 * 100 / 8000)
    assert torch.allclose(corruption(torch.ones(1, 1, 9), 8000, seeded()), expected)


def test_function_that_draws_by_itself_follows_the_generator(library: Library) -> None:
    corruption, zeros = TorchaudioEffects(["dither"]), torch.zeros(3, 1, 50)
    torch.manual_seed(1)
    expected = torch.rand(())
    torch.manual_seed(1)
    first = corruption(zeros, RATE_HZ, seeded(5))
    assert torch.rand(()) == expected
    assert torch.equal(first, corruption(zeros, RATE_HZ, seeded(5)))
    assert len(first.flatten(1).unique(dim=0)) == 3
    assert not torch.equal(first, corruption(zeros, RATE_HZ, seeded(6)))


def test_effect_is_a_step_of_a_pipeline(library: Library) -> None:
    ones = torch.ones(50, 1, 8)
    pipeline = Pipeline("effect scale factor=2 steps=1..2 mode=over flip=true,scale 8000")
    assert pipeline(ones, 8000, seeded()).unique().tolist() == [-4, -2]
    with pytest.raises(
        ValueError, match=r"steps holds 'effect scale fcator=2', which is not .*: effects\[0\]\.scale\.fcator is no argument"
    ):
        Pipeline("effect scale fcator=2")
    with pytest.raises(ValueError, match=r"^steps\.0\.effects\[0\]\.shorter: .* changes the length"):
        Pipeline("effect shorter").check(8000, 1)


def test_effects_strike_some_examples_and_follow_others(library: Library) -> None:
    chain = Chain(
        [RandomApply(TorchaudioEffects([{"scale": {"factor": 3}}]), 0.5), TorchaudioEffects([{"scale": {"factor": 2}}])]
    )
    assert chain(torch.ones(50, 1, 8), RATE_HZ, seeded()).unique().tolist() == [2, 6]


def test_description_tells_settings(library: Library) -> None:
    one, same, other = (TorchaudioEffects([{"scale": {"factor": factor}}]) for factor in ([1, 2], (1.0, 2.0), [1, 3]))
    assert describe(one) == describe(same) != describe(other)


def test_every_effect_of_the_library_is_tried_here() -> None:
    functions = of_torchaudio.require()
    tried = {*of_torchaudio.EFFECTS, *of_torchaudio.AT_44100_HZ, *of_torchaudio.MOVES, *of_torchaudio.REFUSED}
    assert set(_known(functions)) == tried


@pytest.mark.parametrize("name", of_torchaudio.REFUSED)
@pytest.mark.filterwarnings("ignore:Expected input tensor dimension of 1")
def test_function_that_returns_another_form_is_refused(name: str) -> None:
    of_torchaudio.require()
    given = {"resample": {"orig_freq": 16000, "new_freq": 8000}, "speed": {"orig_freq": 16000, "factor": 1.5}}
    with pytest.raises(ValueError, match=rf"^effects\[0\]\.{name}: torchaudio\.functional\.{name} (changes|returns|fails)"):
        TorchaudioEffects([{name: given.get(name)}]).check(RATE_HZ, 2)


@pytest.mark.parametrize("name", of_torchaudio.AT_44100_HZ)
def test_filters_of_few_rates_keep_the_contract_there_and_are_refused_elsewhere(name: str) -> None:
    of_torchaudio.require()
    subject = Subject(TorchaudioEffects([name]), latest_samples=16, gain_tolerance_db=None, draws=False)
    subject.corruption.check(44100, 2)
    for check in CHECKS:
        check(subject, 44100)
    with pytest.raises(ValueError, match=rf"^effects\[0\]\.{name}: .* fails with its defaults: ValueError"):
        subject.corruption.check(RATE_HZ, 2)


def test_pitch_shift_keeps_form_and_moves_an_octave() -> None:
    of_torchaudio.require()
    sine = 0.3 * torch.sin(2 * torch.pi * 500 * torch.arange(RATE_HZ) / RATE_HZ).expand(2, 1, -1).contiguous()
    shifted = TorchaudioEffects([{"pitch_shift": {"n_steps": 12}}])(sine, RATE_HZ, seeded())
    assert shifted.shape == sine.shape
    assert int(torch.fft.rfft(shifted[0, 0]).abs().argmax()) == pytest.approx(1000, abs=3)


def test_functions_that_draw_by_themselves_are_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = of_torchaudio.require()
    drawing, waveform = [], music(2, 2)
    for name, (arguments, _) in of_torchaudio.EFFECTS.items():
        fixed = {key: value[0] if isinstance(value, list) else value for key, value in arguments.items()}
        rate = {"sample_rate": RATE_HZ} if "sample_rate" in functions.__dict__[name].__code__.co_varnames[:2] else {}
        torch.manual_seed(0)
        before = torch.get_rng_state()
        getattr(functions, name)(waveform[..., :2000].clone(), **fixed, **rate)
        drawing += [] if torch.equal(before, torch.get_rng_state()) else [name]
    assert tuple(drawing) == DRAW_THEMSELVES
    assert set(SAMPLE_BY_SAMPLE) <= set(of_torchaudio.EFFECTS)


@pytest.mark.parametrize("name", sorted(of_torchaudio.EFFECTS.keys() - {"dither", "flanger", "phaser"}))
def test_lone_row_is_bit_for_bit_that_of_the_batch(name: str) -> None:
    of_torchaudio.require()
    arguments = {key: value[0] if isinstance(value, list) else value for key, value in of_torchaudio.EFFECTS[name][0].items()}
    corruption, clean = TorchaudioEffects([{name: arguments}]), music(4, 1)[..., :5000]
    together = corruption(clean, RATE_HZ, seeded())
    assert torch.equal(together, torch.cat([corruption(row[None], RATE_HZ, seeded()) for row in clean]))


def test_overdrive_is_that_of_the_formula() -> None:
    of_torchaudio.require()
    clean = music(1, 1)
    driven = TorchaudioEffects([{"overdrive": {"gain": 20, "colour": 20}}])(clean, RATE_HZ, seeded())[0, 0]
    x = clean[0, 0].double().numpy()
    held = np.clip(10 * x + 0.1, -1, 1)
    expected = np.clip(0.5 * x + 0.75 * lfilter([1, -1], [1, -0.995], held - held**3 / 3), -1, 1)
    np.testing.assert_allclose(driven.numpy(), expected, atol=1e-4)
