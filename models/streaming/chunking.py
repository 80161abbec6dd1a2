"""How a long recording is divided into chunks that overlap, so that its pieces join as if it had been restored whole."""

import math
from dataclasses import dataclass, replace

CHUNK_SECONDS = 8.0
"""What a method sees at once, unless it looks further."""
FADE_SECONDS = 0.1
"""Of a cross-fade between two chunks, at least."""
CHUNK_PER_OVERLAP = 3
"""A chunk is at least so many overlaps long: then at most half of the work is done twice."""


@dataclass(frozen=True)
class Chunking:
    """Where chunks start and how they are joined.

    Chunks start every `chunk_samples - overlap_samples`. Of each overlap `margin_samples` at either end are dropped, and what
    is between is faded.

    Args:
        chunk_samples: length of a chunk.
        overlap_samples: what neighboring chunks share, at most half a chunk.
        margin_samples: what is dropped at both ends of an overlap, at most half of it.
        grid_samples: chunks start on multiples of this, so the last one may be longer by less than this.

    Raises:
        ValueError: if the lengths do not fit each other.
    """

    chunk_samples: int
    overlap_samples: int
    margin_samples: int
    grid_samples: int = 1

    def __post_init__(self) -> None:
        if self.chunk_samples < 1 or not 0 <= self.overlap_samples <= self.chunk_samples // 2:
            allowed = f"overlap_samples={self.overlap_samples} between 0 and half of it"
            raise ValueError(f"chunk_samples={self.chunk_samples} must be positive and {allowed}")
        if not 0 <= self.margin_samples <= self.overlap_samples // 2:
            raise ValueError(f"margin_samples={self.margin_samples} must be between 0 and half of {self.overlap_samples}")
        if self.grid_samples < 1 or self.hop_samples % self.grid_samples:
            step = f"chunk_samples - overlap_samples = {self.hop_samples}"
            raise ValueError(f"{step} must be a multiple of grid_samples={self.grid_samples}")

    @property
    def hop_samples(self) -> int:
        """From the start of a chunk to the start of the next."""
        return self.chunk_samples - self.overlap_samples

    @property
    def limit_samples(self) -> int:
        """What every chunk is shorter than, the last one included."""
        return self.chunk_samples + self.grid_samples

    def count(self, samples: int) -> int:
        """Return into how many chunks a recording is divided.

        >>> [Chunking(100, 20, 5).count(samples) for samples in (0, 100, 101, 180, 181)]
        [1, 1, 2, 2, 3]
        """
        return 1 + max(0, 1 + (samples - self.limit_samples) // self.hop_samples)

    @property
    def fade_samples(self) -> int:
        """Of an overlap, what is cross-faded."""
        return self.overlap_samples - 2 * self.margin_samples


def lead_in(chunking: Chunking, method_hz: int, signal_hz: int, start: int) -> int:
    """Return the sample of a signal from which on it has to be restored, for a part to come out as if all of it had been.

    That is where a chunk of the whole starts, on a whole sample at both rates. One more chunk lies between it and those that the
    part is made of: what begins too suddenly there, in resampling or in the method, has ended before them.

    Args:
        chunking: of the whole.
        method_hz: the sample rate of the method.
        signal_hz: the sample rate of the signal.
        start: of the part, in samples of the signal.

    >>> [lead_in(Chunking(100, 20, 5), 16000, 44100, start) for start in (0, 1000, 50_000)]
    [0, 441, 49392]
    """
    step = method_hz // math.gcd(method_hz, signal_hz)
    fitting = step // math.gcd(chunking.hop_samples, step)
    before = (start * method_hz // signal_hz - chunking.overlap_samples) // chunking.hop_samples - 1
    number = max(0, before) // fitting * fitting
    return number * chunking.hop_samples * signal_hz // method_hz


def chunking_for_reach(reach_samples: int, grid_samples: int, sample_rate: int) -> Chunking:
    """Divide a recording for a method that looks no further than its reach: nothing a chunk's edge does to it is kept.

    Args:
        reach_samples: how far an output looks.
        grid_samples: shifts by multiples of this do not matter to the method.
        sample_rate: in Hz.
    """
    overlap = to_grid(2 * reach_samples + FADE_SECONDS * sample_rate, grid_samples)
    chunk = max(to_grid(CHUNK_SECONDS * sample_rate, grid_samples), CHUNK_PER_OVERLAP * overlap)
    return Chunking(chunk, overlap, reach_samples, grid_samples)


def with_lengths(chunking: Chunking, chunk_samples: float | None, overlap_samples: float | None) -> Chunking:
    """Return a division as near to the lengths asked for as it can be made; None leaves one as it is.

    An overlap that is too short for its margins drops a quarter at both ends and fades the half between. A chunk that is too
    short for its overlap shortens that.

    Args:
        chunking: the method's own.
        chunk_samples: asked for; rounded up to the grid.
        overlap_samples: asked for; rounded up to the grid.
    """
    grid = chunking.grid_samples
    overlap = chunking.overlap_samples if overlap_samples is None else to_grid(overlap_samples, grid)
    chunk = chunking.chunk_samples if chunk_samples is None else to_grid(chunk_samples, grid)
    chunk = max(chunk, 2 * grid) if overlap_samples is None else max(chunk, 2 * grid, 2 * overlap)
    overlap = min(overlap, chunk // 2 // grid * grid)
    margin = chunking.margin_samples if overlap >= chunking.overlap_samples else overlap // 4
    return replace(chunking, chunk_samples=chunk, overlap_samples=overlap, margin_samples=margin)


def to_grid(samples: float, grid_samples: int) -> int:
    """Round up to a multiple of the grid.

    >>> to_grid(100.5, 32)
    128
    """
    return math.ceil(samples / grid_samples) * grid_samples
