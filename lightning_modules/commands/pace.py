"""How fast a method is here: tried before files are restored, so that a slow one can be announced, and watched while it works."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from datamodules.audio.notes import files
from datamodules.audio.tree import RestoreJob
from lightning_modules.base import RestorationModule
from lightning_modules.commands.opening import MethodAtRate
from lightning_modules.stepwise import Stoppable
from models.streaming.restoration import Settings

SLOW_SECONDS = 30.0
"""Of work; less is not announced."""
SHORTEST_TRIAL_SECONDS, LONGEST_TRIAL_SECONDS = 0.25, 2.0
TRIAL_SHARE = 0.1
"""Of all the sound that is to be restored."""
ENOUGH_SECONDS = 0.25
"""A trial that takes less is too short beside what a machine under load does, and twice as much sound is tried."""
COLD_SECONDS = 1.0
"""A first trial that is shorter may have been a start rather than work, and is repeated."""
TRIAL_LEVEL = 0.1


class Pace(NamedTuple):
    """What a method costs.

    Attributes:
        seconds: that a second of one channel takes.
        calls: of its layers, to restore one chunk; 0 if it has none.
    """

    seconds: float
    calls: int


class Trials:
    """Try methods on noise, each once: on little at first, so that a slow one is not waited for, and on more if it is fast.

    Args:
        sound_seconds: of all that is to be restored; trials are short beside it.
    """

    def __init__(self, sound_seconds: float) -> None:
        self._longest_seconds = min(max(TRIAL_SHARE * sound_seconds, SHORTEST_TRIAL_SECONDS), LONGEST_TRIAL_SECONDS)
        self._paces: dict[int, Pace] = {}

    def of(self, module: RestorationModule) -> Pace:
        """Return the pace of a method, warm; of those of one sample rate, that of the first."""
        if module.sample_rate not in self._paces:
            self._paces[module.sample_rate] = self._try(module)
        return self._paces[module.sample_rate]

    def _try(self, module: RestorationModule) -> Pace:
        try:
            if not isinstance(module, Stoppable) or module.steps < 2:
                return self._pace_of(module)
            start, one = (self._pace_of(module.with_num_steps(steps)) for steps in (0, 1))  # all steps may take minutes
        except Exception:  # Every file will fail, and say how.
            return Pace(0.0, 0)
        a_step = max(0.0, one.seconds - start.seconds)
        return Pace(start.seconds + module.steps * a_step, start.calls + module.steps * (one.calls - start.calls))

    def _pace_of(self, module: RestorationModule) -> Pace:
        seconds, calls = SHORTEST_TRIAL_SECONDS, list[None]()
        with torch.inference_mode():
            with calls_told(module, lambda: calls.append(None)):
                taken = _timed(module, seconds)
            taken = min(taken, _timed(module, seconds)) if taken < COLD_SECONDS else taken
            while taken < ENOUGH_SECONDS and seconds < self._longest_seconds:
                seconds = min(2 * seconds, self._longest_seconds)
                taken = _timed(module, seconds)
        return Pace(taken / seconds, len(calls))


def forecast_lines(method: MethodAtRate, jobs: Sequence[RestoreJob], settings: Settings, trials: Trials) -> list[str]:
    """Say how long files will take, if that is long.

    Args:
        method: gives the method for a sample rate.
        jobs: the files.
        settings: how the method is applied.
        trials: of methods.

    Returns:
        A sentence, or none.
    """
    modules = {rate_hz: module for rate_hz in {job.source.sample_rate_hz for job in jobs} if (module := _module(method, rate_hz))}
    timed = [(job, modules[job.source.sample_rate_hz]) for job in jobs if job.source.sample_rate_hz in modules]
    work = sum(_work_seconds(job, module, settings, trials.of(module)) for job, module in timed)
    if work < SLOW_SECONDS:
        return []
    sound = sum(job.seconds for job, _ in timed)
    told = f"{files(len(timed))} of {duration(sound)}" + (" in all" if len(timed) > 1 else "")
    return [f"note: {told} will take about {duration(work)} here, {_rounded(work / sound)} times as long as the sound lasts"]


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):g}"


def _module(method: MethodAtRate, rate_hz: int) -> RestorationModule | None:
    try:
        return method(rate_hz)
    except Exception:  # which each of its files will tell
        return None


def _work_seconds(job: RestoreJob, module: RestorationModule, settings: Settings, pace: Pace) -> float:
    """Return how long a file takes; what chunks share is done twice."""
    try:
        chunking = module.chunking(settings.chunk_seconds, settings.overlap_seconds)
    except ValueError:
        return 0.0
    count = _chunk_count(job, module, settings)
    worked_seconds = job.seconds if count == 1 else count * chunking.chunk_samples / module.sample_rate
    return job.source.channels * worked_seconds * pace.seconds


def seconds_of_chunk(job: RestoreJob, module: RestorationModule, settings: Settings) -> float:
    """Return how much of a file is done with each of its chunks; they add up to its duration."""
    return job.seconds / _chunk_count(job, module, settings)


def _chunk_count(job: RestoreJob, module: RestorationModule, settings: Settings) -> int:
    return module.chunking(settings.chunk_seconds, settings.overlap_seconds).count(int(job.seconds * module.sample_rate))


def _timed(module: RestorationModule, seconds: float) -> float:
    """Return how long it takes to restore a channel of noise."""
    samples = math.ceil(seconds * module.sample_rate)
    noise = TRIAL_LEVEL * torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(0))
    started = time.perf_counter()
    module.restore(noise.to(module.device)).cpu()
    return time.perf_counter() - started


@contextmanager
def calls_told(module: RestorationModule, told: Callable[[], None]) -> Iterator[None]:
    """Tell of every call of a layer, a module that has no others in it; steps of a method call them again and again."""

    def hook(*_: Any) -> None:
        told()

    layers = [part for part in module.modules() if not any(part.children())]
    handles = [layer.register_forward_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def watched(
    module: RestorationModule, restore: Callable[[Tensor], Tensor], calls: int, advance: Callable[[float], None]
) -> Callable[[Tensor], Tensor]:
    """Return a function that restores a chunk (B, C, T), and tells what share of it is done, by the calls of the layers.

    Args:
        module: the method.
        restore: restores a chunk with it.
        calls: of its layers for a chunk; 0 if it has none, and only the end is told.
        advance: told shares that add up to 1.
    """

    def restored(chunk: Tensor) -> Tensor:
        left = [1 / max(1, calls)] * calls

        def tell() -> None:
            if left:
                advance(left.pop())

        with calls_told(module, tell):
            result = restore(chunk)
        advance(sum(left) if calls else 1.0)
        return result

    return restored


def duration(seconds: float) -> str:
    """Write a duration in its fitting unit.

    >>> duration(95.2), duration(600), duration(40000)
    ('95 s', '10 min', '11 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
