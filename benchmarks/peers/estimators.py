"""Peers without weights: noisereduce and logmmse."""

import numpy as np

from .peer import Peer, Signal


class AtOnce(Peer):
    """A peer that works at any rate."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self.rate_hz = sample_rate


class NoiseReduce(AtOnce):
    """Spectral gating by the package noisereduce, with its defaults."""

    package = "noisereduce"

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        from noisereduce import reduce_noise

        found: Signal = reduce_noise(y=noisy, sr=self.rate_hz)
        return found


class LogMMSE(AtOnce):
    """Minimum mean squared error of log amplitudes (Ephraim and Malah 1985) by the package logmmse, with its defaults."""

    package = "logmmse"

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        with np.errstate():  # the package makes every warning of NumPy an error, for everybody
            from logmmse import logmmse

        whole = (np.clip(noisy, -1, 1) * 32767).astype(np.int16)
        found: Signal = logmmse(whole, self.rate_hz, output_file=None).astype(np.float32) / 32768
        return found
