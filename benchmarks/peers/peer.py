"""What every peer has in common: a signal of one channel at its own rate goes in, and comes out in step and as long."""

import math
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import soxr
import torch
from torch import Tensor

from models.restorer import Restorer

Signal = np.ndarray


class Peer(Restorer):
    """A denoiser that a package brings with its weights; every channel by itself, resampled to its rate and back.

    Args:
        sample_rate: of what comes in, in Hz.

    Raises:
        ValueError: if its package is not installed.
    """

    identity_at_start = False
    package: str
    rate_hz: int

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        try:
            distribution(self.package)
        except PackageNotFoundError:
            told = "pip install --no-deps -r benchmarks/peers/requirements.txt"
            raise ValueError(f"{type(self).__name__} needs the package {self.package}: {told}") from None

    @property
    def reach_samples(self) -> float:
        """Most go on with what they have heard since the beginning."""
        return math.inf

    def denoise(self, noisy: Signal) -> Signal:
        """Return what a signal (T,) in float32 at `rate_hz` is without noise, (T',) in step with it."""
        raise NotImplementedError

    def forward(self, corrupted: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C, T) on the CPU."""
        signals = corrupted.detach().cpu().float().flatten(0, -2).numpy()
        found = [fitted(self._at_own_rate(signal), len(signal)) for signal in signals]
        return torch.from_numpy(np.stack(found)).reshape(corrupted.shape).to(corrupted)

    def _at_own_rate(self, noisy: Signal) -> Signal:
        if self.sample_rate == self.rate_hz:
            return self.denoise(noisy)
        there = soxr.resample(noisy, self.sample_rate, self.rate_hz)
        return soxr.resample(self.denoise(there), self.rate_hz, self.sample_rate)


def fitted(signal: Signal, samples: int) -> Signal:
    """Cut a signal, or go on with silence, to a length, in float32."""
    return np.pad(signal[:samples], (0, max(0, samples - len(signal)))).astype(np.float32)


def shipped(package: str, name: str) -> Path:
    """Return where a file of a package lies, without importing it.

    Raises:
        FileNotFoundError: if the package has none of that name.
    """
    files = distribution(package).files or []
    found = next((file for file in files if file.name == name), None)
    if found is None:
        raise FileNotFoundError(f"{package} brings no {name}")
    return Path(str(found.locate()))
