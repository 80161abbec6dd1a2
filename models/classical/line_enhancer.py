"""The adaptive line enhancer (Widrow et al. 1975, Proc. IEEE 63(12)): what the past predicts is tone, the rest noise.

A filter predicts x[n] from x[n - D], ..., x[n - D - L + 1]; its prediction is what is restored. White noise is not predicted;
colored noise needs a delay D of its correlation time. Beginnings of sounds cannot be predicted either and are lost.
"""

from torch import Tensor
from torch.nn import functional

from models.classical.adaptive import AdaptiveFilter, AdaptiveRule, Lms, Nlms, Rls, predicted
from models.layers import stft
from models.layers.counts import check_count
from models.layers.mono_batch import from_mono_batch, to_mono_batch


class LineEnhancer(AdaptiveFilter):
    """Keep what a filter predicts; what it learns from first is a mirror image.

    Args:
        sample_rate: rate of the signals in Hz.
        rule: how the filter learns.
        length_seconds: L / rate.
        delay: D in samples.

    Raises:
        SettingError: if there is no such filter.
    """

    def __init__(self, sample_rate: int, rule: AdaptiveRule, length_seconds: float, delay: int) -> None:
        super().__init__(sample_rate, rule, length_seconds)
        check_count("@delay", delay)
        self.delay = delay

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Predict every sample.

        Args:
            corrupted: noisy signal (B, C, T); channels are treated one by one.

        Returns:
            Signal (B, C, T).
        """
        flat = stft.mirrored(to_mono_batch(corrupted, 1)[:, 0].float(), self.lead_samples, 0)
        regressors = functional.pad(flat, (self.delay + self.taps - 1, 0)).unfold(-1, self.taps, 1)[:, : flat.shape[-1]]
        restored = predicted(flat, regressors, self.rule)[:, None, self.lead_samples :]
        return from_mono_batch(restored, corrupted).to(corrupted.dtype)


class LmsLineEnhancer(LineEnhancer):
    """A line enhancer with steps of one size.

    Args:
        sample_rate: rate of the signals in Hz.
        step: mu, from 0 to below 2.
        length_seconds: of the filter.
        delay: in samples.
    """

    def __init__(self, sample_rate: int, step: float = 0.02, length_seconds: float = 0.016, delay: int = 1) -> None:
        super().__init__(sample_rate, Lms(step), length_seconds, delay)


class NlmsLineEnhancer(LineEnhancer):
    """A line enhancer with steps that follow the level; see `LmsLineEnhancer`."""

    def __init__(self, sample_rate: int, step: float = 0.02, length_seconds: float = 0.016, delay: int = 1) -> None:
        super().__init__(sample_rate, Nlms(step), length_seconds, delay)


class RlsLineEnhancer(LineEnhancer):
    """A line enhancer of least squares.

    Args:
        sample_rate: rate of the signals in Hz.
        memory_seconds: in which the past is forgotten by 1/e.
        length_seconds: of the filter.
        delay: in samples.
    """

    def __init__(self, sample_rate: int, memory_seconds: float = 0.5, length_seconds: float = 0.008, delay: int = 1) -> None:
        super().__init__(sample_rate, Rls(memory_seconds * sample_rate), length_seconds, delay)
