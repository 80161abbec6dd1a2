"""A cosine over a training with a time limit: it ends with the limit that is nearest, also where a run goes on."""

import math
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, timer

from tests.lightning_modules.callbacks.test_configured_rates import BASE, Steered, adam, cosine_over, steer

TEN_SECONDS, LIMIT = "00:00:00:10", 10


class Clock:
    """Shows a second more for every batch."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    shown = Clock()
    monkeypatch.setattr(timer, "time", shown)
    return shown


class Second(Callback):
    """Let a batch take a second, and end the training after so many."""

    def __init__(self, clock: Clock, last: int = 99) -> None:
        self.clock, self.left = clock, last

    def on_train_batch_start(self, *batch: Any) -> None:
        self.clock.now += 1

    def on_train_batch_end(self, trainer: pl.Trainer, *step: Any) -> None:
        self.left -= 1
        trainer.should_stop = trainer.should_stop or self.left == 0


def cosine(share: float) -> float:
    return BASE * (1 + math.cos(math.pi * share)) / 2


def rates(folder: Path, clock: Clock, length: int, *limits: Any, last: int = 99) -> list[float]:
    module = Steered(adam(lr=BASE), cosine_over(length))
    return steer(folder, module, *limits, Second(clock, last)).rates


def test_alone_the_time_ends_it(tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    assert rates(tmp_path, clock, LIMIT, None, -1, TEN_SECONDS) == pytest.approx([cosine(t / 10) for t in range(10)])
    assert capsys.readouterr().out.count("its rate follows the clock") == 1


@pytest.mark.parametrize(
    ("steps", "epochs", "length", "expected"),
    [
        (40, -1, 40, [t / 10 for t in range(10)]),
        (5, -1, 5, [t / 5 for t in range(5)]),
        (40, 2, 40, [t / 8 for t in range(8)]),
        (None, 2, 2, [t / 8 for t in range(8)]),
        (None, 5, 5, [t / 10 for t in range(10)]),
    ],
)
def test_beside_steps_or_epochs_the_nearest_limit_ends_it(
    tmp_path: Path, clock: Clock, steps: int | None, epochs: int, length: int, expected: list[float]
) -> None:
    found = rates(tmp_path, clock, length, steps, epochs, TEN_SECONDS)
    assert found == pytest.approx([cosine(share) for share in expected])


@pytest.mark.parametrize("stop", [3, 4])
@pytest.mark.parametrize(("steps", "epochs", "length"), [(None, -1, LIMIT), (40, -1, 40), (None, 5, 5)])
def test_run_that_goes_on_has_the_rates_of_one_that_was_never_ended(
    tmp_path: Path, clock: Clock, steps: int | None, epochs: int, length: int, stop: int
) -> None:
    whole = rates(tmp_path / "whole", clock, length, steps, epochs, TEN_SECONDS)
    first = rates(tmp_path / "parts", clock, length, steps, epochs, TEN_SECONDS, last=stop)
    clock.now += 1000
    assert [*first, *rates(tmp_path / "parts", clock, length, steps, epochs, TEN_SECONDS)] == whole


def test_with_more_time_it_goes_on_where_it_would_be_by_now(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    rates(tmp_path, clock, LIMIT, None, -1, TEN_SECONDS)
    capsys.readouterr()
    found = rates(tmp_path, clock, 20, None, -1, "00:00:00:20")
    assert found == pytest.approx([cosine(t / 20) for t in range(10, 20)])
    assert "the cosine schedule now ends after 20 seconds, not 10: after second 10" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`")
def test_without_the_time_limit_it_counts_again(tmp_path: Path, clock: Clock) -> None:
    rates(tmp_path, clock, 5, None, 5, TEN_SECONDS, last=4)
    found = rates(tmp_path, clock, 5, None, 5, None)
    assert found == pytest.approx([cosine(epoch / 5) for epoch in range(1, 5) for _ in range(4)])


def test_own_end_is_left_alone(tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    found = rates(tmp_path, clock, 3, None, -1, TEN_SECONDS)
    assert found == pytest.approx([cosine(epoch / 3) for epoch in range(3) for _ in range(4)][:10])
    assert "clock" not in capsys.readouterr().out


def test_what_a_recipe_multiplied_the_rate_by_stays(tmp_path: Path, clock: Clock) -> None:
    class Halved(Steered):
        def on_train_epoch_start(self) -> None:
            if self.current_epoch == 1:
                self.trainer.optimizers[0].param_groups[0]["lr"] *= 0.5

    found = steer(tmp_path, Halved(adam(lr=BASE), cosine_over(LIMIT)), None, -1, TEN_SECONDS, Second(clock)).rates
    assert found == pytest.approx([(1 if t < 4 else 0.5) * cosine(t / 10) for t in range(10)])
