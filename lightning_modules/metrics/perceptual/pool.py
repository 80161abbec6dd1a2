"""Processes that ask other people's packages: many pairs at a time, and one that dies costs a single value."""

import logging
import math
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from lightning_modules.metrics.perceptual.scoring import Answer, Question, answer

MOST_PROCESSES = 60
"""Windows waits for no more."""
DIED = Answer(math.nan, "the package ended its process")


class ScoringPool:
    """A number of processes, started when they are first needed and again after one has died.

    Args:
        processes: how many at most.
    """

    def __init__(self, processes: int) -> None:
        self._processes = min(processes, MOST_PROCESSES)
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take no more work; wait for that in progress unless something went wrong."""
        self._close(wait=kind is None)

    def answers(self, questions: Sequence[Question], told: Callable[[], object]) -> list[Answer]:
        """Return the answers, in order.

        What is lost because a process died is asked again, each in a process of its own: one that dies then has no value.

        Args:
            questions: to ask.
            told: is called after every answer.
        """
        places = self._submitted(questions)
        known: dict[int, Answer] = {}
        for future in as_completed(places):
            if not isinstance(future.exception(), BrokenProcessPool):
                known[places[future]] = future.result()
                told()
        if len(known) < len(questions):
            self._close(wait=True)
        for place in range(len(questions)):
            if place not in known:
                known[place] = _alone(questions[place])
                told()
        return [known[place] for place in range(len(questions))]

    def _submitted(self, questions: Sequence[Question]) -> dict[Future[Answer], int]:
        """Hand out as many questions as the processes live to take."""
        self._executor = self._executor or _executor(self._processes)
        places: dict[Future[Answer], int] = {}
        try:
            for place, question in enumerate(questions):
                places[self._executor.submit(answer, question)] = place
        except BrokenProcessPool:
            pass
        return places

    def _close(self, wait: bool) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=wait, cancel_futures=True)
        self._executor = None


def _alone(question: Question) -> Answer:
    with _executor(1) as executor:
        try:
            return executor.submit(answer, question).result()
        except BrokenProcessPool:
            return DIED


def _executor(processes: int) -> ProcessPoolExecutor:
    """Return processes that inherit nothing, on every system: a fork of a process with threads may stand still."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin_work)


def _begin_work() -> None:
    """Leave Ctrl-C to the parent, end with it, and keep what packages say to themselves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
