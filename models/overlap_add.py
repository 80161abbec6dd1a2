r"""Process long signals in overlapping chunks whose results are cross-faded.

Chunks start every `chunk - overlap` samples, and the last one is moved back to end with the signal, so that every
chunk of a long signal has full length. Of each overlap only the inner half is faded, the outer quarters are dropped:

    chunk k     ================~~~~----
    chunk k+1               ----~~~~================~~~~----
                            |   |  |   |
                            overlap: dropped from k+1 | fade | dropped from k

Hence whatever a network makes of the edge of its input (zero padding) is not heard, as long as it reaches no further
than a quarter of the overlap. The fades are sin^2 and 1 - sin^2: equal results pass through unchanged. A network with
strides treats a signal differently when it is shifted by less than their product; chunks that start on multiples of that
(`grid_samples`) agree with each other and with the whole signal.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


class OverlapAdd:
    """Apply a function to a stream, chunk by chunk; memory holds one chunk whatever the stream's length."""

    def __init__(
        self, function: Callable[[Tensor], Tensor], chunk_samples: int, overlap_samples: int, grid_samples: int = 1
    ) -> None:
        """Check the geometry.

        Args:
            function: maps a tensor (..., n) to one of the same shape, n < chunk_samples + grid_samples.
            chunk_samples: length of a chunk.
            overlap_samples: what neighboring chunks share, at most half a chunk.
            grid_samples: chunks start on multiples of this, so the last one may be longer by less than this.

        Raises:
            ValueError: if the lengths do not fit each other.
        """
        if chunk_samples < 1 or not 0 <= overlap_samples <= chunk_samples // 2:
            allowed = f"overlap_samples={overlap_samples} between 0 and half of it"
            raise ValueError(f"chunk_samples={chunk_samples} must be positive and {allowed}")
        if grid_samples < 1 or (chunk_samples - overlap_samples) % grid_samples:
            step = f"chunk_samples - overlap_samples = {chunk_samples - overlap_samples}"
            raise ValueError(f"{step} must be a multiple of grid_samples={grid_samples}")
        self._function = function
        self._chunk = chunk_samples
        self._hop = chunk_samples - overlap_samples
        self._grid = grid_samples
        self._margin = overlap_samples // 4
        self._fade = fade_in(overlap_samples - 2 * self._margin)
        self._input = torch.zeros(0)  # (..., n) from the start of the newest processed chunk on
        self._tail: Tensor | None = None  # (..., n) its result from the start of its closing fade on
        self._next_start = 0  # of the next chunk, within self._input

    def push(self, block: Tensor) -> Tensor:
        """Take a block (..., n) and return the samples (..., m) that are finished by now, m >= 0."""
        self._input = torch.cat([self._input, block], dim=-1) if self._input.numel() else block
        finished = [block[..., :0]]
        while self._input.shape[-1] >= self._next_start + self._chunk:
            self._input = self._input[..., self._next_start :]
            joined = self._join(self._input[..., : self._chunk], self._margin)
            tail_start = joined.shape[-1] - (self._chunk - self._hop - self._margin)
            finished.append(joined[..., :tail_start])
            self._tail = joined[..., tail_start:]
            self._next_start = self._hop
        return torch.cat(finished, dim=-1)

    def flush(self) -> Tensor:
        """Return the rest (..., m) and be ready for another stream."""
        rest, excess = self._input, self._input.shape[-1] - self._chunk
        if self._tail is not None and excess == 0:
            finished = self._tail
        elif rest.shape[-1] == 0:
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


def fade_in(length_samples: int) -> Tensor:
    """Return the rising raised cosine sin^2(pi (n + 1/2) / (2 N)), (N,); with its mirror image it sums to one."""
    phase = (torch.arange(length_samples, dtype=torch.float64) + 0.5) * (math.pi / 2 / max(1, length_samples))
    return phase.sin().square()
