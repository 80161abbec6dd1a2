"""Memory is what is held now."""

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
