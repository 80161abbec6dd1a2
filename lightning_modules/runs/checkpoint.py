"""Checkpoints that open anywhere: weights plus a plain description of the model, and nothing that executes."""

import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate

from lightning_modules.base import RestorationModule
from lightning_modules.runs.archive import ArchiveError, check_archive
from lightning_modules.runs.building import DescriptionError, check_description, no_larger_than
from lightning_modules.runs.halves import HalvesError, read_halves
from lightning_modules.runs.moved_names import present_names
from lightning_modules.runs.plugins import advice, is_from, whitelist
from lightning_modules.runs.printing import one_line, short
from lightning_modules.runs.shipped import WEIGHTS
from lightning_modules.runs.weights import CHECKSUM, load_weights, why_not_entries
from machine.console import printable
from models.layers.setting_error import settings_under

ALLOWED_PACKAGES = ("models", "lightning_modules", "torch.optim")

HALVES = ".safetensors"

log = logging.getLogger(__name__)


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or not ours."""


def load_restorer(path: str | Path, device: str = "cpu", trusted: Sequence[str] = ()) -> RestorationModule:
    """Open a trained method, ready to restore.

    The file is read with `weights_only=True`, so opening a stranger's checkpoint runs none of its code; the classes its
    description names are created only if they belong to this project, are optimizers of torch, or come from a package that the
    caller trusts.

    Args:
        path: a `.ckpt` file or weights in halves, or their folder: of a run (its best, else its last) or a shipped model.
        device: where the weights go.
        trusted: names of further packages.

    Returns:
        The method in evaluation mode.

    Raises:
        CheckpointError: if there is no checkpoint, it cannot be read, or it names a class that is not allowed.
    """
    path = find_checkpoint(Path(path))
    checkpoint = read_checkpoint(path)
    if "model_config" not in checkpoint or "state_dict" not in checkpoint:
        raise CheckpointError(f"{printable(path)}: holds no model_config and state_dict; it was not written by train.py")
    try:
        module = _with_weights(checkpoint, trusted).to(device).eval()
    except Exception as error:  # a stranger's description and weights can fail in every constructor of the project
        raise CheckpointError(f"{printable(path)}: {one_line(error)}") from error
    if CHECKSUM not in checkpoint:
        log.warning("%s was written without a checksum of its weights; changed bits would go unseen", printable(path))
    return module


def _with_weights(checkpoint: Mapping[str, Any], trusted: Sequence[str]) -> RestorationModule:
    """Build the method that a checkpoint describes, no larger than its weights, and give it these."""
    weights = checkpoint["state_dict"]
    with no_larger_than(weights):
        module = build_restorer(checkpoint["model_config"], trusted)
    load_weights(module, weights)
    return module


def find_checkpoint(path: Path) -> Path:
    """Return the checkpoint file that a file or run folder stands for.

    Raises:
        CheckpointError: if there is none.
    """
    if path.is_file():
        return path
    places = (path / "checkpoints" / "best.ckpt", path / "checkpoints" / "last.ckpt", path / WEIGHTS)
    found = [place for place in places if place.is_file()]
    if not found:
        raise CheckpointError(f"{printable(path)}: no such checkpoint file, and no checkpoints/best.ckpt or last.ckpt below it")
    return found[0]


def run_folder(checkpoint: Path) -> Path:
    """Return the folder of the run that a checkpoint, named by its file or by that folder, belongs to."""
    path = checkpoint.resolve()
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name == "checkpoints" else path.parent


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint file onto the CPU without executing anything in it, and check its weights.

    Raises:
        CheckpointError: if it cannot be read.
    """
    try:
        checkpoint = read_halves(path) if path.suffix == HALVES else _read_archive(path)
    except (ArchiveError, HalvesError) as error:
        raise CheckpointError(f"{printable(path)}: {printable(error)}") from error
    except Exception as error:  # the unpickler meets any bytes; what torch then advises would execute them
        raise CheckpointError(f"{printable(path)}: cannot be read as a checkpoint") from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"{printable(path)}: holds a {type(checkpoint).__name__}, not a checkpoint")
    reason = why_not_entries(checkpoint)
    if reason:
        raise CheckpointError(f"{printable(path)}: {reason}")
    return checkpoint


