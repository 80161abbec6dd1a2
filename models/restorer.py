"""What every network that restores signals declares of itself: how far it looks, and so how long recordings are divided."""

import math

from torch import Tensor, nn

from models.streaming.chunking import Chunking, chunking_for_reach, to_grid, with_lengths
from models.streaming.overlap_add import apply_in_chunks

SEGMENT_OVERLAP_SECONDS = 8.0
"""Half of what a method judges at once that judges sound as a whole, its noise, its band. Longer is surer, shorter follows
changes; half, so that what was judged in one segment turns slowly into what was judged in the next."""
SEGMENT_MARGIN_SECONDS = 0.5


class Restorer(nn.Module):
    """A network that maps (B, C, T) to (B, C, T) for any T from `min_samples` on."""

    identity_at_start: bool = True
    """Whether it returns its input before any training; False only where the docstring names a published form that does not."""
    level_free: bool = False
    """Whether f(a x) = a f(x) for every a > 0, so that quiet passages are restored like loud ones, but for what
    lies within the reach of something louder; without a floor."""
    channels: int | None = None
    """The C that it takes; None is any, each channel by itself."""
    takes_reference: bool = False
    """Whether the second of its two channels is a recording of the noise, which may lie in a file of its own."""
    min_samples: int = 1
    """The shortest T that it takes."""

    @property
    def reach_samples(self) -> float:
        """How far an output looks: sample n depends on inputs from n - reach to n + reach only; infinite: on all of them."""
        raise NotImplementedError(f"{type(self).__name__} does not declare how far its outputs look (reach_samples)")

    @property
    def grid_samples(self) -> int:
        """A signal that is shifted by a multiple of this is restored alike, shifted."""
        return 1

    @property
    def compiled_parts(self) -> tuple[nn.Module, ...]:
        """Modules that are worth compiling: of real tensors, called in training with shapes that stay the same; none: ()."""
        return ()

    def chunking(self, sample_rate: int, chunk_seconds: float | None = None, overlap_seconds: float | None = None) -> Chunking:
        """Divide long recordings so that the pieces join as if each had been restored whole, or as asked for.

        Args:
            sample_rate: in Hz.
            chunk_seconds: of a chunk; None is long enough for the overlap.
            overlap_seconds: of two chunks; None is long enough for the reach.

        Raises:
            ValueError: if every output looks at the whole recording.
        """
        if math.isinf(self.reach_samples):
            raise ValueError(f"{type(self).__name__} looks at a whole recording at once; long ones cannot be divided")
        natural = chunking_for_reach(int(self.reach_samples), self.grid_samples, sample_rate)
        return with_lengths(natural, _samples(chunk_seconds, sample_rate), _samples(overlap_seconds, sample_rate))


class StridedRestorer(Restorer):
    """A network with a total stride; a subclass sets `multiple`, the samples its input length must be divisible by."""

    multiple: int

    @property
    def grid_samples(self) -> int:
        """The total stride."""
        return self.multiple


class SteppedRestorer(Restorer):
    """A network that works in steps, any of which may be the last; a subclass sets `steps`, how many there usually are."""

    steps: int

    @property
    def reach_samples(self) -> int:
        """After the usual number of steps."""
        return self.reach_at(self.steps)

    def reach_at(self, step: int) -> int:
        """Return how far an output looks, in samples, after `step` steps."""
        raise NotImplementedError

    def forward(self, corrupted: Tensor) -> Tensor:
        """Return the estimate after all steps.

        Args:
            corrupted: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        return self.estimate_at(corrupted, self.steps)

    def estimate_at(self, corrupted: Tensor, step: int) -> Tensor:
        """Return the estimate after `step` steps of the usual number, or, if there are more, after as many finer ones.

        Args:
            corrupted: (B, C, T).
            step: 0 returns the input.

        Returns:
            (B, C, T).
        """
        raise NotImplementedError

    def estimates(self, corrupted: Tensor, steps: int | None = None) -> Tensor:
        """Return the estimates after every one of T steps.

        Args:
            corrupted: (B, C, T).
            steps: T; None for the usual number.

        Returns:
            (T, B, C, T).
        """
        raise NotImplementedError


class SegmentedRestorer(Restorer):
    """A method that judges a segment of sound as a whole: long recordings are segmented, in the network itself.

    Segments start at fixed places of a recording, so that restoring it whole and piece by piece is the same; within one,
    everything may depend on everything.

    Args:
        segments: the division of long recordings.
    """

    def __init__(self, segments: Chunking) -> None:
        super().__init__()
        self.segments = segments

    def restore_segment(self, segment: Tensor) -> Tensor:
        """Map a segment (B, C, T) to (B, C, T); T is below `segments.limit_samples`."""
        raise NotImplementedError

    def forward(self, corrupted: Tensor) -> Tensor:
        """Restore a recording segment by segment.

        Args:
            corrupted: (B, C, T), any T.

        Returns:
            (B, C, T).
        """
        return apply_in_chunks(self.restore_segment, corrupted, self.segments)

    @property
    def reach_samples(self) -> float:
        """A segment, and what the last one may be longer."""
        return self.segments.limit_samples

    @property
    def grid_samples(self) -> int:
        """From segment to segment."""
        return self.segments.hop_samples

    def chunking(self, sample_rate: int, chunk_seconds: float | None = None, overlap_seconds: float | None = None) -> Chunking:
        """Let the chunks be the segments, as longer ones would be segmented again; shorter ones and other overlaps as asked for.

        Args:
            sample_rate: in Hz.
            chunk_seconds: of a chunk, at most a segment; None is a segment.
            overlap_seconds: of two chunks; None is that of segments.
        """
        return chunk_by_segments(self.segments, sample_rate, chunk_seconds, overlap_seconds)


def chunk_by_segments(
    segments: Chunking, sample_rate: int, chunk_seconds: float | None, overlap_seconds: float | None
) -> Chunking:
    """Return the segments as chunks, shorter or with another overlap if asked for.

    Args:
        segments: the division that belongs to the method.
        sample_rate: in Hz.
        chunk_seconds: at most a segment; None is a segment.
        overlap_seconds: None is that of the segments.
    """
    chunk_samples = _samples(chunk_seconds, sample_rate)
    shorter = None if chunk_samples is None or chunk_samples >= segments.chunk_samples else chunk_samples
    return with_lengths(segments, shorter, _samples(overlap_seconds, sample_rate))


def segments_of(sample_rate: int, grid_samples: int = 1) -> Chunking:
    """Return the segments of a method that judges noise or band; all but the ends of their overlap is faded.

    Args:
        sample_rate: in Hz.
        grid_samples: that segments start on, such as the hop of a spectrum.
    """
    overlap = to_grid(SEGMENT_OVERLAP_SECONDS * sample_rate, grid_samples)
    margin = round(SEGMENT_MARGIN_SECONDS * sample_rate)
    return Chunking(2 * overlap, overlap, margin, grid_samples)


def _samples(seconds: float | None, sample_rate: int) -> float | None:
    return None if seconds is None else seconds * sample_rate
