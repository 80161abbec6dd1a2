"""Checkpoints that open anywhere: weights plus a plain description of the model, and nothing that executes."""

import importlib
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra.utils import instantiate

if TYPE_CHECKING:
    from lightning_modules.base import RestorationModule

ALLOWED_PACKAGES = ("models.", "lightning_modules.", "torch.optim.")


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or not ours."""


def load_restorer(path: str | Path, device: str = "cpu") -> "RestorationModule":
    """Open a trained method, ready to restore.

    The file is read with `weights_only=True`, so opening a stranger's checkpoint runs none of its code; the classes its
    description names are created only if they belong to this project or are optimizers of torch.

    Args:
        path: a `.ckpt` file, or a run folder (its best checkpoint, else its last).
        device: where the weights go.

    Returns:
        The method in evaluation mode.

    Raises:
        CheckpointError: if there is no checkpoint, it cannot be read, or it names a class that is not allowed.
    """
    path = find_checkpoint(Path(path))
    checkpoint = read_checkpoint(path)
    if "model_config" not in checkpoint or "state_dict" not in checkpoint:
        raise CheckpointError(f"{path}: holds no model_config and state_dict; it was not written by train.py")
    try:
        module = build_restorer(checkpoint["model_config"])
        module.load_state_dict(checkpoint["state_dict"])
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    return module.to(device).eval()


def find_checkpoint(path: Path) -> Path:
    """Return the checkpoint file that a file or run folder stands for.

    Raises:
        CheckpointError: if there is none.
    """
    if path.is_file():
        return path
    folder = path / "checkpoints"
    found = [folder / name for name in ("best.ckpt", "last.ckpt") if (folder / name).is_file()]
    if not found:
        raise CheckpointError(f"{path}: no such checkpoint file, and no checkpoints/best.ckpt or last.ckpt below it")
    return found[0]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint file onto the CPU without executing anything in it.

    Raises:
        CheckpointError: if it cannot be read.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: cannot be read as a checkpoint ({reason})") from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"{path}: holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint


def build_restorer(model_config: Mapping[str, Any]) -> "RestorationModule":
    """Create a method from its plain description.

    Args:
        model_config: the resolved `model` node of a configuration: names, numbers, lists and `_target_` strings.

    Raises:
        CheckpointError: if a `_target_` is not a class of this project or an optimizer of torch.
    """
    for target in _targets(model_config):
        _check_target(target)
    module: RestorationModule = instantiate(
        dict(model_config), _convert_="all", _execution_whitelist_=[f"{package}*" for package in ALLOWED_PACKAGES]
    )
    module.model_config = dict(model_config)
    return module


def _targets(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield str(node["_target_"])
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _targets(value)


def _check_target(target: str) -> None:
    """Refuse what is not a class defined in an allowed package (a name such as models.unet.torch.load is not)."""
    package, _, name = target.rpartition(".")
    if target.startswith(ALLOWED_PACKAGES):
        try:
            found = getattr(importlib.import_module(package), name)
        except (ImportError, AttributeError):
            found = None
        if isinstance(found, type) and f"{found.__module__}.".startswith(ALLOWED_PACKAGES):
            return
    allowed = ", ".join(ALLOWED_PACKAGES)
    raise CheckpointError(f"_target_ {target!r} is refused; a method may only name classes from {allowed}")
