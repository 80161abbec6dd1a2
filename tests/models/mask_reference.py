"""The mask network once more in NumPy, for one short signal: features bin by bin, convolutions as sums over their taps."""

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]
BINS, FRAMES = 8, 4


def restored(signal: np.ndarray, weights: Weights, blocks: int, fft: int, hop: int) -> np.ndarray:
    """Return x + istft(M X) of a signal (T,), M from the weights by their names."""
    level = np.sqrt((signal**2).mean())
    length = -(-(len(signal) + hop) // (FRAMES * hop)) * FRAMES * hop - hop
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)
    around = np.zeros(length + fft)
    around[fft // 2 : fft // 2 + len(signal)] = signal / level
    frames = length // hop + 1
    bins = np.stack([np.fft.rfft(window * around[at * hop :][:fft]) for at in range(frames)], axis=1)
    real, imaginary = mask(features(bins, hop)[:, :-1], weights, blocks)
    changed = np.concatenate([(real + 1j * imaginary) * bins[:-1], np.zeros((1, frames))])
    total, weight = np.zeros((2, len(around)))
    for at in range(frames):
        total[at * hop :][:fft] += window * np.fft.irfft(changed[:, at], fft)
        weight[at * hop :][:fft] += window**2
    return signal + level * (total / np.maximum(weight, 1e-12))[fft // 2 :][: len(signal)]


def features(bins: np.ndarray, hop: int) -> np.ndarray:
    """Return the seven features (7, F, L) of bins (F, L)."""
    count, frames = bins.shape
    height = np.log(np.abs(bins) ** 2 + 1e-14) / 2
    smooth = np.stack([height[max(0, k - 4) : k + 5].mean(axis=0) for k in range(count)])
    floor = np.sort(smooth, axis=1)[:, int(np.ceil(0.1 * frames)) - 1]
    found = np.zeros((7, count, frames))
    found[0], found[1] = (height - floor[:, None]) / 2, (height - floor.mean()) / 2
    angles, sound = np.angle(bins), np.abs(bins) > 1e-9
    expected = np.pi * np.arange(count) / (count - 1) * hop
    advance = angles[:, 1:] - angles[:, :-1] - expected[:, None]
    step = angles[1:] - angles[:-1] + np.pi
    in_both, in_all = sound[:, 1:] & sound[:, :-1], sound[1:] & sound[:-1]
    found[2, :, :-1], found[3, :, :-1] = np.cos(advance) * in_both, np.sin(advance) * in_both
    found[4, :-1], found[5, :-1] = np.cos(step) * in_all, np.sin(step) * in_all
    found[6] = np.linspace(-1, 1, count)[:, None]
    return found


def mask(x: np.ndarray, weights: Weights, blocks: int) -> np.ndarray:
    """Return the mask (2, F, L) of features (7, F, L)."""
    patches = convolve(x, weights, "patches", (BINS, FRAMES), (BINS // 2, FRAMES // 2))
    for block in range(blocks):
        name = f"blocks.{block}"
        near = convolve(patches, weights, f"{name}.near", padding=(1, 1))
        always = convolve(patches.mean(axis=2, keepdims=True), weights, f"{name}.always", padding=(1, 0))
        patches = patches + convolve(np.maximum(near + always, 0), weights, f"{name}.out")
    spread = convolve(np.maximum(patches, 0), weights, "spread")
    fine = convolve(x, weights, "fine", padding=(1, 1))
    for channel, row, column in np.ndindex(len(fine), BINS, FRAMES):
        fine[channel, row::BINS, column::FRAMES] += spread[(channel * BINS + row) * FRAMES + column]
    joint = convolve(np.maximum(fine, 0), weights, "joint", padding=(1, 1))
    return convolve(np.maximum(joint, 0), weights, "mask")


def convolve(
    x: np.ndarray, weights: Weights, name: str, stride: tuple[int, int] = (1, 1), padding: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Correlate (C, F, L) with taps (C', C, K, K'), with zeros around."""
    taps, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    around = np.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    rows = (around.shape[1] - taps.shape[2]) // stride[0] + 1
    columns = (around.shape[2] - taps.shape[3]) // stride[1] + 1
    y = np.zeros((len(taps), rows, columns)) + bias[:, None, None]
    for i, j in np.ndindex(taps.shape[2:]):
        part = around[:, i :: stride[0], j :: stride[1]][:, :rows, :columns]
        y += np.einsum("oc,cfl->ofl", taps[:, :, i, j], part)
    return y
