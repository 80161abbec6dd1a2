"""When shaping is done."""

import pytest

from lightning_modules.training.shaping import Shaping


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
