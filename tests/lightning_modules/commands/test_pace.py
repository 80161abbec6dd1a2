"""A slow method says so beforehand, and tells of its work while it is at it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from datamodules.audio.forms import Form
from datamodules.audio.info import AudioInfo
from datamodules.audio.tree import RestoreJob
from lightning_modules.base import RestorationModule
from lightning_modules.commands import pace
from lightning_modules.commands.pace import Trials, forecast_lines, seconds_of_chunk, watched
from lightning_modules.stepwise import Stepwise
from models.restorer import Restorer
from models.streaming.restoration import Settings

RATE_HZ = 1000


class InSteps(Restorer):
    """Calls one layer four times."""

    reach_samples = 0

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, corrupted: Tensor) -> Tensor:
        for _ in range(4):
            corrupted = self.layer(corrupted)
        return corrupted


class Stepping(Stepwise):
    """Calls the layer once and then once for each step."""

    def __init__(self, taken: int) -> None:
        super().__init__(InSteps(), RATE_HZ)
        self.taken = taken

    @property
    def steps(self) -> int:
        return self.taken

    def with_num_steps(self, steps: int) -> RestorationModule:
        return Stepping(steps)

    def restore(self, corrupted: Tensor) -> Tensor:
        assert self.taken < 2, "a trial of all steps takes too long"
        for _ in range(1 + self.taken):
            corrupted = self.net.get_submodule("layer")(corrupted)
        return corrupted


class Failing(InSteps):
    """Fails."""

    def forward(self, corrupted: Tensor) -> Tensor:
        raise RuntimeError


@pytest.fixture
def module() -> RestorationModule:
    return RestorationModule(InSteps(), RATE_HZ)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look at the clock be two seconds after the last."""
    ticks = iter(range(0, 1000, 2))
    monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))


def job(seconds: float, channels: int = 1) -> RestoreJob:
    source = AudioInfo(Path("a.wav"), RATE_HZ, channels, round(seconds * RATE_HZ), "WAV", "PCM_16")
    return RestoreJob(source, Path("out/a.wav"), Form("WAV", "PCM_16", ".wav"), range(source.frames))


def lines(module: RestorationModule, *jobs: RestoreJob, **settings: Any) -> list[str]:
    trials = Trials(sum(job.seconds for job in jobs))
    return forecast_lines(lambda rate_hz: module, jobs, Settings(**settings), trials)


def test_slow_method_is_announced_with_its_time_and_its_factor(module: RestorationModule, clock: None) -> None:
    # A trial of 0.25 s takes 2 s: 8 times its length, for each of two channels.
    (line,) = lines(module, job(5, channels=2))
    assert line == "note: 1 file of 5 s will take about 80 s here, 16 times as long as the sound lasts"


def test_what_chunks_share_is_counted_twice(module: RestorationModule, clock: None) -> None:
    # Five chunks of 10 s start every 5 s: 50 s of work, each 8 s, as a trial of 0.25 s takes 2 s.
    (line,) = lines(module, job(30), chunk_seconds=10, overlap_seconds=5)
    assert "about 7 min" in line


def test_files_of_a_folder_are_announced_together(module: RestorationModule, clock: None) -> None:
    assert lines(module, job(50), job(50))[0].startswith("note: 2 files of 100 s in all will take about ")


def test_method_in_steps_is_tried_with_one_and_the_rest_inferred() -> None:
    assert Trials(1).of(Stepping(30)).calls == 31


class Paced(RestorationModule):
    """Takes as long as it is told, on a clock of its own; the first time longer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, factor: float, start_seconds: float = 0.0) -> None:
        super().__init__(InSteps(), RATE_HZ)
        self.now, self.factor, self.start_seconds = 0.0, factor, start_seconds
        self.tried: list[float] = []
        monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def restore(self, corrupted: Tensor) -> Tensor:
        seconds = corrupted.shape[-1] / RATE_HZ
        self.now += self.factor * seconds + (0 if self.tried else self.start_seconds)
        self.tried.append(seconds)
        return corrupted


def test_slow_method_is_tried_once_and_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Paced(monkeypatch, factor=40)
    assert Trials(3600).of(module).seconds == pytest.approx(40)
    assert module.tried == [0.25]


@pytest.mark.parametrize("factor", [0.001, 0.1, 0.5, 0.9])
def test_trials_of_a_method_that_keeps_up_take_two_seconds_at_most(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    module = Paced(monkeypatch, factor)
    assert Trials(3600).of(module).seconds == pytest.approx(factor)
    assert module.now <= 2.0
    assert max(module.tried) <= 2.0


def test_start_of_a_method_is_no_part_of_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Trials(3600).of(Paced(monkeypatch, factor=0.01, start_seconds=0.9)).seconds == pytest.approx(0.01)


def test_trials_are_short_beside_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Paced(monkeypatch, factor=0.001)
    Trials(5).of(module)
    assert max(module.tried) == pytest.approx(0.5)


def test_fast_method_is_not_announced(module: RestorationModule) -> None:
    assert lines(module, job(10)) == []


def test_method_that_fails_is_left_to_the_files() -> None:
    assert lines(RestorationModule(Failing(), RATE_HZ), job(1000)) == []


def test_work_within_a_chunk_is_told_step_by_step(module: RestorationModule) -> None:
    shares: list[float] = []
    chunk = torch.randn(1, 1, 50, generator=torch.Generator().manual_seed(0))
    restored = watched(module, module.restore, Trials(1).of(module).calls, shares.append)(chunk)
    assert shares[:4] == [0.25] * 4
    assert sum(shares) == 1
    assert torch.equal(restored, chunk)
    assert not module.net.get_submodule("layer")._forward_hooks


@pytest.mark.parametrize("calls", [0, 3, 7])
def test_shares_add_up_whatever_was_expected(module: RestorationModule, calls: int) -> None:
    shares: list[float] = []
    watched(module, module.restore, calls, shares.append)(torch.zeros(1, 1, 50))
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("seconds", [0.5, 7.9, 8.0, 8.1, 40.0])
def test_chunks_add_up_to_the_file(module: RestorationModule, seconds: float) -> None:
    from lightning_modules.commands.opening import stream_of

    told: list[float] = []
    worked = seconds_of_chunk(job(seconds), module, Settings())
    watch = lambda restore: watched(module, restore, 0, lambda share: told.append(share * worked))  # noqa: E731
    stream = stream_of(module, RATE_HZ, 1, Settings(), watch)
    stream.push(torch.zeros(1, round(seconds * RATE_HZ), dtype=torch.float64))
    stream.flush()
    assert sum(told) == pytest.approx(seconds)
