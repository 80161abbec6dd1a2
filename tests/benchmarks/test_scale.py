"""Cache and stream are timed one after the other, and memory is what is held now."""

import multiprocessing
import os

import numpy as np
import pytest

from benchmarks import scale


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="asks Linux for the memory that is held")
def test_memory_is_what_is_held_now() -> None:
    before = scale.held_memory_mib()
    held = np.ones(64 << 17)
    assert 60 < scale.held_memory_mib() - before < 68
    del held
    assert scale.held_memory_mib() - before < 8


def test_only_the_workers_of_the_way_that_is_timed_are_alive(tmp_path, monkeypatch):
    folder, alive = tmp_path / "clips", []
    scale.make_clips(folder / "audio", 12)
    monkeypatch.setattr(scale, "make_step", lambda: lambda batch: alive.append(len(multiprocessing.active_children())))
    facts = scale.steps(str(folder), "2")
    assert alive == [scale.WORKERS] * 2 * 2 * (scale.WARM_STEPS + 1)
    assert multiprocessing.active_children() == []
    assert facts["ratio"] > 0 and set(facts) == {*scale.WAYS, "ratio"}


def test_ways_alternate_and_steps_that_waited_are_not_counted(monkeypatch):
    def batches_of(way):
        begun.append(way)
        try:
            yield from range(100)
        finally:
            begun.append("end")

    begun, clock = [], iter(range(1000))
    monkeypatch.setattr(scale, "data_of", lambda folder, way, *rest: way)
    monkeypatch.setattr(scale, "batches_of", batches_of)
    monkeypatch.setattr(scale, "make_step", lambda: lambda batch: [next(clock) for _ in range(9 * (batch < scale.WARM_STEPS))])
    monkeypatch.setattr(scale.time, "perf_counter", lambda: next(clock))
    assert scale.steps("", "6") == {"true": 1, "stream": 1, "ratio": 1}
    assert begun == ["true", "end", "stream", "end", "stream", "end", "true", "end", "true", "end", "stream", "end"]
