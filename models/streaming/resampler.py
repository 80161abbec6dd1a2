"""Change the sample rate of a stream by SoX's band-limited, linear-phase resampler, keeping sample 0 at time 0."""

import numpy as np
import soxr
import torch
from torch import Tensor


class Resampler:
    """A stream from one sample rate to another; ceil(T * to / from) samples come out of T."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream at time 0."""
        self._from_hz, self._to_hz = from_hz, to_hz
        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32")
        self._rest = torch.zeros(channels, 0)
        self._taken_samples = 0
        self._given_samples = 0

    def push(self, block: Tensor) -> Tensor:
        """Take a float32 block (C, n) and return the samples (C, m) that are finished by now, m >= 0."""
        if self._from_hz == self._to_hz or block.shape[-1] == 0:
            return block
        self._taken_samples += block.shape[-1]
        changed = self._resample(block, last=False)
        self._given_samples += changed.shape[-1]
        return changed

    def flush(self) -> Tensor:
        """Return the rest (C, m); SoX rounds the length to the nearest sample, one that is missing is silent."""
        if self._taken_samples == 0:
            return self._rest
        missing = -(-self._taken_samples * self._to_hz // self._from_hz) - self._given_samples
        rest = self._resample(self._rest, last=True)[:, :missing]
        return torch.nn.functional.pad(rest, (0, missing - rest.shape[-1]))

    def _resample(self, block: Tensor, last: bool) -> Tensor:
        frames = np.ascontiguousarray(block.numpy().T)
        return torch.from_numpy(self._stream.resample_chunk(frames, last=last)).T  # (C, m)
