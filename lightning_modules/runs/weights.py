"""The weights in a checkpoint: a checksum, so that changed bits are refused, and what their names and shapes have to be."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lightning_modules.runs.printing import listed, one_line

CHECKSUM = "weights_checksum"
"""Key of a checkpoint that holds `checksum` of its state_dict."""


def checksum(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the names, types, shapes and values of tensors, in hexadecimal digits.

    Args:
        weights: by name.
    """
    digest = hashlib.sha256()
    for name, value in weights.items():
        digest.update(f"{name} {value.dtype} {list(value.shape)}\n".encode())
        digest.update(_bytes(value))
    return digest.hexdigest()


def _bytes(value: Tensor) -> Any:
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def with_checksum(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checkpoint that knows the checksum of its weights."""
    return {**checkpoint, CHECKSUM: checksum(checkpoint["state_dict"])}


def why_not_entries(checkpoint: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the description or the weights of a checkpoint, None if nothing is, or they are not there."""
    settings = checkpoint.get("model_config", {})
    if not isinstance(settings, Mapping):
        return f"model_config is a {type(settings).__name__}, not a mapping"
    if "state_dict" not in checkpoint:
        return None
    return why_not_weights(checkpoint["state_dict"]) or why_not_as_written(checkpoint)


def why_not_weights(weights: object) -> str | None:
    """Return what is wrong with something in place of a state_dict, None if nothing is."""
    if not isinstance(weights, Mapping):
        return f"state_dict is a {type(weights).__name__}, not a mapping"
    wrong = [name for name, value in weights.items() if not isinstance(name, str) or not isinstance(value, Tensor)]
    return f"state_dict holds no tensor under {listed(wrong)}" if wrong else None


def why_not_as_written(checkpoint: Mapping[str, Any]) -> str | None:
    """Return what is wrong if the weights are not those that were written, None if they are, or nothing tells."""
    known = checkpoint.get(CHECKSUM)
    if known is None or known == checksum(checkpoint["state_dict"]):
        return None
    return "its weights are not those that were written (their checksum differs); it is damaged or was changed"


def load_weights(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a module its weights, all of them and no others.

    Args:
        module: may take weights under older names.
        weights: by name.

    Raises:
        ValueError: naming a few of the weights that do not fit.
    """
    try:
        missing, unknown = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ValueError(f"its weights are not those of its method: {one_line(error, 300)}") from error
    found = [f"it lacks {listed(missing)}"] if missing else []
    found += [f"it has besides {listed(unknown)}"] if unknown else []
    if found:
        raise ValueError(f"its weights are not those of its method: {'; '.join(found)}")
