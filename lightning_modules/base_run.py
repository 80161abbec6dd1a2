"""A finished adversarial run that another one starts from: the descriptions of its networks, and their weights."""

from pathlib import Path
from typing import Any

from torch import nn

from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import find_checkpoint, read_checkpoint, weights_of

NETWORKS = ("net", "discriminator", "autoencoder")
INHERITED = (*NETWORKS, "adversary")
"""What a run takes over from its base: the networks' descriptions, and what D's logits mean."""


def inherited(path: Path) -> dict[str, Any]:
    """Return what a description takes over from that of a base.

    Args:
        path: of the base, a run folder or a checkpoint.

    Raises:
        ValueError: if the base is no adversarial run.
    """
    file = find_checkpoint(path)
    config = read_checkpoint(file).get("model_config") or {}
    if "discriminator" not in config:
        raise ValueError(f"model.base={file} was not written by an adversarial run: it has no discriminator")
    return {key: config[key] for key in INHERITED if key in config}


def load_networks(module: RestorationModule, path: Path) -> None:
    """Fill generator, discriminator and autoencoder with the weights of a finished adversarial run.

    Args:
        module: has them, or None where it does without one.
        path: of the base, a run folder or a checkpoint.

    Raises:
        ValueError: if there is none, it works at another rate, or it lacks a network.
    """
    file = find_checkpoint(path)
    checkpoint = read_checkpoint(file)
    rate = checkpoint["model_config"]["sample_rate"]
    if rate != module.sample_rate:
        raise ValueError(f"model.base={file} works at {rate} Hz, this run at {module.sample_rate} Hz")
    for name in NETWORKS:
        network: nn.Module | None = getattr(module, name)
        weights = weights_of(checkpoint, name)
        if network is not None and not weights:
            raise ValueError(f"model.base={file} has no {name}; give model.loss_weights the weights of that run")
        if network is not None:
            network.load_state_dict(weights)
