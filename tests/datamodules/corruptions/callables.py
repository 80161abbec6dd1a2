"""Callables as a user may have them: one of arrays and one of tensors, which draw from global generators."""

import random

import numpy as np
import torch
from torch import Tensor, nn


class Tremolo:
    """Move the level up and down, from a random phase; remembers what it drew last, as other people's effects do."""

    def __init__(self, rate_hz: float = 5.0, depth: float = 0.5) -> None:
        self.rate_hz, self.depth = rate_hz, depth
        self.drawn: float | None = None

    def __call__(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        assert waveform.ndim == 2 and waveform.dtype == np.float32
        self.drawn = float(np.random.rand()) + random.random()
        seconds = np.arange(waveform.shape[-1]) / sample_rate
        waveform *= 1 - self.depth * np.sin(np.pi * (self.rate_hz * seconds + self.drawn)) ** 2
        return waveform


class Gargle(nn.Module):
    """The same by torch, as a module with a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = nn.Parameter(torch.tensor(0.5))

    def forward(self, waveform: Tensor, sample_rate: int) -> Tensor:
        assert waveform.shape[0] == 1 and waveform.ndim == 3
        seconds = torch.arange(waveform.shape[-1], device=waveform.device) / sample_rate
        turn: Tensor = torch.sin(torch.pi * (5 * seconds + torch.rand(1, device=waveform.device)))
        return waveform * (1 - self.depth * turn.square())
