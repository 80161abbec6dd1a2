"""The weights that a training starts from, a finished run's or a shipped model's: what agrees is taken, the rest is listed."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import CheckpointError, find_checkpoint, read_checkpoint, weights_of
from lightning_modules.runs.printing import listed, one_line
from lightning_modules.runs.shipped import shipped_choice, shipped_or
from machine.console import printable

EXTRA_STATE = "_extra_state"
"""How torch calls the state of a module that is no tensor of weights."""
FILE = "init_from.json"
"""Of a run's folder: what the run took over."""


@dataclass(frozen=True)
class Origin:
    """An opened checkpoint to start from.

    Attributes:
        key: of the configuration that names it.
        file: that was read.
        config: the plain description of its method.
        weights: by name.
    """

    key: str
    file: Path
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]

    def __str__(self) -> str:
        return f"{self.key}={printable(self.file)}"

    def of_network(self, network: str) -> "Origin":
        """Return the weights of one network alone, by their names in it."""
        return Origin(self.key, self.file, self.config, weights_of({"state_dict": self.weights}, network))


@dataclass(frozen=True)
class TakenOver:
    """What came of an origin's weights.

    Attributes:
        origin: of the weights.
        loaded: how many tensors agreed in name and shape.
        missing: names that the origin does not have.
        other_shape: names under which it has another shape, with both.
        left_over: names that only the origin has.
    """

    origin: Origin
    loaded: int
    missing: Sequence[str]
    other_shape: Sequence[str]
    left_over: Sequence[str]

    def lines(self) -> Iterator[str]:
        """Say in short what was taken over, and what was not."""
        total = self.loaded + len(self.missing) + len(self.other_shape)
        yield f"{self.origin}: took over {self.loaded} of {total} weights"
        told = {"not there": self.missing, "of another shape": self.other_shape, "left over": self.left_over}
        for reason, names in told.items():
            if names:
                yield f"  {len(names)} {reason}: {listed(names)}"

    def content(self) -> dict[str, Any]:
        """Return all of it, for a file."""
        rate = self.origin.config.get("sample_rate")
        names = {"missing": [*self.missing], "other_shape": [*self.other_shape], "left_over": [*self.left_over]}
        return {"checkpoint": str(self.origin.file), "sample_rate": rate, "loaded": self.loaded, **names}


def open_origin(key: str, name: str) -> Origin:
    """Open what a training is to start from.

    Args:
        key: of the configuration that names it.
        name: a run folder, a checkpoint file or a shipped model.

    Raises:
        CheckpointError: naming the key, if there is no such thing, it cannot be read, or it holds no method.
    """
    try:
        file = _find(name)
        checkpoint = read_checkpoint(file)
    except CheckpointError as error:
        raise CheckpointError(f"{key}={error}") from error
    if "model_config" not in checkpoint or "state_dict" not in checkpoint:
        raise CheckpointError(f"{key}={printable(file)} holds no model_config and state_dict; it was not written by train.py")
    return Origin(key, file, checkpoint["model_config"], checkpoint["state_dict"])


def _find(name: str) -> Path:
    path = Path(shipped_or(name))
    if not path.exists():
        none = f"no such run folder, checkpoint file or shipped model ({shipped_choice()})"
        raise CheckpointError(f"{printable(name)}: {none}")
    return find_checkpoint(path)


def start_from(module: RestorationModule, origin: Origin) -> TakenOver:
    """Give a method the weights of an origin that agree with its own in name and shape.

    Raises:
        ValueError: if none does, or the method refuses the origin.
    """
    module.check_origin(origin.config, origin.weights.keys(), str(origin))
    return take_over(module, origin)


def check_rate(description: Mapping[str, Any], named: str, sample_rate: int) -> None:
    """Refuse weights that are used as they are at another rate than theirs.

    Args:
        description: of the method that they belong to.
        named: the key and the file that stand for them.
        sample_rate: of this run, in Hz.

    Raises:
        ValueError: naming both rates.
    """
    if description["sample_rate"] != sample_rate:
        raise ValueError(f"{named} works at {description['sample_rate']} Hz, this run at {sample_rate} Hz")


def take_over(module: nn.Module, origin: Origin) -> TakenOver:
    """Give a network the weights of an origin that agree with its own in name and shape; it may know older names.

    Raises:
        ValueError: if none does.
    """
    own, given = _weights(module.state_dict()), _weights(origin.weights)
    other = {name for name, value in own.items() if name in given and given[name].shape != value.shape}
    fitting = OrderedDict((name, value) for name, value in given.items() if name not in other)
    fitting._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]  # so that lacking statistics are told
    try:
        missing, left_over = module.load_state_dict(fitting, strict=False)
    except RuntimeError as error:  # under an older name, of another shape
        raise ValueError(f"{origin}: its weights do not fit this method: {one_line(error, 300)}") from error
    missing = [name for name in missing if name in own]
    lacking = [name for name in missing if name not in other]
    shapes = [f"{name} {_shape(given[name])} for {_shape(own[name])}" for name in own if name in other]
    if not {name for name, _ in module.named_parameters()} - set(missing):
        raise ValueError(f"{origin}: none of its {len(given)} weights agrees in name and shape with this method's")
    return TakenOver(origin, len(own) - len(missing), lacking, shapes, left_over)


def _weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what was trained, without how far a training had come, such as its warm-up."""
    return {name: value for name, value in state.items() if name.rpartition(".")[2] != EXTRA_STATE}


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "1"
