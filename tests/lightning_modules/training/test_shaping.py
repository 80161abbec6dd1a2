"""When shaping is done, and that evaluation for a while leaves no trace."""

import pytest
from torch import nn

from lightning_modules.training.shaping import Shaping, eval_mode


def test_stage_ends_when_the_loss_has_not_fallen_for_as_long_as_patience_lasts() -> None:
    shaping = Shaping(patience=2, min_delta=0.1)
    assert [shaping.is_done(loss) for loss in (1.0, 0.8, 0.75, 0.7, 0.69, 0.68)] == [False, False, False, False, False, True]


def test_resumed_stage_remembers_its_best() -> None:
    first, second = Shaping(patience=2), Shaping(patience=2)
    first.is_done(1.0)
    first.is_done(1.0)
    second.load_state_dict(first.state_dict())
    assert second.is_done(1.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"after_epochs": -1},
        {"after_epochs": 1.5},
        {"rate_factor": -0.1},
        {"rate_factor": float("nan")},
        {"patience": 0},
        {"patience": 1.5},
        {"min_delta": 1.0},
        {"min_delta": -0.1},
    ],
)
def test_mistake_is_named(settings: dict[str, float]) -> None:
    name, value = next(iter(settings.items()))
    with pytest.raises(ValueError, match=f"model.shaping has .*{name}={value}"):
        Shaping(**settings)  # type: ignore[arg-type]


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
