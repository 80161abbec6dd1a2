"""Weights in float16 with a plain description beside them: how a model is given to others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from lightning_modules.runs.shipped import DESCRIPTION, WEIGHTS
from lightning_modules.runs.weights import CHECKSUM, checksum

PLACES = ("root", "_dir")
"""Ends of keys that name folders of the machine that trained."""


class HalvesError(ValueError):
    """Weights in halves that are damaged, or have no description."""


def write_halves(weights: Mapping[str, Tensor], description: Mapping[str, Any], folder: Path) -> None:
    """Write a model for others: its weights in float16, and a description without the folders of this machine.

    Args:
        weights: by name.
        description: a configuration: `model` with the method, and what it was trained on.
        folder: for the files; made if it is not there.

    Raises:
        ValueError: naming a weight that float16 cannot hold.
        OSError: if the files cannot be written.
    """
    from safetensors.torch import save

    halves = {name: _half(name, value) for name, value in weights.items()}
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {CHECKSUM: checksum(dict(sorted(halves.items())))}
    (folder / WEIGHTS).write_bytes(save(halves, metadata))  # others may read it, unlike what save_file leaves
    text = yaml.safe_dump(_without_places(description), sort_keys=False, allow_unicode=True)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def _half(name: str, value: Tensor) -> Tensor:
    half = value.detach().cpu().half() if value.is_floating_point() else value.detach().cpu()
    if not half.isfinite().all():
        raise ValueError(f"{name} holds numbers beyond those of float16")
    return half.contiguous()


def _without_places(node: Any) -> Any:
    """Return a configuration in which no key names a folder."""
    if isinstance(node, Mapping):
        return {key: None if str(key).endswith(PLACES) else _without_places(value) for key, value in node.items()}
    return [_without_places(value) for value in node] if isinstance(node, list) else node


def read_halves(path: Path) -> dict[str, Any]:
    """Read what `write_halves` wrote, as a checkpoint whose weights are still in float16; nothing in it is executed.

    Args:
        path: of the weights; the description lies beside it.

    Returns:
        `model_config`, `state_dict` and the checksum that it was written with, against which it is yet to be held.

    Raises:
        HalvesError: if there is no checksum, or the description describes no method.
        OSError: if a file cannot be read.
    """
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        known = (file.metadata() or {}).get(CHECKSUM)
        halves = {name: file.get_tensor(name) for name in sorted(file.keys())}
    if known is None:
        raise HalvesError("its weights are not those that were written (they have no checksum)")
    description = yaml.safe_load((path.parent / DESCRIPTION).read_text(encoding="utf-8"))
    if not isinstance(description, dict) or not isinstance(description.get("model"), dict):
        raise HalvesError(f"{DESCRIPTION} beside it describes no model")
    return {"model_config": description["model"], "state_dict": halves, CHECKSUM: known}
