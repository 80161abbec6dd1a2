import threading
import time

import pytest
from rich.console import Console

from datamodules.parallel import map_unknown, parallel_map, tracked


def test_results_keep_the_order_of_the_items():
    assert parallel_map(lambda item: (time.sleep(0.01 * (item == 0)), item)[1], range(8), "") == list(range(8))


def test_no_items_give_no_results():
    assert parallel_map(str, [], "") == []


def test_first_exception_stops_what_has_not_begun():
    begun, lock = [], threading.Lock()

    def fail(item):
        with lock:
            begun.append(item)
        time.sleep(0.001)
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        parallel_map(fail, range(2000), "")
    assert len(begun) < 2000


def test_tracking_changes_nothing():
    assert list(tracked(iter("abc"), 3, "")) == ["a", "b", "c"]


@pytest.mark.parametrize(("items", "shown"), [("", False), ("abc", True)], ids=["nothing to do", "something to do"])
def test_bar_is_shown_on_a_terminal_where_there_is_something_to_do(items, shown, monkeypatch, capsys):
    monkeypatch.setattr("datamodules.parallel.Console", lambda **options: Console(**options, force_terminal=True))
    assert list(tracked(iter(items), len(items), "Comparing")) == list(items)
    assert ("Comparing" in capsys.readouterr().err) == shown


def test_what_is_known_is_not_found_out_again():
    found = []

    def find(number):
        found.append(number)
        return -number

    assert map_unknown({1: 10, 3: 30}.get, find, [1, 2, 3, 4], "") == [10, -2, 30, -4]
    assert sorted(found) == [2, 4]
