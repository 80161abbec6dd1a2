"""Weighted prediction error: late reverberation is what the past predicts (Nakatani et al. 2010; Yoshioka and Nakatani 2012).

X[l] = Y[l] - sum over k from D to D + K - 1 of G[k]^H Y[l - k] in every bin, where G minimizes the sum over frames of |X[l]|^2,
each over its value of the iteration before. The package nara-wpe (Drude et al. 2018) computes it, on the CPU.
"""

from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from models.classical.frames import frame_samples
from models.layers import stft
from models.restorer import SegmentedRestorer, segments_of

PACKAGE = "nara_wpe"
FRAME_SECONDS = 0.032
FRAMES_PER_TAP = 4
"""Frames that there are to be for every tap; from fewer, prediction takes away the sound itself."""


class WPE(SegmentedRestorer):
    """Take away what delayed frames predict, all channels of an example together, of a segment of a long signal at a time."""

    identity_at_start = False
    level_free = True
    window: Tensor

    def __init__(self, sample_rate: int, taps: int = 10, delay: int = 3, iterations: int = 3) -> None:
        """Check that there is the package, and build the window.

        Args:
            sample_rate: rate of the signals in Hz.
            taps: frames that predict.
            delay: frames between these and the predicted one, which keep early reflections and the sound itself.
            iterations: of weights and filters.

        Raises:
            ValueError: if the package is not installed.
        """
        if find_spec(PACKAGE) is None:
            raise ValueError("model=wpe needs the package nara-wpe: pip install '.[dereverb]'")
        n_fft = frame_samples(FRAME_SECONDS, sample_rate)
        super().__init__(segments_of(sample_rate, n_fft // 4))
        self.taps, self.delay, self.iterations = taps, delay, iterations
        self.hop_samples = n_fft // 4
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Take away late reverberation.

        Args:
            corrupted: reverberant signal (B, C, T).

        Returns:
            Signal (B, C, T); one that is too short for the taps is returned as it is.
        """
        if corrupted.shape[-1] // self.hop_samples < FRAMES_PER_TAP * self.taps * corrupted.shape[1]:
            return corrupted.clone()
        return torch.stack([self._example(example) for example in corrupted.detach().cpu().float()]).to(corrupted)

    def _example(self, signal: Tensor) -> Tensor:
        """Restore one example (C, T) on the CPU."""
        from nara_wpe.wpe import wpe_v8

        window = self.window.cpu()
        spectra = stft.analyze(signal, window, self.hop_samples, edges="silent")
        bins = spectra.transpose(0, 1).to(torch.complex128).numpy()  # (bins, C, frames)
        dry = wpe_v8(np.ascontiguousarray(bins), taps=self.taps, delay=self.delay, iterations=self.iterations)
        restored = torch.from_numpy(dry).transpose(0, 1).to(torch.complex64)
        return stft.synthesize(restored, window, self.hop_samples, signal.shape[-1])
