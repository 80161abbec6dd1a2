"""Normalize what a convolution puts out, by a method chosen by name."""

import math
from typing import Any

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from models.layers.setting_error import SettingError

NORMALIZATIONS = ("none", "batch", "layer", "group", "spectral")
MAX_GROUPS = 8


def normalized(convolution: nn.Module, channels: int, kind: str) -> nn.Module:
    """Return the convolution with its normalization behind it, or in its weights.

    `batch` shares statistics among the examples of a batch (Ioffe and Szegedy, arXiv 1502.03167) and keeps running ones for
    evaluation. `layer` and `group` take them from one example, over all channels and time or over up to 8 groups of channels
    (Wu and He, "Group normalization", arXiv 1803.08494): they do not depend on the batch, as a gradient penalty requires.
    `spectral` divides the weight of every convolution inside by its largest singular value (Miyato et al., "Spectral
    normalization for generative adversarial networks", arXiv 1802.05957) and adds no layer; `none` changes nothing.

    Args:
        convolution: a module that maps (B, C', T') to (B, C, T); spectral normalization changes it in place.
        channels: C, what it puts out.
        kind: one of NORMALIZATIONS.

    Raises:
        ValueError: if the kind is unknown.
    """
    check_norm(kind, "norm")
    if kind == "none":
        return convolution
    if kind == "spectral":
        return _spectral(convolution)
    return nn.Sequential(convolution, _layer(channels, kind))


def check_norm(kind: str, key: str) -> None:
    """Refuse an unknown normalization.

    Args:
        kind: what was asked for.
        key: names the setting in the error, with a mark (`SettingError`) where more is to go before it.

    Raises:
        SettingError: naming the key and the known ones.
    """
    if kind not in NORMALIZATIONS:
        raise SettingError(f"unknown {key} {kind!r}; known: {', '.join(NORMALIZATIONS)}")


def _layer(channels: int, kind: str) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm1d(channels)
    return nn.GroupNorm(1 if kind == "layer" else math.gcd(channels, MAX_GROUPS), channels)


def _spectral(convolution: nn.Module) -> nn.Module:
    weighted: list[Any] = [module for module in convolution.modules() if isinstance(module, nn.Conv1d)]
    for module in weighted:
        spectral_norm(module)
    return convolution
