"""Restore, damage and score what is in memory: arrays of NumPy and tensors of torch, (T,), (C, T) or (B, C, T)."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from conf.compose import corruption_config, create
from lightning_modules.base import RestorationModule
from lightning_modules.commands.opening import MethodAtRate, open_method, stream_of
from lightning_modules.metrics.availability import offered_metrics
from lightning_modules.metrics.collection import build_metrics, update_all
from lightning_modules.runs.plugins import import_plugins
from lightning_modules.stepwise import with_num_steps, with_step_size
from models.streaming.restoration import Settings

Signal = TypeVar("Signal", np.ndarray, Tensor)
MOST_CHANNELS = 64
"""More of them than samples is taken for a signal that lies on its side."""


class ArrayRestorer:
    """Restore arrays as `restore.py` restores files: at any sample rate, in chunks that join, with length and level kept.

    Args:
        method: gives the method for a sample rate.
        name: what it was opened by.
    """

    def __init__(self, method: MethodAtRate, name: str) -> None:
        self._method, self._name = method, name

    def __repr__(self) -> str:
        return f"clarion.load({self._name!r})"

    def __call__(
        self, array: Signal, sample_rate_hz: int, steps: int | None = None, step_size: float | None = None, **settings: Any
    ) -> Signal:
        """Return the restored signal: the same kind of array, of the same shape, type and device.

        Args:
            array: floats of full scale 1.
            sample_rate_hz: its rate.
            steps: of a method that works in steps; None is all it has.
            step_size: of a refining method; None is its own.
            settings: `strength`, `keep_low_band_hz`, `chunk_seconds` and `overlap_seconds` of
                `models.streaming.restoration.Settings`.

        Raises:
            ValueError: for an array, a rate or a setting that the method does not take, and if it fails.
        """
        batch, rate_hz, chosen = as_batch(array), as_rate(sample_rate_hz), as_settings(settings)
        module = self._method(rate_hz)
        module = module if steps is None else with_num_steps(module, steps)
        module = module if step_size is None else with_step_size(module, step_size)
        return in_form_of(array, torch.stack([_restored(module, signal, rate_hz, chosen) for signal in batch]))


def open_restorer(name: str, trusted: Sequence[str], device: str) -> ArrayRestorer:
    """Open a checkpoint, a run folder or a method without training; see `clarion.load`."""
    return ArrayRestorer(open_method(name, device, import_plugins(trusted, "trust")), name)


def _restored(module: RestorationModule, signal: Tensor, sample_rate_hz: int, settings: Settings) -> Tensor:
    """Restore (C, T) in blocks of a second, as files are read."""
    stream = stream_of(module, sample_rate_hz, len(signal), settings)
    with torch.inference_mode():
        blocks = [stream.push(block) for block in signal.split(sample_rate_hz, dim=-1)]
        restored = torch.cat([*blocks, stream.flush()], dim=-1)
    return restored.clone()  # of inference, with which nothing can be trained


def corrupted_copy(
    array: Signal, sample_rate_hz: int, name: str, settings: Mapping[str, Any], seed: int, trusted: Sequence[str]
) -> Signal:
    """Return a damaged copy; see `clarion.corrupt`. Recordings that a corruption draws from are those of the test split."""
    batch, rate_hz, plugins = as_batch(array).float(), as_rate(sample_rate_hz), import_plugins(trusted, "trust")
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in settings.items()}
    described = corruption_config(name, plain, rate_hz, plugins)
    corruption = create({"corruption": described, "plugins": plugins}, "corruption").for_split("test")
    corruption.check(rate_hz, batch.shape[1])
    return in_form_of(array, corruption(batch, rate_hz, torch.Generator().manual_seed(seed)))


def scores_of(
    restored: np.ndarray | Tensor, clean: np.ndarray | Tensor, sample_rate_hz: int, cutoff_hz: float | None
) -> dict[str, float]:
    """Return every metric that this rate offers; see `clarion.score`."""
    signals, rate_hz = (as_batch(restored, "restored"), as_batch(clean, "clean")), as_rate(sample_rate_hz)
    if restored.shape != clean.shape:
        raise ValueError(f"restored has the shape {(*restored.shape,)} and clean {(*clean.shape,)}; they must be equal")
    metrics = build_metrics(offered_metrics(rate_hz), rate_hz, cutoff_hz)
    update_all(metrics, *(signal.float() for signal in signals))
    return {name: float(metric.compute()) for name, metric in metrics.items()}


def as_batch(array: np.ndarray | Tensor, name: str = "array") -> Tensor:
    """Return a signal as (B, C, T) in float64 on the CPU; (T,) is one channel, (C, T) one example.

    Raises:
        ValueError: if it is no array of finite floats with samples, or lies on its side.
    """
    if not isinstance(array, np.ndarray | Tensor):
        raise ValueError(f"{name} is a {type(array).__name__}; give an array of NumPy or a tensor of torch")
    if not (array.is_floating_point() if isinstance(array, Tensor) else array.dtype.kind == "f"):
        raise ValueError(f"{name} holds {array.dtype}; give floats of full scale 1, such as int16 samples divided by 32768")
    shape = (*array.shape,)
    if not 1 <= len(shape) <= 3 or 0 in shape:
        raise ValueError(f"{name} has the shape {shape}; it must be (T,), (C, T) or (B, C, T), with samples")
    if len(shape) > 1 and shape[-2] > max(shape[-1], MOST_CHANNELS):
        raise ValueError(f"{name} has the shape {shape}, more channels than samples; time comes last: turn it, as array.T does")
    plain = array.detach() if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))
    batch = plain.cpu().double().reshape((1,) * (3 - len(shape)) + shape)
    if not bool(torch.isfinite(batch).all()):
        raise ValueError(f"{name} holds NaN or infinite samples")
    return batch


def in_form_of(array: Signal, batch: Tensor) -> Signal:
    """Return (B, C, T) in the kind, shape, type and device of an array."""
    if isinstance(array, Tensor):
        return batch.reshape(array.shape).to(array.device, array.dtype)
    return batch.numpy().reshape(array.shape).astype(array.dtype)


def as_rate(sample_rate_hz: float) -> int:
    """Return a sample rate as a whole number.

    Raises:
        ValueError: if it is none, or not positive.
    """
    if not isinstance(sample_rate_hz, Real) or sample_rate_hz < 1 or sample_rate_hz != int(sample_rate_hz):
        raise ValueError(f"sample_rate_hz={sample_rate_hz} must be a whole number of Hz, such as 44100")
    return int(sample_rate_hz)


def as_settings(given: Mapping[str, Any]) -> Settings:
    """Return settings by their names.

    Raises:
        ValueError: for an unknown one, listing the known ones, and for a value out of range.
    """
    known = [field.name for field in fields(Settings)]
    if unknown := [name for name in given if name not in known]:
        raise ValueError(f"unknown setting {unknown[0]}; known: steps, step_size, {', '.join(known)}")
    if odd := [name for name, value in given.items() if value is not None and not isinstance(value, Real)]:
        raise ValueError(f"{odd[0]}={given[odd[0]]!r} must be a number")
    return Settings(**given)
