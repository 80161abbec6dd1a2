"""The causal mask network once more in NumPy, for one short signal: frame after frame, by recursions and sums over taps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Weights = Mapping[str, np.ndarray]
BINS = 8


@dataclass(frozen=True)
class Sizes:
    """Settings of a network; the memory is in frames."""

    blocks: int
    fft: int
    hop: int
    lookahead: int
    memory: float


def restored(signal: np.ndarray, weights: Weights, sizes: Sizes) -> np.ndarray:
    """Return x + c of a signal (T,), c being the overlapped frames of M X, M from the weights by their names."""
    fft, hop = sizes.fft, sizes.hop
    first = fft // hop - 1  # frames that begin before the signal
    count = first + -(-len(signal) // hop) + sizes.lookahead
    around = np.zeros((count - 1) * hop + fft)
    around[first * hop :][: len(signal)] = signal
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)
    bins = np.stack([np.fft.rfft(window * around[at * hop :][:fft])[:-1] for at in range(count)], axis=1)
    x, heard = features(bins, hop, sizes.memory)
    real, imaginary = mask(x, heard, weights, sizes)
    total, weight = np.zeros((2, len(around)))
    for at in range(count):
        weight[at * hop :][:fft] += window**2
        if at + sizes.lookahead < count:
            late = (real + 1j * imaginary)[:, at + sizes.lookahead]
            total[at * hop :][:fft] += window * np.fft.irfft(np.append(late * bins[:, at], 0), fft)
    return signal + (total / np.maximum(weight, 1e-9))[first * hop :][: len(signal)]


def running_mean(values: np.ndarray, heard: np.ndarray, factor: float) -> np.ndarray:
    """Return m[t] = sum of a^(t - j) w[j] x[j] / sum of a^(t - j) w[j] over the last axis of (..., L)."""
    means = np.zeros_like(values)
    total, weight = np.zeros(values.shape[:-1]), 0.0
    for at in range(values.shape[-1]):
        total, weight = factor * total + heard[at] * values[..., at], factor * weight + heard[at]
        means[..., at] = total / weight if weight else 0.0
    return means


def features(bins: np.ndarray, hop: int, memory: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the eight features (8, F, L) of bins (F, L), and which of the L frames are heard."""
    count, frames = bins.shape
    level = (np.abs(bins) ** 2).mean(axis=0)
    heard = (level > 1e-30).astype(float)
    power = np.abs(bins) ** 2 + 1e-9 * level + 1e-30
    height = np.log(power) / 2
    brief = running_mean(smoothed(height), heard, np.exp(-32 / memory))
    least, floor = np.full(count, 1e3), np.zeros((count, frames))
    for at in range(frames):
        risen = np.minimum(least + 1 / memory, 1e3)
        least = np.minimum(risen, brief[:, at]) if heard[at] else risen
        floor[:, at] = least
    usual = running_mean(height - floor, heard, np.exp(-1 / memory))
    found = np.zeros((8, count, frames))
    found[0], found[1], found[2] = ((height - what) / 2 * heard for what in (floor, floor.mean(axis=0), floor + usual))
    unit = bins / np.sqrt(power)
    expected = np.exp(-1j * np.pi * np.arange(count) / count * hop)
    advance = unit[:, 1:] * unit[:, :-1].conj() * expected[:, None]
    step = -unit[1:] * unit[:-1].conj()
    found[3, :, 1:], found[4, :, 1:] = advance.real, advance.imag
    found[5, :-1], found[6, :-1] = step.real, step.imag
    found[7] = np.linspace(-1, 1, count)[:, None]
    return found, heard


def smoothed(height: np.ndarray) -> np.ndarray:
    """Return the means over nine bins of (F, L)."""
    return np.stack([height[max(0, k - 4) : k + 5].mean(axis=0) for k in range(len(height))])


def mask(x: np.ndarray, heard: np.ndarray, weights: Weights, sizes: Sizes) -> np.ndarray:
    """Return the mask (2, F, L) of features (8, F, L)."""
    patches = convolve(x, weights, "patches", stride=BINS, padding=BINS // 2)
    for block in range(sizes.blocks):
        name = f"blocks.{block}"
        near = convolve(patches, weights, f"{name}.near", padding=1, dilation=2**block)
        mean = running_mean(patches, heard, np.exp(-1 / sizes.memory))
        always = convolve(mean, weights, f"{name}.always", padding=1)
        patches = patches + convolve(np.maximum(near + always, 0), weights, f"{name}.out")
    spread = convolve(np.maximum(patches, 0), weights, "spread")
    fine = convolve(x, weights, "fine", padding=1)
    for channel, row in np.ndindex(len(fine), BINS):
        fine[channel, row::BINS] += spread[channel * BINS + row]
    joint = convolve(np.maximum(fine, 0), weights, "joint", padding=1)
    return convolve(np.maximum(joint, 0), weights, "mask")


def convolve(x: np.ndarray, weights: Weights, name: str, stride: int = 1, padding: int = 0, dilation: int = 1) -> np.ndarray:
    """Correlate (C, F, L) with taps (C', C, K, K'), the last of which is at the frame itself."""
    taps, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    past = (taps.shape[3] - 1) * dilation
    around = np.pad(x, ((0, 0), (padding, padding), (past, 0)))
    rows = (around.shape[1] - taps.shape[2]) // stride + 1
    y = np.zeros((len(taps), rows, x.shape[2])) + bias[:, None, None]
    for i, j in np.ndindex(taps.shape[2:]):
        part = around[:, i::stride, j * dilation :][:, :rows, : x.shape[2]]
        y += np.einsum("oc,cfl->ofl", taps[:, :, i, j], part)
    return y
