"""That evaluation for a while leaves no trace."""

import pytest
from torch import nn

from lightning_modules.modes import eval_mode


def test_modes_come_back_one_by_one_whatever_happens() -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2))
    net[1].eval()
    seen = []

    def fail() -> None:
        with eval_mode(net):
            seen.extend(module.training for module in net.modules())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert seen == [False] * 3
    assert [module.training for module in net.modules()] == [True, True, False]
