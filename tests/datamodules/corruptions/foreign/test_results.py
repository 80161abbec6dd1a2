"""What other people's code gives back has to be a signal of the same form, or is told by what is wrong with it."""

from typing import Any

import numpy as np
import pytest
import torch

from datamodules.corruptions.foreign.results import SHORTEST_SAMPLES, padded, signal_like

GIVEN = torch.zeros(2, 3, 100)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (torch.zeros(2, 3, 99), "code changes the length from 100 to 99 samples; it has to keep them"),
        (torch.zeros(2, 1, 100), "code changes the number of channels from 3 to 1; it has to keep them"),
        (torch.zeros(1, 3, 100), "code changes the number of examples from 2 to 1; it has to keep them"),
        (torch.zeros(3, 100), r"code turns the shape \(2, 3, 100\) into \(3, 100\); it has to keep them"),
        (torch.zeros(2, 3, 100, dtype=torch.int16), "code returns int16; it has to return floating-point numbers"),
        (np.zeros((2, 3, 100), np.int64), "code returns int64; it has to return floating-point numbers"),
        (np.zeros((2, 3, 100), complex), "code returns an array of complex128 instead of a signal"),
        (np.full((2, 3, 100), "x"), "code returns an array of <U1 instead of a signal"),
        ((GIVEN, 3), "code returns a tuple instead of a signal"),
        (None, "code returns a NoneType instead of a signal"),
        (GIVEN / 0, "code returns NaN or infinite samples"),
        (np.full((2, 3, 100), np.inf), "code returns NaN or infinite samples"),
    ],
)
def test_other_form_is_told(result: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        signal_like(result, GIVEN, "code")


@pytest.mark.parametrize("result", [GIVEN, GIVEN.double(), GIVEN.numpy(), GIVEN.double().numpy()])
def test_signal_of_the_same_form_is_taken_in_any_precision(result: Any) -> None:
    assert torch.equal(signal_like(result, GIVEN, "code").float(), GIVEN)


RAMP = np.arange(600.0).reshape(2, 3, 100)


@pytest.mark.parametrize(
    "result",
    [
        RAMP[..., ::-1].copy()[..., ::-1],
        RAMP.astype(">f4"),
        RAMP.astype("<f8"),
        RAMP.astype(np.longdouble),
        np.asfortranarray(RAMP),
        np.repeat(RAMP, 2, axis=-1)[..., ::2],
    ],
    ids=["backward", "big end first", "little end first", "long", "columns first", "every other"],
)
def test_array_is_taken_however_it_lies_in_memory(result: np.ndarray) -> None:
    assert torch.equal(signal_like(result, GIVEN, "code").double(), torch.from_numpy(RAMP))


def test_array_that_cannot_be_written_to_is_taken_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    fixed = RAMP.copy()
    fixed.flags.writeable = False
    assert torch.equal(signal_like(fixed, GIVEN, "code"), torch.from_numpy(RAMP)) and not recwarn.list


def test_short_signal_is_followed_by_zeros_and_a_long_one_is_copied() -> None:
    short, long = torch.ones(1, 2, 5), torch.ones(1, 1, SHORTEST_SAMPLES + 1)
    assert padded(short).shape == (1, 2, SHORTEST_SAMPLES) and padded(short).sum() == 10
    assert torch.equal(padded(long), long) and padded(long).data_ptr() != long.data_ptr()
