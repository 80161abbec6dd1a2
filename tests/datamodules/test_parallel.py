import threading
import time

import pytest

from datamodules.parallel import parallel_map, tracked


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
