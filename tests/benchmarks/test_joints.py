"""Joining frames loses nothing by itself, and what a frame's edge does is measured where it is."""

import math

import pytest
import torch
from torch import Tensor

from benchmarks.joints import WAYS, Joined, at_joints, bends, jumps

FRAME = 32
SIGNAL = torch.sin(2 * math.pi * torch.arange(20 * FRAME) / 23)


def with_wrong_ends(frames: Tensor) -> Tensor:
    """Return frames that are right but for their first and last 2 samples."""
    wrong = frames.clone()
    wrong[..., :2] += 0.5
    wrong[..., -2:] -= 0.5
    return wrong


@pytest.mark.parametrize("name", WAYS)
def test_frames_that_are_left_alone_join_to_the_signal(name: str) -> None:
    joined = WAYS[name](lambda frames: frames, SIGNAL, FRAME)
    torch.testing.assert_close(joined.signal, SIGNAL, atol=1e-6, rtol=0)
    assert int(joined.joints.min()) > 0 and int(joined.joints.max()) < len(SIGNAL)


@pytest.mark.parametrize(
    ("name", "hop"), [("hard", FRAME), ("discard", FRAME // 2), ("hann", FRAME // 2), ("causal", FRAME // 4)]
)
def test_joints_are_as_far_apart_as_frames_begin(name: str, hop: int) -> None:
    assert set(WAYS[name](lambda frames: frames, SIGNAL, FRAME).joints.diff().tolist()) == {hop}


def test_ends_of_frames_are_heard_side_by_side_and_thrown_away_with_an_overlap() -> None:
    errors = {name: join(with_wrong_ends, SIGNAL, FRAME).signal - SIGNAL for name, join in WAYS.items()}
    inner = slice(FRAME, -FRAME)
    assert float(jumps(errors["hard"])[FRAME::FRAME].min()) == pytest.approx(1.0, abs=1e-5)  # from -0.5 to 0.5
    assert float(errors["discard"][inner].abs().max()) < 1e-6
    # of 0.5, what a Hann window lets through 2 samples from its end
    assert float(errors["hann"][inner].abs().max()) == pytest.approx(0.5 * math.sin(math.pi * 2 / FRAME) ** 2, rel=1e-3)
    assert float(errors["causal"].abs().max()) == pytest.approx(0.5, abs=1e-5)


def test_what_is_kept_of_the_stream_looks_at_nothing_later() -> None:
    changed = SIGNAL.clone()
    changed[10 * FRAME :] = 0
    mean = lambda frames: frames - frames.mean(dim=-1, keepdim=True)  # noqa: E731
    first, second = (WAYS["causal"](mean, signal, FRAME).signal for signal in (SIGNAL, changed))
    assert torch.equal(first[: 10 * FRAME], second[: 10 * FRAME])


def test_measures_have_the_values_of_a_step_and_of_a_bend() -> None:
    step, bend = torch.tensor([0.0, 0, 0, 2, 2, 2]), torch.tensor([0.0, 0, 0, 1, 2, 3])
    assert jumps(step).tolist() == [0, 0, 0, 2, 0, 0]
    assert bends(step)[3] == 0 and bends(bend)[3] == 1


def test_values_at_joints_are_compared_with_those_between() -> None:
    values = torch.ones(30)
    values[[10, 20]] = 3.0
    joined = Joined(values, torch.tensor([10, 20]))
    assert at_joints(joined.signal, joined.joints) == (3.0, 3.0)
