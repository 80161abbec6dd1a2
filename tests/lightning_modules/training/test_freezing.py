"""Frozen parts: by patterns of names, with their running statistics, and refused where they make no sense."""

from functools import partial

import pytest
import torch
from torch import nn

from lightning_modules.regression import RegressionModule
from lightning_modules.training.freezing import freeze
from lightning_modules.training.optimizing import trained_parameters


def make() -> RegressionModule:
    net = nn.Sequential(nn.Conv1d(1, 2, 3, padding=1), nn.BatchNorm1d(2), nn.Conv1d(2, 1, 3, padding=1), nn.BatchNorm1d(1))
    return RegressionModule(net, 4000, {"l2": 1.0}, partial(torch.optim.SGD, lr=0.1))


def test_pattern_freezes_what_it_names_and_says_how_much() -> None:
    module = make()
    assert freeze(module, ["net.0.*", "net.2.bias"]) == "freeze: 9 of 21 parameters stay as they are (3 of 8 tensors)"
    frozen = [name for name, value in module.named_parameters() if not value.requires_grad]
    assert frozen == ["net.0.weight", "net.0.bias", "net.2.bias"]
    optimizer = module.configure_optimizers()
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["params"] == trained_parameters(module.net)


def test_only_norms_in_frozen_parts_keep_their_statistics() -> None:
    module = make()
    freeze(module, ["net.0.*", "net.1.*"])
    module.train()
    before = [module.net[at].running_mean.clone() for at in (1, 3)]  # type: ignore[index, union-attr, operator]
    module.net(torch.ones(2, 1, 8))
    after = [module.net[at].running_mean for at in (1, 3)]  # type: ignore[index]
    assert [torch.equal(old, new) for old, new in zip(before, after, strict=True)] == [True, False]
    assert [layer.training for layer in module.net] == [True, False, True, True]  # type: ignore[union-attr]


def test_pattern_that_names_nothing_is_told_with_what_there_is() -> None:
    with pytest.raises(
        ValueError, match=r"^freeze=net.up.\* is the name of no parameter; there are net.0.\*, net.1.\*, net.2.\*"
    ):
        freeze(make(), ["net.0.*", "net.up.*"])


def test_nothing_left_to_train_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^freeze=\[net.\*\] leaves nothing of the net to train$"):
        freeze(make(), ["net.*"])
