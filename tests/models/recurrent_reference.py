"""The recurrent denoiser once more in NumPy: frame by frame, patch by patch, step by step.

z_ij <- z_ij + F(X_ij, z_ij, the states of the 8 neighbors), Y = X - sum_ij w z_ij, with the settings of `models.conv_rnn`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Weights = Mapping[str, np.ndarray]
PATCH = 16
HALF = PATCH // 2


def hann(samples: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)


class Spectrum:
    """The short-time spectrum in which noise of variance 1 has variance 1 in both channels.

    Args:
        fft_samples: of the window.
        hop_samples: from frame to frame.
        magnitude: one channel of magnitudes in place of real and imaginary parts.
    """

    def __init__(self, fft_samples: int, hop_samples: int, magnitude: bool) -> None:
        self.fft, self.hop, self.magnitude = fft_samples, hop_samples, magnitude
        self.window = hann(fft_samples)
        self.scale = np.sqrt(2 / (self.window**2).sum())

    def transform(self, signal: np.ndarray) -> np.ndarray:
        """Return complex bins (F + 1, L) of frames centered on every hop, L the next multiple of 8."""
        frames = -(-(len(signal) // self.hop + 1) // HALF) * HALF
        frames += HALF if (frames - 1) * self.hop < len(signal) else 0
        around = np.zeros((frames - 1) * self.hop + self.fft)
        around[self.fft // 2 : self.fft // 2 + len(signal)] = signal
        return np.stack([np.fft.rfft(self.window * around[at * self.hop :][: self.fft]) for at in range(frames)], axis=1)

    def analyze(self, signal: np.ndarray) -> np.ndarray:
        """Return (C, F, L); the Nyquist bin travels as the imaginary part of that of 0 Hz, and is left out of magnitudes."""
        bins = self.scale * self.transform(signal)
        if self.magnitude:
            return np.abs(bins[None, :-1])
        imaginary = bins.imag[:-1].copy()
        imaginary[0] = bins.real[-1]
        return np.stack([bins.real[:-1], imaginary])

    def synthesize(self, values: np.ndarray, signal: np.ndarray) -> np.ndarray:
        """Return the signal of (C, F, L), by weighted overlap and add."""
        bins = np.zeros((self.fft // 2 + 1, values.shape[-1]), dtype=complex)
        if self.magnitude:
            bins[:-1] = values[0]
            bins *= np.exp(1j * np.angle(self.transform(signal)))
        else:
            bins[:-1] = values[0] + 1j * values[1]
            bins[0], bins[-1] = values[0, 0], values[1, 0]
        total, weight = np.zeros((2, (values.shape[-1] - 1) * self.hop + self.fft))
        for at in range(values.shape[-1]):
            place = slice(at * self.hop, at * self.hop + self.fft)
            total[place] += self.window * np.fft.irfft(bins[:, at] / self.scale)
            weight[place] += self.window**2
        middle = slice(self.fft // 2, self.fft // 2 + len(signal))
        return total[middle] / weight[middle]


def gains(weight: np.ndarray, place: float) -> np.ndarray:
    """Return 1 + sum_k a_k cos(pi k s) by channel."""
    return 1 + weight @ np.cos(np.pi * np.arange(weight.shape[1]) * place)


class Perceptron:
    """F, for one patch at a time.

    Args:
        weights: of the perceptron, by name.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def layer(self, name: str, x: np.ndarray) -> np.ndarray:
        y = self.weights[f"{name}.weight"].reshape(len(self.weights[f"{name}.weight"]), -1) @ x
        return y + self.weights.get(f"{name}.bias", 0)

    def first(self, patch: np.ndarray, frequency: float) -> np.ndarray:
        """Return the input's part of the first layer, for a place between 0 Hz and Nyquist."""
        pitch = np.log(1 + 50 * frequency) / np.log(51)
        return self.layer("patch", patch.ravel()) * gains(self.weights["by_frequency.weight"], pitch)

    def change(self, projection: np.ndarray, around: np.ndarray, time: float) -> np.ndarray:
        """Return F of a patch and the states (D, 3, 3) of its own and its neighbors."""
        hidden = np.maximum(projection + self.layer("neighbors", around.ravel()), 0)
        hidden = np.maximum(self.layer("middle", hidden * gains(self.weights["by_step.0.weight"], time)), 0)
        change = self.layer("last", hidden * gains(self.weights["by_step.1.weight"], time))
        if "gate.weight" not in self.weights:
            return change
        level = np.sqrt((hidden**2).mean()) or 1.0
        return change / (1 + np.exp(-self.layer("gate", hidden / level)))


def noise_of(
    weights: Weights, x: np.ndarray, readout: np.ndarray, times: list[float], share: float, literal: bool = False
) -> np.ndarray:
    """Return what is taken for noise in a spectrogram (C, F, L) after steps at given times, each by a share.

    Literally, F is the new state and not its change, and patches are added up without a window.
    """
    perceptron, around = Perceptron(weights), np.pad(x, ((0, 0), (HALF, HALF), (HALF, HALF)))
    rows, columns = x.shape[1] // HALF + 1, x.shape[2] // HALF + 1
    places = [(row, column) for row in range(rows) for column in range(columns)]
    patches = {at: around[:, HALF * at[0] :, HALF * at[1] :][:, :PATCH, :PATCH] for at in places}
    projections = {at: perceptron.first(patches[at], at[0] / (rows - 1)) for at in places}
    state = np.zeros((readout.shape[1], rows + 2, columns + 2))
    for time in times:
        before = state.copy()
        for row, column in places:
            near = before[:, row : row + 3, column : column + 3]
            kept = 0.0 if literal else near[:, 1, 1]
            state[:, row + 1, column + 1] = kept + share * perceptron.change(projections[row, column], near, time)
    noise, window = np.zeros_like(around), np.ones((PATCH, PATCH)) if literal else np.outer(hann(PATCH), hann(PATCH))
    for row, column in places:
        patch = (readout @ state[:, row + 1, column + 1]).reshape(-1, PATCH, PATCH)
        noise[:, HALF * row : HALF * row + PATCH, HALF * column : HALF * column + PATCH] += window * patch
    return noise[:, HALF:-HALF, HALF:-HALF]


def without_noise(signal: np.ndarray, spectrum: Spectrum, *noise_settings: Any) -> np.ndarray:
    """Return a signal (T,) without what is taken for noise when its level is 1."""
    level = np.sqrt((signal**2).mean())
    weights, *rest = noise_settings
    noise = noise_of(weights, spectrum.analyze(signal / level), *rest)
    return signal - level * spectrum.synthesize(noise, signal)
