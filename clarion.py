"""Restore, damage and score arrays: `import clarion`. Everything heavy is imported when it is first needed."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from lightning_modules.commands.arrays import ArrayRestorer

    Signal = TypeVar("Signal", np.ndarray, Tensor)
else:
    Signal = TypeVar("Signal")

HERE = Path(__file__).resolve().parent
ROOMS = ("conf", "datamodules", "lightning_modules", "machine", "models", "sweeps")


def foreign_room(here: Path = HERE) -> str | None:
    """Return a sentence about the first of our packages in whose place Python finds another project's; None if it finds ours.

    Args:
        here: the folder that ours lie in.
    """
    for name in ROOMS:
        found = _found(name)
        if found != here / name:
            instead = f"{found}, which belongs to another project, is found first" if found else "it is not found"
            cure = "start Python in another folder, or change PYTHONPATH"
            return f"clarion needs its own package {name} in {here}, but {instead}; {cure}"
    return None


def _found(name: str) -> Path | None:
    """Return the folder of a package, or the file of a module, that `import` gives for a name."""
    loaded = sys.modules.get(name)
    spec = loaded.__spec__ if loaded else importlib.util.find_spec(name)
    places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
    return Path(places[0]).resolve() if places and places[0] else None


if _problem := foreign_room():
    raise ImportError(_problem)


def load(name: str | Path, trust: Iterable[str] = (), device: str = "auto") -> "ArrayRestorer":
    """Open what restores.

    Args:
        name: a run folder, a checkpoint file, or the name of a method without training, such as wiener.
        trust: names of packages whose classes it may name beside those of this project.
        device: auto (a CUDA GPU if there is one, else the CPU), cpu, cuda or mps.

    Returns:
        `restorer(array, sample_rate_hz, **settings)`; see `lightning_modules.commands.arrays.ArrayRestorer`.

    Raises:
        ValueError: if it cannot be opened.
    """
    from lightning_modules.commands.arrays import open_restorer

    return open_restorer(str(name), list(trust), device)


def corrupt(
    array: "Signal", sample_rate_hz: int, name: str, *, seed: int = 0, trust: Iterable[str] = (), **settings: Any
) -> "Signal":
    """Return a damaged copy of a signal.

    Args:
        array: NumPy or torch, floats of full scale 1, (T,), (C, T) or (B, C, T); every example of a batch has its own draws.
        sample_rate_hz: its rate.
        name: of a file in conf/corruption, such as noise or super_resolution.
        seed: of the draws; the same one gives the same damage.
        trust: names of packages that have further corruptions.
        settings: keys of that file, such as snr_db=5 or snr_db=[0, 20].

    Returns:
        The same kind of array, of the same shape, type and device.

    Raises:
        ValueError: for an unknown name, listing the known ones, and for what the corruption refuses.
    """
    from lightning_modules.commands.arrays import corrupted_copy

    return corrupted_copy(array, sample_rate_hz, name, settings, seed, list(trust))


def score(
    restored: "np.ndarray | Tensor", clean: "np.ndarray | Tensor", sample_rate_hz: int, cutoff_hz: float | None = None
) -> dict[str, float]:
    """Compare a restored signal with the clean one.

    Args:
        restored: (T,), (C, T) or (B, C, T).
        clean: of the same shape.
        sample_rate_hz: of both.
        cutoff_hz: splits LSD into its low and high band; None is a quarter of the sample rate.

    Returns:
        Every metric that works at this rate, by name, averaged over the batch; NaN where it has no value.

    Raises:
        ValueError: if the shapes differ.
    """
    from lightning_modules.commands.arrays import scores_of

    return scores_of(restored, clean, sample_rate_hz, cutoff_hz)
