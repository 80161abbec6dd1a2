"""Synthetic music that needs no download: random pieces for struck and plucked strings, rendered once to FLAC files."""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.draws import integers, normal, uniform
from datamodules.parallel import tracked
from datamodules.seeding import generator_for
from datamodules.sources import Recording, Source
from datamodules.sources.rendering import check_recordings, split_of, write_rendered
from datamodules.sources.synthesis.instruments import PLUCKED, STRUCK, render_note
from datamodules.sources.synthesis.score import compose

_RENDERING = "1"  # Part of the folder's name; to be raised when the same parameters sound different.
_PEAK_DB = (-12.0, -3.0)
_NOISE_FLOOR_DB = (-78.0, -66.0)  # Relative to the peak; about that of a good recording.

log = logging.getLogger(__name__)


class SyntheticSource(Source):
    """Render random music deterministically and list it; a tenth each, at least one recording, is for val and for test.

    Every piece has its own key, mode, tempo and dynamics; chords and bass are played on one instrument and the melody on
    another, struck or plucked at random.

    Args:
        root: folder for the rendered files; each set of parameters has its own folder below it.
        sample_rate: in Hz.
        recordings: how many pieces, at least 3.
        seconds: duration of each.
        render_seed: changes all pieces. It is not the training seed: that one must not change what is evaluated.
    """

    def __init__(self, root: str, sample_rate: int, recordings: int = 120, seconds: float = 10.0, render_seed: int = 0) -> None:
        """Check the parameters; nothing is rendered before `recordings()`."""
        check_recordings(recordings)
        if seconds <= 0:
            raise ValueError(f"data.seconds={seconds} must be above 0")
        name = hashlib.sha256(repr((_RENDERING, sample_rate, recordings, seconds, render_seed)).encode()).hexdigest()[:12]
        super().__init__(Path(root) / "synthetic" / name)
        self.sample_rate, self.count, self.seconds, self.render_seed = sample_rate, recordings, seconds, render_seed

    def recordings(self) -> list[Recording]:
        """Render what is missing and list all pieces; see `Source.recordings`.

        Raises:
            ValueError: if the folder cannot be written to.
        """
        paths = self._paths()
        missing = [index for index, path in enumerate(paths) if not path.exists()]
        if missing:
            log.info("rendering %d synthetic pieces of %g s to %s", len(missing), self.seconds, self.root)
            with _one_thread():
                for index in tracked(missing, len(missing), "Rendering music"):
                    write_rendered(paths[index], np.asarray(self.render(index))[None], self.sample_rate)
        return self.planned()

    def planned(self) -> list[Recording]:
        """List all pieces, rendered or not; see `Source.planned`."""
        return [
            Recording(str(path), self.seconds, split_of(index, self.count), path.stem) for index, path in enumerate(self._paths())
        ]

    def _paths(self) -> list[Path]:
        return [self.root / f"piece_{index:04d}.flac" for index in range(self.count)]

    def render(self, index: int) -> Tensor:
        """Compute piece number `index`.

        Args:
            index: from 0 to recordings - 1.

        Returns:
            (T,) float32, peak between -12 and -3 dBFS.
        """
        generator = generator_for(self.render_seed, "piece", index)
        instruments = [(STRUCK, PLUCKED)[int(choice)] for choice in integers(0, 1, (2,), generator)]
        music = torch.zeros(round(self.seconds * self.sample_rate))
        for note in compose(self.seconds, generator):
            sound = render_note(instruments[note.voice], note.midi, note.velocity, note.held_seconds, self.sample_rate, generator)
            start = round(note.start_seconds * self.sample_rate)
            end = min(len(music), start + len(sound))
            music[start:end] += sound[: end - start]
        return _with_floor(music, generator)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch from splitting the many small operations of a note: measured 25 times slower on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _with_floor(music: Tensor, generator: torch.Generator) -> Tensor:
    """Add a noise floor and bring the peak to a random level."""
    floor = 10 ** (uniform(*_NOISE_FLOOR_DB, (), generator) / 20) * music.abs().max()
    noisy = music + floor * normal((len(music),), generator)
    return noisy / noisy.abs().max() * 10 ** (uniform(*_PEAK_DB, (), generator) / 20)
