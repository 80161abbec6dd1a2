"""Processes that torchrun starts, once and again, in a store that still holds what those before them told."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # not in its __all__

from lightning_modules.fleet import MEETING, PLACE, Fleet
from machine.launched import Launched
from sweeps.meeting import _free_place, meet
from tests.sweeps.ranks import free_port


def attend(rank: int) -> Mapping[str, str]:
    return meet(Fleet(Launched("torchrun", rank, 3, 0, 1, rank)))


def test_processes_started_again_do_not_take_what_those_before_them_told(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    store = TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=60))
    for name, value in zip(PLACE, ("127.0.0.1", str(port)), strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT", raising=False)  # as on a machine on which nothing has failed
    rounds = []
    with ThreadPoolExecutor(3) as processes:
        for _ in range(3):
            others = [processes.submit(attend, rank) for rank in (2, 1)]  # before the first one
            first = attend(0)
            assert [other.result(60) for other in others] == [first, first]
            rounds.append(first)
    assert len({told[MEETING] for told in rounds}) == 3
    assert rounds[0].keys() == {MEETING}
    for told in rounds[1:]:
        assert (told["MASTER_ADDR"], told["TORCHELASTIC_USE_AGENT_STORE"]) == ("127.0.0.1", "False")
        assert (int(told["MASTER_PORT"]) == port, told["TORCHELASTIC_RESTART_COUNT"]) == (False, "1")
    del store


def test_place_is_of_this_machine() -> None:
    assert _free_place("127.0.0.1")[0] == "127.0.0.1"
    elsewhere, port = _free_place("192.0.2.1")  # which no machine has
    assert elsewhere != "192.0.2.1"
    assert port > 0
