"""Sines without number: whole cycles in a frame, the data of ColinShaw/python-neural-network-audio-reconstruction.

There, frames of 100 samples hold 1 to 9 cycles of an amplitude between 0.05 and 1 and a phase of 0. With one sample in 10 kept,
what has more than 5 cycles in a frame looks like what has fewer, turned upside down: only the known phase tells them apart.
"""

import hashlib
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.draws import Range, as_range, uniform
from datamodules.parallel import tracked
from datamodules.seeding import generator_for
from datamodules.sources import Recording, Source
from datamodules.sources.rendering import check_recordings, split_of, write_rendered

_RENDERING = "1"  # Part of the folder's name; to be raised when the same parameters give other waveforms.

log = logging.getLogger(__name__)


class SineSource(Source):
    """Render frames of sines deterministically and list them; a tenth each, at least one, is for val and for test.

    Frame n has its own amplitude, and phase if that is random, drawn from (render_seed, n); the numbers of cycles take turns, so
    that every split has as many frames of each.

    Args:
        root: folder for the rendered frames; each set of parameters has its own folder below it.
        sample_rate: in Hz.
        window_samples: length of a frame, which is then a training window.
        recordings: how many frames, at least 3.
        cycles: in a frame, a whole number or `[low, high]`.
        amplitude: full scale 1, a number or `[low, high]`.
        phase: at the beginning of a frame, in cycles, a number or `[low, high]`; 0 is published, `[0, 1]` any.
        render_seed: changes all frames. It is not the training seed: that one must not change what is evaluated.
    """

    def __init__(
        self,
        root: str,
        sample_rate: int,
        window_samples: int,
        recordings: int = 900,
        cycles: Range = (1, 9),
        amplitude: Range = (0.05, 1.0),
        phase: Range = 0.0,
        render_seed: int = 0,
    ) -> None:
        """Check the parameters; nothing is rendered before `recordings()`."""
        check_recordings(recordings)
        self.cycles, self.amplitude = _cycles(cycles, window_samples), as_range(amplitude, "data.amplitude")
        if not 0 < self.amplitude[0] <= self.amplitude[1] <= 1:
            raise ValueError(f"data.amplitude={amplitude} must lie above 0 and not above 1, full scale")
        self.phase = as_range(phase, "data.phase")
        facts = (_RENDERING, sample_rate, window_samples, recordings, self.cycles, self.amplitude, self.phase, render_seed)
        super().__init__(Path(root) / "sine" / hashlib.sha256(repr(facts).encode()).hexdigest()[:12])
        self.sample_rate, self.samples, self.count, self.render_seed = sample_rate, window_samples, recordings, render_seed

    def recordings(self) -> list[Recording]:
        """Render what is missing and list all frames; see `Source.recordings`.

        Raises:
            ValueError: if the folder cannot be written to.
        """
        paths = self._paths()
        missing = [index for index, path in enumerate(paths) if not path.exists()]
        if missing:
            log.info("rendering %d sines of %d samples to %s", len(missing), self.samples, self.root)
            frames = np.asarray(self.render(missing))
            for index, frame in zip(tracked(missing, len(missing), "Rendering sines"), frames, strict=True):
                write_rendered(paths[index], frame[None], self.sample_rate)
        return self.planned()

    def planned(self) -> list[Recording]:
        """List all frames, rendered or not; see `Source.planned`."""
        seconds = self.samples / self.sample_rate
        return [Recording(str(path), seconds, split_of(index, self.count), path.stem) for index, path in enumerate(self._paths())]

    def render(self, indices: Sequence[int]) -> Tensor:
        """Compute frames.

        Args:
            indices: of N frames, from 0 to recordings - 1.

        Returns:
            (N, T) float32.
        """
        drawn = [self._draw(index) for index in indices]
        cycles, amplitudes, phases = torch.tensor(drawn, dtype=torch.float64).reshape(-1, 3).T
        return sines(cycles, amplitudes, phases, self.samples)

    def _draw(self, index: int) -> tuple[float, float, float]:
        generator = generator_for(self.render_seed, "sine", index)
        amplitude, phase = (float(uniform(*ends, (), generator)) for ends in (self.amplitude, self.phase))
        return self._cycles_of(index), amplitude, phase

    def _cycles_of(self, index: int) -> int:
        low, high = self.cycles
        return low + index % (high - low + 1)

    def _paths(self) -> list[Path]:
        return [self.root / f"cycles_{self._cycles_of(index)}_{index:05d}.flac" for index in range(self.count)]


def sines(cycles: Tensor, amplitudes: Tensor, phases: Tensor, samples: int) -> Tensor:
    """Return a sin(2 pi (c n / T + p)) for n = 0 ... T - 1.

    Args:
        cycles: c in a frame, (N,).
        amplitudes: a, (N,).
        phases: p in cycles, (N,).
        samples: T.

    Returns:
        (N, T) float32.

    >>> sines(torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([0.25]), 4)[0, ::2].tolist()
    [0.5, -0.5]
    """
    place = torch.arange(samples, dtype=torch.float64) / samples  # (T,)
    turns = cycles[:, None].double() * place + phases[:, None]  # (N, T)
    return (amplitudes[:, None] * torch.sin(2 * math.pi * turns)).float()


def _cycles(value: Range, samples: int) -> tuple[int, int]:
    low, high = as_range(value, "data.cycles")
    if not (low.is_integer() and high.is_integer() and low >= 1 and 2 * high < samples):
        raise ValueError(
            f"data.cycles={value} must be whole numbers from 1 to below half of data.window_samples={samples}, where sines end"
        )
    return int(low), int(high)
