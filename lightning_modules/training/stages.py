"""The stages of a training: which of its networks are trained, and for how many epochs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.layers.counts import check_count


@dataclass(frozen=True)
class Stage:
    """A part of a training.

    Attributes:
        name: that it has in the configuration.
        trains: names of the networks that move; the others stay as they are.
        begins: its first epoch, from 0.
    """

    name: str
    trains: tuple[str, ...]
    begins: int


def plan_stages(described: Mapping[str, Mapping[str, Any]], networks: Collection[str]) -> tuple[Stage, ...]:
    """Put stages one after the other; one whose networks the run does not train is left out.

    Args:
        described: for every stage in order the names of its networks as `train`, and its `epochs`; None: to the end.
        networks: that the run trains.

    Raises:
        ValueError: if only the last stage is not to last to the end, a number is none, or a network is in no stage.

    >>> plan_stages({"a": {"train": ["x"], "epochs": 3}, "b": {"train": ["y", "z"], "epochs": None}}, ["x", "y"])
    (Stage(name='a', trains=('x',), begins=0), Stage(name='b', trains=('y',), begins=3))
    """
    _check_epochs({name: settings.get("epochs") for name, settings in described.items()})
    left_out = [network for network in networks if all(network not in settings["train"] for settings in described.values())]
    if left_out:
        raise ValueError(f"model.stages trains no {left_out[0]}; name it in the train of a stage, or set its loss's weight to 0")
    stages: list[Stage] = []
    epoch = 0
    for name, settings in described.items():
        trains = tuple(network for network in settings["train"] if network in networks)
        if trains:
            stages.append(Stage(name, trains, epoch))
            epoch += settings.get("epochs") or 0
    return tuple(stages)


def stage_at(stages: Sequence[Stage], epoch: int) -> Stage:
    """Return the stage of an epoch, counted from 0.

    >>> stage_at([Stage("a", ("x",), 0), Stage("b", ("y",), 3)], 3).name
    'b'
    """
    return [stage for stage in stages if stage.begins <= epoch][-1]


def _check_epochs(epochs: Mapping[str, int | None]) -> None:
    *others, last = epochs
    for name in others:
        if epochs[name] is None:
            raise ValueError(f"model.stages.{name}.epochs=null must be a number: only the last stage goes on to the end")
        check_count(f"model.stages.{name}.epochs", epochs[name])
    if epochs[last] is not None:
        raise ValueError(f"model.stages.{last}.epochs={epochs[last]} must be null: the last stage goes on to the end")
