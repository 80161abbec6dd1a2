"""Any callable of (waveform, sample_rate): each example for itself, as an array or a tensor, and told by its class."""

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.corruptions.callables import AnyCallable
from datamodules.corruptions.foreign.results import SHORTEST_SAMPLES
from datamodules.describe import describe
from tests.datamodules.corruptions.callables import Gargle, Tremolo
from tests.datamodules.corruptions.contracts import RATE_HZ, Subject, check_draws_follow_the_generator, music, seeded


def negative(waveform: Any, sample_rate: int, times: float = 1.0) -> Any:
    return -times * waveform


def stays(waveform: Any, sample_rate: int) -> Any:
    return waveform


class Seen:
    """Remember what it is called with."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, waveform: Any, sample_rate: int) -> Any:
        self.seen.append((waveform, sample_rate))
        return waveform


@pytest.mark.parametrize(("takes", "kind", "shape"), [("numpy", np.ndarray, (2, 5000)), ("tensor", Tensor, (1, 2, 5000))])
def test_examples_come_one_by_one_in_the_stated_form(takes: Any, kind: type, shape: tuple[int, ...]) -> None:
    seen, clean = Seen(), music(3)[..., :5000].double()
    corrupted = AnyCallable(seen, takes)(clean, RATE_HZ, seeded())
    assert corrupted.dtype == torch.float64 and torch.allclose(corrupted, clean)
    assert [type(waveform) for waveform, _ in seen.seen] == [kind] * 3
    assert {(waveform.shape, str(waveform.dtype)[-7:], rate) for waveform, rate in seen.seen} == {(shape, "float32", RATE_HZ)}
    assert np.allclose(np.asarray(seen.seen[1][0]).reshape(2, -1), clean[1])


def test_short_example_comes_with_zeros_behind_it() -> None:
    seen = Seen()
    corrupted = AnyCallable(seen)(torch.ones(1, 1, 7), RATE_HZ, seeded())
    assert seen.seen[0][0].shape == (1, SHORTEST_SAMPLES)
    assert torch.equal(corrupted, torch.ones(1, 1, 7))


@pytest.mark.parametrize("takes", ["numpy", "tensor"])
def test_function_and_partial_function_are_callables(takes: Any) -> None:
    clean = music(2)
    assert torch.equal(AnyCallable(negative, takes)(clean, RATE_HZ, seeded()), -clean)
    assert torch.equal(AnyCallable(functools.partial(negative, times=2.0), takes)(clean, RATE_HZ, seeded()), -2 * clean)


def test_own_class_draws_from_global_generators_which_stay_as_they_are() -> None:
    for subject in (Subject(AnyCallable(Tremolo())), Subject(AnyCallable(Gargle(), "tensor"))):
        assert check_draws_follow_the_generator(subject) is None


def test_samples_of_what_is_returned_for_a_tensor_are_taken() -> None:
    clean = music(2)
    transform = lambda waveform, sample_rate: SimpleNamespace(samples=-waveform)  # noqa: E731
    assert torch.equal(AnyCallable(transform, "tensor")(clean, RATE_HZ, seeded()), -clean)


def shorter(waveform: Any, sample_rate: int) -> Any:
    return waveform[..., :-3]


def whole(waveform: Any, sample_rate: int) -> Any:
    return (waveform * 100).astype(np.int16)


def nothing(waveform: Any, sample_rate: int) -> Any:
    return None


def broken(waveform: Any, sample_rate: int) -> Any:
    return np.log(np.minimum(waveform, 0) * 0 - 1)


def fails(waveform: Any, sample_rate: int) -> Any:
    raise KeyError("level")


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (shorter, r"shorter \(takes=numpy\) changes the length from 4096 to 4093 samples"),
        (whole, r"whole \(takes=numpy\) returns int16; it has to return floating-point numbers"),
        (nothing, r"nothing \(takes=numpy\) returns a NoneType instead of a signal"),
        (fails, r"fails \(takes=numpy\) fails on 2 channels at 16000 Hz: KeyError: 'level'"),
        (broken, r"broken \(takes=numpy\) returns NaN or infinite samples"),
        (Gargle(), r"Gargle \(takes=numpy\) fails on 2 channels at 16000 Hz: AssertionError"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log")
def test_what_is_wrong_is_told_with_the_class_before_audio_is_read(transform: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^corruption\.transform=tests\.datamodules\.corruptions\.\w+\.{message}"):
        AnyCallable(transform).check_under("corruption", RATE_HZ, 2)


def test_nan_of_a_later_example_is_told_too() -> None:
    clean = music(3)
    clean[2] = torch.nan
    with pytest.raises(ValueError, match=r"stays \(takes=numpy\) returns NaN"):
        AnyCallable(stays)(clean, RATE_HZ, seeded())


class TooLoud:
    """Fail for loud sound."""

    def __call__(self, waveform: Any, sample_rate: int) -> Any:
        assert abs(waveform).max() < 50, "too loud"
        return waveform


@pytest.mark.parametrize(("channels", "told"), [(1, "1 channel"), (2, "2 channels")])
def test_failure_after_the_start_is_told_with_the_class(channels: int, told: str) -> None:
    corruption = AnyCallable(TooLoud(), "tensor")
    corruption.check(RATE_HZ, channels)
    message = rf"^transform=tests\.\S+\.TooLoud \(takes=tensor\) fails on {told} at 16000 Hz: AssertionError: too loud"
    with pytest.raises(ValueError, match=message):
        corruption(torch.full((1, channels, 9), 100.0), RATE_HZ, seeded())


class OwnGenerator:
    """Draw from a generator of its own."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng()

    def __call__(self, waveform: Any, sample_rate: int) -> Any:
        return waveform * self.generator.uniform(0.5, 2)


class EveryThird:
    """Be silent in every third call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, waveform: Any, sample_rate: int) -> Any:
        self.calls += 1
        return waveform * float(self.calls % 3 > 0)


@pytest.mark.parametrize("transform", [OwnGenerator(), EveryThird()])
def test_what_does_not_follow_the_global_generators_is_refused(transform: Any) -> None:
    message = rf"^corruption\.transform=\S+\.{type(transform).__name__} \(takes=numpy\) does something else in a second call"
    with pytest.raises(ValueError, match=message):
        AnyCallable(transform).check_under("corruption", RATE_HZ, 1)


class NotCallable:
    """Have no call."""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((3,), "transform=3 cannot be called"),
        ((NotCallable(),), rf"^transform={NotCallable.__module__}.NotCallable cannot be called"),
        ((stays, "list"), "takes='list' must"),
    ],
)
def test_wrong_setting_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnyCallable(*settings)


def test_description_is_of_what_it_was_made_with_not_of_its_last_call() -> None:
    corruption = AnyCallable(Tremolo(depth=0.3))
    before = describe(corruption)
    corruption(music(), RATE_HZ, seeded())
    assert describe(corruption) == before != describe(AnyCallable(Tremolo(depth=0.4)))


def test_effects_of_audiomentations_are_callables() -> None:
    audiomentations = pytest.importorskip("audiomentations")
    corruption = AnyCallable(audiomentations.Gain(min_gain_db=-12, max_gain_db=-6, p=1.0))
    corruption.check(RATE_HZ, 2)
    before = describe(corruption)
    check_draws_follow_the_generator(Subject(corruption))
    gains_db = 20 * (corruption(music(), RATE_HZ, seeded()) / music())[:, 0, 1000].log10()
    assert -12 <= gains_db.min() < gains_db.max() <= -6 and len(gains_db.unique()) == 8
    assert describe(corruption) == before
