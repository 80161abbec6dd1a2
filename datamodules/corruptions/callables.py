"""Any callable that takes a waveform and its sample rate: effects of other packages, or the user's own."""

import functools
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from datamodules.corruptions import Corruption
from datamodules.corruptions.foreign.randomness import draw_seeds, seeded_globals
from datamodules.corruptions.foreign.results import padded, signal_like, trial_signal
from datamodules.describe import Described
from datamodules.seeding import place_of_draws


class AnyCallable(Corruption):
    """Apply `transform(waveform, sample_rate)` to one example after the other.

    What the transform draws from the global generators of Python, NumPy or torch follows from the generator, anew for every
    example, and these are left as they were. It has to keep no state from call to call that changes what it does.
    """

    def __init__(self, transform: Callable[..., Any], takes: Literal["numpy", "tensor"] = "numpy") -> None:
        """Check the settings.

        Args:
            transform: called with a waveform and its sample rate in Hz; returns a waveform of the same shape, or of a tensor what
                has one as its attribute `samples`, as torch-audiomentations does.
            takes: what it is called with: `numpy`, an array (C, T) of float32; `tensor`, a tensor (1, C, T) of float32, on the
                device of the batch where that is a CPU or a CUDA GPU, else on the CPU. A module of torch is moved there.

        Raises:
            ValueError: if it cannot be called, or `takes` is neither.
        """
        if not callable(transform):
            raise ValueError(f"transform={_told(transform)} cannot be called with a waveform and its sample rate")
        if takes not in ("numpy", "tensor"):
            raise ValueError(f"takes={takes!r} must be numpy or tensor")
        self._transform = Described(transform)
        self._takes = takes

    @property
    def _name(self) -> str:
        return f"transform={_told(self._transform.value)} (takes={self._takes})"

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse a transform that fails on a short signal, or gives back no such signal; see `Corruption.check`.

        Raises:
            ValueError: also if it does not do the same twice when the global generators are seeded the same.
        """
        first, again = (self(trial_signal(channels), sample_rate, torch.Generator().manual_seed(0)) for _ in range(2))
        if not torch.allclose(first, again, rtol=1e-4, atol=1e-6):
            told = "does something else in a second call with the same signal and the same state of the global generators"
            raise ValueError(
                f"{self._name} {told}: it has to draw from those of Python, NumPy or torch alone, and to count no calls"
            )

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the batch after the transform; see `Corruption`.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: only source of randomness.

        Returns:
            Audio, (B, C, T).

        Raises:
            ValueError: if the transform fails, or returns another shape, no floating-point numbers, or NaN.
        """
        place = place_of_draws(clean.device)
        if isinstance(self._transform.value, nn.Module):
            self._transform.value.to(place)
        changed = torch.empty_like(clean)
        for row, seed in enumerate(draw_seeds(len(clean), generator)):
            given = padded(clean[row : row + 1].to(place))
            with seeded_globals(seed, place), torch.no_grad():
                result = self._tried(given.clone(), sample_rate)
            changed[row] = signal_like(result, given, self._name)[0, :, : clean.shape[-1]].to(clean)
        return changed

    def _tried(self, example: Tensor, sample_rate: int) -> object:
        """Return what the transform makes of an example (1, C, T), or tell its class with whatever goes wrong in it."""
        try:
            return self._apply(example, sample_rate)
        except Exception as error:  # whatever other people's code does
            channels = "1 channel" if example.shape[1] == 1 else f"{example.shape[1]} channels"
            told = f"fails on {channels} at {sample_rate} Hz: {type(error).__name__}: {error}"
            raise ValueError(f"{self._name} {told}") from error

    def _apply(self, example: Tensor, sample_rate: int) -> object:
        """Return what the transform makes of an example (1, C, T)."""
        if self._takes == "tensor":
            result = self._transform.value(example, sample_rate)
            return getattr(result, "samples", result)
        result = self._transform.value(example[0].cpu().numpy(), sample_rate)
        return result[None] if isinstance(result, np.ndarray) else result


def _told(transform: Any) -> str:
    """Return the name of a function or of an object's class, with its module; a plain value as it is written."""
    if isinstance(transform, bool | int | float | str | list | tuple | dict | None):
        return repr(transform)
    named = transform.func if isinstance(transform, functools.partial) else transform
    kind = named if hasattr(named, "__qualname__") else type(named)
    return f"{kind.__module__}.{kind.__qualname__}"
