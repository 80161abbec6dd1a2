r"""Process long signals in overlapping chunks whose results are cross-faded.

Chunks start every `chunk - overlap` samples, and the last one is moved back to end with the signal, so that every
chunk of a long signal has full length. Of each overlap only the inner part is faded, a margin at both ends is dropped:

    chunk k     ================~~~~----
    chunk k+1               ----~~~~================~~~~----
                            |   |  |   |
                            overlap: dropped from k+1 | fade | dropped from k

Hence whatever a network makes of the edge of its input (zero padding) is not heard, as long as it reaches no further
than the margin. The fades are sin^2 and 1 - sin^2: equal results pass through unchanged. A network with
strides treats a signal differently when it is shifted by less than their product; chunks that start on multiples of that
(`grid_samples`) agree with each other and with the whole signal.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from models.streaming.chunking import Chunking


class OverlapAdd:
    """Apply a function to a stream, chunk by chunk; memory holds one chunk whatever the stream's length."""

    def __init__(self, function: Callable[[Tensor], Tensor], chunking: Chunking) -> None:
        """Start a stream.

        Args:
            function: maps a tensor (..., n) to one of n samples, n < chunking.limit_samples.
            chunking: where chunks start and how they are joined.
        """
        self._function = function
        self._chunk = chunking.chunk_samples
        self._hop = chunking.hop_samples
        self._grid = chunking.grid_samples
        self._margin = chunking.margin_samples
        self._fade = fade_in(chunking.fade_samples)
        self._input = torch.zeros(0)  # (..., n) from the start of the newest processed chunk on
        self._tail: Tensor | None = None  # (..., n) its result from the start of its closing fade on
        self._next_start = 0  # of the next chunk, within self._input

    def push(self, block: Tensor) -> Tensor:
        """Take a block (..., n) and return the samples (..., m) that are finished by now, m >= 0."""
        self._input = torch.cat([self._input, block], dim=-1) if self._input.numel() else block
        finished = []
        while self._input.shape[-1] >= self._next_start + self._chunk + self._grid:  # else this chunk may be the last
            self._input = self._input[..., self._next_start :]
            joined = self._join(self._input[..., : self._chunk], self._margin)
            tail_start = joined.shape[-1] - (self._chunk - self._hop - self._margin)
            finished.append(joined[..., :tail_start])
            self._tail = joined[..., tail_start:]
            self._next_start = self._hop
        return torch.cat(finished, dim=-1) if finished else block[..., :0]

    def flush(self) -> Tensor:
        """Return the rest (..., m) and be ready for another stream."""
        rest, excess = self._input, self._input.shape[-1] - self._chunk
        if rest.shape[-1] == 0:
            finished = rest
        else:
            last_start = excess // self._grid * self._grid if self._tail is not None else 0
            finished = self._join(rest[..., last_start:], self._hop + self._margin - last_start)
        self._input, self._tail, self._next_start = rest[..., :0], None, 0
        return finished

    def _join(self, chunk: Tensor, fade_start: int) -> Tensor:
        """Return the chunk's result from its opening fade on, cross-faded with the tail of the chunk before."""
        result = self._function(chunk)
        if self._tail is None:
            return result
        fade, result = self._fade.to(result), result[..., fade_start:]
        length = len(fade)
        faded = self._tail[..., :length].lerp(result[..., :length], fade)  # Equal results stay equal to the last bit.
        return torch.cat([faded, result[..., length:]], dim=-1)


def apply_in_chunks(function: Callable[[Tensor], Tensor], signal: Tensor, chunking: Chunking) -> Tensor:
    """Apply a function to a whole signal as `OverlapAdd` applies it to a stream; to a short one at once.

    Args:
        function: maps (..., n) to a tensor of n samples, n < chunking.limit_samples.
        signal: (..., T).
        chunking: where chunks start and how they are joined.

    Returns:
        As the function does, of T samples.
    """
    if signal.shape[-1] < chunking.limit_samples:
        return function(signal)
    stream = OverlapAdd(function, chunking)
    return torch.cat([stream.push(signal), stream.flush()], dim=-1)


def fade_in(length_samples: int) -> Tensor:
    """Return the rising raised cosine sin^2(pi (n + 1/2) / (2 N)), (N,); with its mirror image it sums to one."""
    phase = (torch.arange(length_samples, dtype=torch.float64) + 0.5) * (math.pi / 2 / max(1, length_samples))
    return phase.sin().square()
