"""What the estimate after step t of T is trained towards, and how much every step counts.

With a clean signal s, its corruption x and "noise" n = x - s whatever the corruption, and progress p = t / T:

    schedule   x - p^2 n: the noise goes, slowly at first (StackExchange question on recurrent denoising)
    clean      s at every step (recurrent inference machines, arXiv 1706.04008)
    band       x without n below a frequency that rises with p: an ever higher resolution

Under a squared error the schedule weighs what is left of the noise by p^4: the first half of the steps carries 3 % of the loss.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Targets = Callable[[Tensor, Tensor, float], Tensor]
"""Maps clean (B, C, T), corrupted (B, C, T) and progress t / T to a target (B, C, T): clean at progress 1."""

StepWeights = Callable[[float], float]
"""Maps progress t / T to the weight of step t."""

LARGEST_RELATIVE_WEIGHT = 100.0
TRANSITION = 1 / 32
"""Of the Nyquist frequency: how wide the edge of a rising band is."""


def schedule(clean: Tensor, corrupted: Tensor, progress: float) -> Tensor:
    """Return x - p^2 (x - s).

    >>> schedule(torch.tensor([1.0]), torch.tensor([5.0]), 0.5).item()
    4.0
    """
    return torch.lerp(corrupted, clean, progress**2)


def clean_always(clean: Tensor, corrupted: Tensor, progress: float) -> Tensor:
    """Return the clean signal."""
    return clean


class RisingBand:
    """Progressive super-resolution: what the corruption did is undone below a cut-off that rises to the Nyquist frequency.

    x - lowpass(x - s): a signal without anything above `start_hz` gains the band from there to the cut-off. The edge is a
    straight line over 1/32 of the Nyquist frequency, without phase.

    Args:
        sample_rate: in Hz.
        start_hz: the cut-off at progress 0, at most the Nyquist frequency.

    Raises:
        ValueError: if there is no such cut-off.
    """

    def __init__(self, sample_rate: int, start_hz: float) -> None:
        self.nyquist_hz = sample_rate / 2
        if not 0 <= start_hz < self.nyquist_hz:
            raise ValueError(f"model.band_start_hz={start_hz} must lie between 0 and {self.nyquist_hz:g} Hz (Nyquist)")
        self.start_hz = start_hz

    def cutoff_hz(self, progress: float) -> float:
        """Return the frequency up to which everything is restored."""
        return self.start_hz + progress * (self.nyquist_hz - self.start_hz)

    def __call__(self, clean: Tensor, corrupted: Tensor, progress: float) -> Tensor:
        """Return x - lowpass(x - s), all (B, C, T)."""
        samples = clean.shape[-1]
        spectrum = torch.fft.rfft((corrupted - clean).float(), 2 * samples)  # twice as long, so that nothing wraps around
        frequency_hz = torch.linspace(0, self.nyquist_hz, spectrum.shape[-1], device=clean.device)
        width_hz = TRANSITION * self.nyquist_hz
        gain = 1 - ((frequency_hz - self.cutoff_hz(progress)) / width_hz).clamp(0, 1)
        restorable: Tensor = torch.fft.irfft(gain * spectrum, 2 * samples)[..., :samples]
        return corrupted - restorable


def equal(progress: float) -> float:
    """Return 1, as published."""
    return 1.0


def relative(progress: float) -> float:
    """Return (T / t)^4, at most 100: under a squared error and the schedule, every step's relative error counts the same.

    >>> relative(0.5)
    16.0
    """
    return min(progress**-4, LARGEST_RELATIVE_WEIGHT)


def late(progress: float) -> float:
    """Return (t / T)^4: what a squared error does under the schedule, for losses that are relative by themselves (log_mse).

    >>> late(0.5)
    0.0625
    """
    return progress**4


def last(progress: float) -> float:
    """Return 1 for the last step and 0 for all others."""
    return 1.0 if progress == 1 else 0.0


STEP_WEIGHTS: Mapping[str, StepWeights] = {"equal": equal, "relative": relative, "late": late, "last": last}
TARGETS = ("schedule", "clean", "band")


def make_targets(name: str, sample_rate: int, band_start_hz: float) -> Targets:
    """Return the targets of a name.

    Args:
        name: schedule, clean or band.
        sample_rate: in Hz.
        band_start_hz: see `RisingBand`; of no effect on the others.

    Raises:
        ValueError: for an unknown name, or a cut-off that the sample rate does not have.
    """
    if name not in TARGETS:
        raise ValueError(f"model.targets={name}; known: {', '.join(TARGETS)}")
    known: dict[str, Targets] = {"schedule": schedule, "clean": clean_always, "band": RisingBand(sample_rate, band_start_hz)}
    return known[name]


def find_step_weights(name: str) -> StepWeights:
    """Return the step weights of a name.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in STEP_WEIGHTS:
        raise ValueError(f"model.step_weights={name}; known: {', '.join(STEP_WEIGHTS)}")
    return STEP_WEIGHTS[name]
