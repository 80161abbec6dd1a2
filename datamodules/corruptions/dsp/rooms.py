"""Simulate what a microphone hears of a source in a rectangular room: the early reflections one by one, then a diffuse tail.

Early reflections are those of the image source method (Allen and Berkley, "Image method for efficiently simulating small-room
acoustics", 1979), with negative reflection coefficients as Lehmann and Johansson (2008) advise against its excess of low
frequencies. Behind the last complete set of images follows Gaussian noise with the exponential decay of a diffuse field (Polack).
"""

import itertools
import math

import torch
from torch import Tensor

from datamodules import draws

SPEED_OF_SOUND_M_PER_S = 343.0
SMALLEST_ROOM_M = (3.0, 3.0, 2.4)
LARGEST_ROOM_M = (10.0, 8.0, 4.0)
WALL_DISTANCE_M = 0.5

_PERIODS = 2
_DECAY = 6 * math.log(10)  # In energy, over the reverberation time: 60 dB.


def simulate_responses(t60_s: Tensor, drr_db: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
    """Draw a room and two places in it per example and compute the response between them.

    Args:
        t60_s: reverberation times in seconds, (B,).
        drr_db: ratios of the direct sound's energy to that of all the rest in dB, (B,).
        sample_rate: rate in Hz.
        generator: only source of randomness; all else must be on its device.

    Returns:
        Responses, (B, L) with L the longest reverberation time; sample 0 is the direct sound and exactly 1.
    """
    length = max(2, math.ceil(float(t60_s.max()) * sample_rate))
    low, high = (torch.tensor(size, device=t60_s.device) for size in (SMALLEST_ROOM_M, LARGEST_ROOM_M))
    room = low + (high - low) * draws.uniform(0, 1, (len(t60_s), 3), generator)
    places = WALL_DISTANCE_M + (room - 2 * WALL_DISTANCE_M) * draws.uniform(0, 1, (2, len(t60_s), 3), generator)
    distance = (places[0] - places[1]).norm(dim=1).clamp(min=WALL_DISTANCE_M)  # (B,)
    complete_s = 2 * _PERIODS * room.amin(dim=1) / SPEED_OF_SOUND_M_PER_S
    images = _early_reflections(room, places, distance, complete_s, t60_s, (sample_rate, length))
    seconds = torch.arange(length, device=t60_s.device) / sample_rate + distance[:, None] / SPEED_OF_SOUND_M_PER_S
    density = 4 * math.pi * SPEED_OF_SOUND_M_PER_S * distance.square() / (room.prod(dim=1) * sample_rate)
    envelope = density.sqrt()[:, None] * torch.exp(-_DECAY / 2 * seconds / t60_s[:, None]) * (seconds >= complete_s[:, None])
    reverberation = images + envelope * draws.normal((len(t60_s), length), generator)
    energy = reverberation.square().sum(dim=1).clamp(min=torch.finfo(torch.float32).tiny)
    response: Tensor = reverberation * (10 ** (-drr_db / 10) / energy).sqrt()[:, None]
    response[:, 0] = 1
    return response


def _early_reflections(
    room: Tensor, places: Tensor, distance: Tensor, complete_s: Tensor, t60_s: Tensor, shape: tuple[int, int]
) -> Tensor:
    """Add up all images until some would be missing, relative to the direct sound, which is left out, (B, L)."""
    sample_rate, length = shape
    axis = [
        (2 * period, 1 - 2 * side, abs(period - side) + abs(period))
        for period in range(-_PERIODS, _PERIODS + 1)
        for side in (0, 1)
    ]
    lattice = torch.tensor(list(itertools.product(axis, repeat=3)), dtype=room.dtype, device=room.device)  # (I, 3 axes, 3)
    positions = lattice[:, :, 0] * room[:, None] + lattice[:, :, 1] * places[0][:, None]  # (B, I, 3)
    path = (positions - places[1][:, None]).norm(dim=-1)
    bounces = lattice[:, :, 2].sum(dim=1)
    gain = distance[:, None] / path.clamp(min=WALL_DISTANCE_M) * (-_reflection(room, t60_s)[:, None]) ** bounces
    lag = ((path - distance[:, None]) * (sample_rate / SPEED_OF_SOUND_M_PER_S)).round().long()
    used = (lag > 0) & (lag < length) & (path < SPEED_OF_SOUND_M_PER_S * complete_s[:, None])
    return torch.zeros(len(room), length, device=room.device).scatter_add_(1, lag.clamp(0, length - 1), gain * used)


def _reflection(room: Tensor, t60_s: Tensor) -> Tensor:
    """Invert Eyring's formula: pressure reflection coefficient of walls that give the asked reverberation time, (B,)."""
    volume = room.prod(dim=1)
    surface = 2 * (room * room.roll(1, dims=1)).sum(dim=1)
    return torch.exp(-2 * _DECAY * volume / (SPEED_OF_SOUND_M_PER_S * surface * t60_s))
