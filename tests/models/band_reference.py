"""The band network once more in NumPy, for one short signal and a known edge: transforms frame by frame, means as sums."""

from collections.abc import Mapping
from math import erf

import numpy as np

Weights = Mapping[str, np.ndarray]
FLOOR, CLAMP = 1e-7, 6.0


def restored(signal: np.ndarray, noise: np.ndarray, weights: Weights, blocks: int, fft: int, edge: float) -> np.ndarray:
    """Return y of a signal (T,) whose given band ends at an edge in bins, from the weights by their names."""
    spectrum = transform(signal, fft)
    count, frames = spectrum.shape
    power = averaged((np.abs(spectrum) ** 2).mean(axis=0)[None], 0, 16)
    said = (
        estimate(np.log(np.abs(spectrum) ** 2 / power + FLOOR) / 2, weights, blocks).reshape(frames, 5, count).transpose(1, 2, 0)
    )
    band = np.where(np.arange(count)[:, None] <= edge, spectrum, 0)
    offered = [transform(noise, fft) * np.sqrt(power), transform(np.abs(signal), fft)]
    for times in (1, 2):
        shift = int(4 * np.round(times * edge / 4))
        offered.append(np.concatenate([np.zeros((shift, frames)), band])[:count])
    added = 0
    for k, each in enumerate(offered):
        flat = each / np.sqrt(averaged(np.abs(each) ** 2, 8, 2) + FLOOR * power)
        added = added + 20 * weights["gates"][k][:, None] * np.exp(np.minimum(said[1 + k], CLAMP)) * flat
    loudness = np.sqrt(power * envelope(np.abs(spectrum) ** 2 / power, edge))
    change = spectrum * (np.exp(np.minimum(said[0], CLAMP)) - 1) + loudness * added
    return signal + high_part(back(change, fft, len(signal)), edge / fft, 4 / fft, fft)


def envelope(power: np.ndarray, edge: float) -> np.ndarray:
    """Go on above an edge as a line falls in the logarithms of frequency and power; its slope by least squares over the bins'
    logarithmic widths."""
    place = np.log(np.maximum(np.arange(len(power)), 1) / edge)
    level = np.log(np.maximum(averaged(power, 0, 2), 1e-10))
    low, middle, high = np.log([0.25, 0.5, 0.8])
    sloped, leveled = (place >= low) & (place <= high), (place >= middle) & (place <= high)
    slope = np.polyfit(place[sloped], level[sloped].mean(axis=1), 1, w=np.arange(len(power))[sloped] ** -0.5)[0]
    slope = np.clip(slope, -4, 0)
    return np.exp((level - slope * place[:, None])[leveled].mean(axis=0) + slope * place[:, None])


def estimate(heard: np.ndarray, weights: Weights, blocks: int) -> np.ndarray:
    """Return what the network says, (L, 7 F), of log spectra (F, L)."""
    around = np.pad(heard, ((0, 0), (1, 1)))
    taps = weights["listen.weight"]
    x = sum(around[:, k : k + heard.shape[1]].T @ taps[:, :, k].T for k in range(3)) + weights["listen.bias"]
    for block in range(blocks):
        name = f"blocks.{block}"
        taps = weights[f"{name}.near.weight"][:, 0]
        half = taps.shape[1] // 2
        around = np.pad(x, ((half, half), (0, 0)))
        near = sum(around[k : k + len(x)] * taps[:, k] for k in range(2 * half + 1)) + weights[f"{name}.near.bias"]
        wide = linear(normal(near, weights, f"{name}.norm"), weights, f"{name}.widen")
        x = x + linear(wide * (1 + np.vectorize(erf)(wide / np.sqrt(2))) / 2, weights, f"{name}.narrow")
    return linear(normal(x, weights, "norm"), weights, "say")


def linear(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Return x W^T + b."""
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def normal(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Bring every row to mean 0 and variance 1, then scale and shift."""
    apart = x - x.mean(axis=1, keepdims=True)
    return apart / np.sqrt((apart**2).mean(axis=1, keepdims=True) + 1e-5) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def averaged(x: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return means of (F, L) over so many rows and columns to either side, of those that there are."""
    y = np.zeros_like(x)
    for row, column in np.ndindex(x.shape):
        y[row, column] = x[max(0, row - rows) : row + rows + 1, max(0, column - columns) : column + columns + 1].mean()
    return y


def window_of(fft: int) -> np.ndarray:
    """Return the periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)


def transform(signal: np.ndarray, fft: int) -> np.ndarray:
    """Return the bins (F, L) of frames centered on every quarter of a frame, with silence around."""
    around = np.concatenate([np.zeros(fft // 2), signal, np.zeros(fft // 2)])
    starts = range(0, len(signal) + 1, fft // 4)
    return np.stack([np.fft.rfft(window_of(fft) * around[start:][:fft]) for start in starts], axis=1)


def back(bins: np.ndarray, fft: int, samples: int) -> np.ndarray:
    """Return the signal nearest to bins (F, L)."""
    total, weight = np.zeros((2, samples + fft))
    for frame, start in enumerate(range(0, samples + 1, fft // 4)):
        total[start:][:fft] += window_of(fft) * np.fft.irfft(bins[:, frame], fft)
        weight[start:][:fft] += window_of(fft) ** 2
    return (total / np.maximum(weight, 1e-12))[fft // 2 :][:samples]


def high_part(signal: np.ndarray, edge: float, fade: float, padding: int) -> np.ndarray:
    """Return what lies above an edge, which and a fade are in cycles per sample."""
    length = len(signal) + padding + len(signal) % 2
    frequency = np.abs(np.fft.fftfreq(length))
    gain = np.sin(np.pi / 2 * np.clip((frequency - edge) / fade, 0, 1)) ** 2
    return np.real(np.fft.ifft(gain * np.fft.fft(signal, length)))[: len(signal)]
