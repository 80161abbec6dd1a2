"""The mask network once more in NumPy, for one short signal: features bin by bin, convolutions as sums over their taps."""

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]
BINS, FRAMES = 8, 4


def restored(
    signal: np.ndarray, weights: Weights, blocks: int, frames: tuple[int, int], short: tuple[int, int], alone: int
) -> np.ndarray:
    """Return what becomes of a signal (T,); `frames` and `short` are length and hop of the long and the short frames."""
    level = np.sqrt((signal**2).mean())
    given, (fft, hop) = signal / level, frames
    filled = -(-(len(signal) + hop) // (FRAMES * hop)) * FRAMES * hop - hop
    bins = spectrum(np.pad(given, (fft // 2, filled - len(given) + fft // 2), mode="reflect"), fft, hop)
    real, imaginary = (each[row_of_bin(len(bins) - 1, alone)] for each in mask(features(bins, hop, alone), weights, blocks))
    found = overlapped(np.concatenate([(real + 1j * imaginary) * bins[:-1], np.zeros((1, bins.shape[1]))]), fft, hop)[
        : len(given)
    ]
    if "gain_stage.gains.weight" in weights:
        found = found + second_look(given, given + found, weights, *short)
    restored: np.ndarray = signal + level * found * unbounded(found, given)
    return restored


def second_look(given: np.ndarray, first: np.ndarray, weights: Weights, fft: int, hop: int) -> np.ndarray:
    """Return istft(G Y + H X) for x and y, (T,) each."""
    around = (fft // 2, -len(given) % hop + fft // 2)
    x, y = (spectrum(np.pad(signal, around), fft, hop) for signal in (given, first))
    heights = [np.log(np.abs(each) ** 2 + 1e-10) / 2 for each in (x, y)]
    sound = np.abs(x * y) > 1e-9
    turned = np.angle(y) - np.angle(x)
    found = np.zeros((5, *x.shape))
    found[0] = (heights[0] - floor_of(heights[0].mean(axis=0)[None], 256)) / 2
    found[1] = np.clip(heights[1] - heights[0], -4, 4) / 2
    found[2], found[3] = np.cos(turned) * sound, np.sin(turned) * sound
    found[4] = np.linspace(-1, 1, len(x))[:, None]
    near = np.maximum(convolve(found, weights, "gain_stage.first", padding=(1, 2)), 0)
    far = np.maximum(convolve(near, weights, "gain_stage.second", padding=(1, 12), apart=6), 0)
    gains = convolve(far, weights, "gain_stage.gains")
    return overlapped(gains[0] * y + gains[1] * x, fft, hop)[: len(given)]


def unbounded(change: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return by sample what is left of a change: all where it is below 1.1 times the signal, nothing above 1.5 times."""
    energies = [np.pad(signal, 511, mode="reflect") ** 2 for signal in (change, given)]
    left = np.zeros(len(given))
    for at in range(len(given)):
        sums = [[energy[at : at + 512].sum(), energy[at + 511 : at + 1023].sum()] for energy in energies]
        left[at] = np.clip((1.5 - np.sqrt(np.max(np.array(sums[0]) / np.array(sums[1])))) / 0.4, 0, 1)
    return left


def spectrum(signal: np.ndarray, fft: int, hop: int) -> np.ndarray:
    """Return the spectra (F, L) of all frames of a signal (T,)."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)
    starts = range(0, len(signal) - fft + 1, hop)
    return np.stack([np.fft.rfft(window * signal[start:][:fft]) for start in starts], axis=1)


def overlapped(bins: np.ndarray, fft: int, hop: int) -> np.ndarray:
    """Return the signal (T,) of bins (F, L), the first frame being centered on its first sample."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)
    total, weight = np.zeros((2, (bins.shape[1] - 1) * hop + fft))
    for at in range(bins.shape[1]):
        total[at * hop :][:fft] += window * np.fft.irfft(bins[:, at], fft)
        weight[at * hop :][:fft] += window**2
    signal: np.ndarray = total / np.maximum(weight, 1e-12)
    return signal[fft // 2 :]


def row_of_bin(bins: int, alone: int) -> list[int]:
    """Return which row every bin is in: the first ones have one each, then eight have one."""
    return [k if k < alone else alone + (k - alone) // 8 for k in range(bins)]


def features(bins: np.ndarray, hop: int, alone: int) -> np.ndarray:
    """Return the seven features (7, R, L) of bins (F, L)."""
    single, rows = features_of_bins(bins, hop, alone + 1), np.array(row_of_bin(len(bins) - 1, alone))
    power, numbers = np.abs(bins) ** 2, range(alone, rows[-1] + 1)
    shared = np.zeros((7, len(numbers), bins.shape[1]))
    if numbers:
        height = np.array([np.log(power[:-1][rows == row].mean(axis=0) + 1e-10) / 2 for row in numbers])
        shared[0] = (height - floor_of(height, 32)) / 2
        shared[1] = single[1, 0] + (height - np.log(power[0] + 1e-10) / 2) / 2
        shared[6] = (2 * np.array(numbers) / alone - 1)[:, None]
    found: np.ndarray = np.concatenate([single[:, :alone], shared], axis=1)
    return found


def features_of_bins(every_bin: np.ndarray, hop: int, count: int) -> np.ndarray:
    """Return the seven features (7, F, L) of the first ones of bins (F', L)."""
    bins = every_bin[:count]
    height = np.log(np.abs(bins) ** 2 + 1e-10) / 2
    smooth = np.stack([height[max(0, k - 4) : k + 5].mean(axis=0) for k in range(0, count, 8)])
    floor = np.repeat(floor_of(smooth, 32), 8, axis=0)[:count]
    found = np.zeros((7, *bins.shape))
    found[0], found[1] = (height - floor) / 2, (height - floor.mean(axis=0)) / 2
    angles, sound = np.angle(bins), np.abs(bins) > 1e-9
    expected = np.pi * np.arange(count) / (len(every_bin) - 1) * hop
    advance = angles[:, 1:] - angles[:, :-1] - expected[:, None]
    step = angles[1:] - angles[:-1] + np.pi
    in_both, in_all = sound[:, 1:] & sound[:, :-1], sound[1:] & sound[:-1]
    found[2, :, :-1], found[3, :, :-1] = np.cos(advance) * in_both, np.sin(advance) * in_both
    found[4, :-1], found[5, :-1] = np.cos(step) * in_all, np.sin(step) * in_all
    found[6] = np.linspace(-1, 1, count)[:, None]
    return found


def floor_of(rows: np.ndarray, most: int) -> np.ndarray:
    """Return the floors (R, L) of rows (R, L): of some frames up to each or from each on."""
    length = rows.shape[1]
    frames = min(most, length)
    found = np.zeros_like(rows)
    for at in range(length):
        starts = max(0, at - frames + 1), min(at, length - frames)
        past, future = (np.sort(rows[:, start:][:, :frames])[:, int(np.ceil(0.1 * frames)) - 1] for start in starts)
        low, high = sorted((past, future), key=np.mean)
        found[:, at] = high if high.mean() <= rows[:, at].mean() + 0.5 else low
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
    x: np.ndarray,
    weights: Weights,
    name: str,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    apart: int = 1,
) -> np.ndarray:
    """Correlate (C, F, L) with taps (C', C, K, K'), the columns `apart` from each other, with zeros around."""
    taps, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    around = np.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    rows = (around.shape[1] - taps.shape[2]) // stride[0] + 1
    columns = (around.shape[2] - apart * (taps.shape[3] - 1) - 1) // stride[1] + 1
    y = np.zeros((len(taps), rows, columns)) + bias[:, None, None]
    for i, j in np.ndindex(taps.shape[2:]):
        part = around[:, i :: stride[0], apart * j :: stride[1]][:, :rows, :columns]
        y += np.einsum("oc,cfl->ofl", taps[:, :, i, j], part)
    return y
