"""Parts of a method that a training leaves as they are, by patterns of the names of their parameters."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from lightning_modules.base import RestorationModule
from lightning_modules.training.optimizing import Networks, trained_parameters


def freeze(module: RestorationModule, patterns: Sequence[str]) -> str:
    """Keep parameters from being trained, and layers in frozen parts from gathering statistics.

    Args:
        module: about to be trained.
        patterns: of names, such as net.down.*; a star stands for dots too.

    Returns:
        How much is frozen, in a sentence.

    Raises:
        ValueError: for a pattern that no parameter has, or a network that is left nothing to train.
    """
    parameters = dict(module.named_parameters())
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            raise ValueError(f"freeze={pattern} is the name of no parameter; there are {', '.join(_parts(parameters))}")
    frozen = [value for name, value in parameters.items() if _is_among(name, patterns)]
    for parameter in frozen:
        parameter.requires_grad_(False)
    _check_something_left(module, patterns)
    module.held = _with_statistics(module, patterns)
    values, total = (sum(value.numel() for value in group) for group in (frozen, parameters.values()))
    return f"freeze: {values:,} of {total:,} parameters stay as they are ({len(frozen)} of {len(parameters)} tensors)"


def _check_something_left(module: RestorationModule, patterns: Sequence[str]) -> None:
    networks = module.networks if isinstance(module, Networks) else {"net": module.net}
    for name, network in networks.items():
        if not trained_parameters(network):
            raise ValueError(f"freeze=[{','.join(patterns)}] leaves nothing of the {name} to train")


def _with_statistics(module: nn.Module, patterns: Sequence[str]) -> tuple[nn.Module, ...]:
    """Return the layers that hold statistics of their own and lie in a frozen part."""
    found = []
    for place, layer in module.named_modules():
        own = [name for name, _ in layer.named_parameters(prefix=place, recurse=False)]
        statistics = [name for name, _ in layer.named_buffers(prefix=place, recurse=False)]
        if statistics and all(_is_among(name, patterns) for name in own or statistics):
            found.append(layer)
    return tuple(found)


def _is_among(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _parts(names: Sequence[str] | dict[str, nn.Parameter]) -> list[str]:
    """Return the parts that parameters belong to, as patterns.

    >>> _parts(["net.down.0.weight", "net.down.0.bias", "net.scale"])
    ['net.down.*', 'net.scale']
    """
    pieces = [name.split(".") for name in names]
    return list(dict.fromkeys(".".join(piece[:2]) + (".*" if len(piece) > 2 else "") for piece in pieces))