def _read_archive(path: Path) -> Any:
    check_archive(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def weights_of(checkpoint: Mapping[str, Any], network: str) -> dict[str, torch.Tensor]:
    """Return the weights of one network of a method, by their names in that network; none if the method has no such network.

    Args:
        checkpoint: from `read_checkpoint`.
        network: its attribute of the method, such as net.
    """
    prefix = f"{network}."
    return {name.removeprefix(prefix): value for name, value in checkpoint["state_dict"].items() if name.startswith(prefix)}


def build_restorer(model_config: Mapping[str, Any], trusted: Sequence[str] = ()) -> RestorationModule:
    """Create a method from its plain description.

    Args:
        model_config: the resolved `model` node of a configuration: names, numbers, lists and `_target_` strings.
        trusted: names of packages whose classes may be created beside those of this project and torch's optimizers.

    Raises:
        CheckpointError: if it is no description, a `_target_` is not an allowed class, a value is still to be resolved, or the
            classes do not take these values.
        ValueError: what a class itself found wrong; a setting of the network is named under model.net.
    """
    description = _checked(model_config, trusted)
    try:
        with settings_under("model.net"):
            allowed = whitelist(ALLOWED_PACKAGES, trusted)
            module = instantiate(description, _convert_="all", _execution_whitelist_=allowed)
    except (TypeError, InstantiationException) as error:
        raise CheckpointError(f"the method cannot be built from its description: {one_line(error)}") from error
    if not isinstance(module, RestorationModule):
        raise CheckpointError(f"model_config describes a {type(module).__name__}, not a method")
    module.model_config = description
    return module


def build_new_restorer(model_config: Mapping[str, Any], trusted: Sequence[str] = ()) -> RestorationModule:
    """Create a method that is to be trained; its class completes the description first, such as from another run.

    Args:
        model_config: as of `build_restorer`.
        trusted: as of `build_restorer`.

    Raises:
        CheckpointError: as `build_restorer`.
        ValueError: what a class itself found wrong.
    """
    description = _checked(model_config, trusted)
    method = _class_of(str(description.get("_target_")), trusted)
    if issubclass(method, RestorationModule):
        description = method.complete_description(description)
    return build_restorer(description, trusted)


def _checked(model_config: Mapping[str, Any], trusted: Sequence[str]) -> dict[str, Any]:
    """Return a description under the present names, once nothing in it is refused."""
    if not isinstance(model_config, Mapping):
        raise CheckpointError(f"model_config is a {type(model_config).__name__}, not a mapping")
    try:
        check_description(model_config)
    except DescriptionError as error:
        raise CheckpointError(printable(error)) from error
    description: dict[str, Any] = present_names(dict(model_config))
    for key, value in _leaves(description):
        _check_value(key, value, trusted)
    return description


def _leaves(node: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Walk over the values of nested mappings and lists, each with the key it was found under."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, str(name))
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _leaves(value, key)
    else:
        yield key, node


def _check_value(key: str, value: object, trusted: Sequence[str]) -> None:
    """Refuse what would be resolved when the method is built (saved descriptions are resolved), and foreign targets."""
    if isinstance(value, str) and "${" in value:
        raise CheckpointError(f"{short(key, 80)}={short(value)!r} is refused; a description holds no interpolations")
    if key == "_target_":
        _class_of(str(value), trusted)


def _class_of(target: str, trusted: Sequence[str]) -> type:
    """Return a class by its name, if it is defined in an allowed package (a name such as models.unet.torch.load is not)."""
    module, _, name = target.rpartition(".")
    packages = (*ALLOWED_PACKAGES, *trusted)
    if is_from(target, packages):
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            found = None
        if isinstance(found, type) and is_from(f"{found.__module__}.", packages):
            return found
    allowed = ", ".join(f"{package}." for package in packages)
    refused = f"_target_ {short(target)!r} is refused; a method may only name classes from {allowed}"
    raise CheckpointError(refused if is_from(target, packages) else refused + advice(target))
