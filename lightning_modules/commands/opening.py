"""Open what restores, and connect it to a signal: shared by files (restore.py) and arrays (clarion.py)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from conf.compose import method_config, methods_without_training
from lightning_modules.base import RestorationModule
from lightning_modules.runs.checkpoint import build_restorer, load_restorer
from lightning_modules.runs.shipped import shipped_choice, shipped_or
from models.streaming.restoration import RestorationStream, Settings

REFERENCE_RATE_HZ = 16000
"""At which a method is tried that takes any rate, before there is a signal."""
Restore = Callable[[Tensor], Tensor]
"""Maps a chunk (B, C, T) to the same shape."""
Watch = Callable[[Restore], Restore]
MethodAtRate = Callable[[int], RestorationModule]
"""Gives the method to be used for signals of a sample rate in Hz."""


def open_method(name: str, device: str, trusted: Sequence[str] = ()) -> MethodAtRate:
    """Open a checkpoint, which has a sample rate of its own, or a method without training, which takes any.

    Args:
        name: a checkpoint file, a run folder, or the name of a shipped model or a method without training.
        device: auto (a CUDA GPU, else the CPU), cpu, cuda or mps.
        trusted: names of packages whose classes may be created beside those of this project.

    Raises:
        ValueError: if there is no such thing or no such device.
    """
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device != "auto" and device not in usable:
        raise ValueError(f"device={device} is not one of auto, {', '.join(usable)}")
    if not usable.get(device, True):
        raise ValueError(f"--device {device}: torch finds no usable GPU; use --device cpu")
    place = ("cuda" if usable["cuda"] else "cpu") if device == "auto" else device
    if (path := Path(shipped_or(name))).exists():
        module = load_restorer(path, place, trusted)
        if module.is_oracle:
            raise ValueError(f"{name}: reproduces clean signals and restores nothing; see model.autoencoder_checkpoint")
        return lambda sample_rate_hz: module
    if name not in (known := methods_without_training(trusted)):
        models = f"shipped model ({shipped_choice()}) or method without training ({', '.join(known)})"
        raise ValueError(f"{name}: no such checkpoint, run folder, {models}")
    return lambda sample_rate_hz: build_restorer(method_config(name, sample_rate_hz, trusted), trusted).to(place).eval()


def with_change(method: MethodAtRate, change: Callable[[RestorationModule], RestorationModule]) -> MethodAtRate:
    """Return a method with another number or size of steps.

    Raises:
        ValueError: if it has none.
    """
    change(method(REFERENCE_RATE_HZ))  # refused now rather than with every signal
    return lambda sample_rate_hz: change(method(sample_rate_hz))


def stream_of(
    module: RestorationModule, sample_rate_hz: int, channels: int, settings: Settings, watch: Watch | None = None
) -> RestorationStream:
    """Connect a method to a signal, which is then fed in blocks.

    Args:
        module: the method.
        sample_rate_hz: of the signal.
        channels: of the signal.
        settings: how the method is applied.
        watch: gives what is put in place of the function that restores a chunk.

    Raises:
        ValueError: if the method cannot be divided so.
    """
    chunking = module.chunking(settings.chunk_seconds, settings.overlap_seconds)
    restore = watch(_on_device(module)) if watch else _on_device(module)
    return RestorationStream(restore, chunking, module.sample_rate, sample_rate_hz, channels, settings)


def _on_device(module: RestorationModule) -> Restore:
    return lambda corrupted: module.restore(corrupted.to(module.device)).cpu()
