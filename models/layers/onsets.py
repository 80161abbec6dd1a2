"""Sudden sounds: where they set in, and how what was there before might have gone on without them.

A filter that looks ahead hears a sudden sound coming and opens before it: noise is left in front of it, its pre-echo. Where the
sound before is steady, what comes tells nothing about it, and it is filtered as if nothing came.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from models.layers.mask_features import LEAST_POWER
from models.layers.stft import mirrored

RISE = 10.0
"""Least ratio of the power after an onset to that before it."""
AFTER_SECONDS, BEFORE_SECONDS = 0.002, 0.016
"""About, that these powers are means of; at a low rate of 8 and 64 samples, as fewer rise by chance."""
APART_SECONDS = 0.1
"""About: of two onsets that are nearer to one another, the smaller rise is none."""
QUIET_SECONDS = 0.06
"""That sound has been no louder for than just before an onset: what is shorter becomes a hum when it is repeated."""
GONE_ON_SECONDS = 0.75
"""About: how long a signal goes on without what has set in, or half-way to the next onset."""
FADE_SECONDS = 0.01
"""From one into the other, of what is put together."""
LED_UP_SECONDS = 0.25
"""Before an onset, or half-way from the one before: where a look ahead hears it coming."""
STEADY = 2.5
"""Up to this many times the least power of the last moments sound is steady: a soft consonant before a vowel is not."""
FAR = 2**30
"""Of a place that is not there, in samples."""


class Onsets:
    """Find where sudden sounds set in, and let a signal go on without them.

    Args:
        sample_rate: in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.after, self.before = doublings_of(AFTER_SECONDS * sample_rate, 3), doublings_of(BEFORE_SECONDS * sample_rate, 6)
        self.apart, self.gone_on = (doublings_of(length * sample_rate) for length in (APART_SECONDS, GONE_ON_SECONDS))
        seconds = (FADE_SECONDS, LED_UP_SECONDS, QUIET_SECONDS)
        self.fade_samples, self.led_up_samples, self.least_quiet_samples = (max(1, round(each * sample_rate)) for each in seconds)

    def find(self, signal: Tensor) -> Tensor:
        """Return whether a sound sets in at a sample: the power rises by 10 dB, more than anywhere near, and behind a quiet time.

        Args:
            signal: (N, T), at level 1.

        Returns:
            (N, T), of bool.
        """
        future = joined(functional.pad(signal.square(), (0, 2**self.after - 1)), self.after, torch.add) / 2**self.after
        power = self.past_power(signal)
        rise: Tensor = (future + LEAST_POWER) / power
        near = functional.pad(rise, (2**self.apart - 1, 2**self.apart))
        found = (rise == joined(near, self.apart + 1, torch.maximum)) & (rise > RISE)
        return found & (self.quiet_samples_before(power, found) >= self.least_quiet_samples)

    def without(self, signal: Tensor, onsets: Tensor) -> tuple[Tensor, Tensor]:
        """Let a signal go on behind its onsets as it was before them, and tell where it steadily leads up to one.

        Args:
            signal: (N, T), at level 1.
            onsets: (N, T), of bool, as found in it.

        Returns:
            The signal without the onsets, and weights from 0 to 1 of what becomes of it, as against the given one: (N, T) each.
        """
        power, place = self.past_power(signal), torch.arange(signal.shape[-1], device=signal.device)
        last, following = last_place(onsets, self.gone_on), next_place(onsets, self.gone_on)
        since, until = place - last, following - place
        gone_on = (since < 2**self.gone_on) & (since < until)
        lag = self.quiet_samples_before(power, onsets).gather(-1, last.clamp_min(0))
        calm = torch.where(gone_on, self.as_before(signal, last, lag), signal)
        led_up = (until <= self.led_up_samples) & (until <= since) & self.steady_until(power, following)
        begun = place - last_place(~led_up, self.gone_on)
        return calm, (begun / self.fade_samples).clamp(0, 1)

    def as_before(self, signal: Tensor, last: Tensor, lag: Tensor) -> Tensor:
        """Return what goes on since the last onset: the mirror image of what was before, which soon turns into its repetition.

        A mirror image alone looks like a tone to whoever compares phases; a repetition alone does not join.

        Args:
            signal: (N, T).
            last: (N, T), places of the last onsets.
            lag: (N, T), samples before them that are repeated.

        Returns:
            (N, T), with any values where there is no such onset.
        """
        since = torch.arange(signal.shape[-1], device=signal.device) - last
        lag = lag.clamp(1, 2**self.gone_on)
        places = (last - 1 - since, last - lag + since % lag)
        mirror_image, repetition = (signal.gather(-1, where.clamp(0, signal.shape[-1] - 1)) for where in places)
        turn = torch.pi / 2 * (since / self.fade_samples).clamp(0, 1)
        return turn.cos() * mirror_image + turn.sin() * repetition

    def quiet_samples_before(self, power: Tensor, onsets: Tensor) -> Tensor:
        """Return for how long powers (N, T) have been no larger than just before the onset that follows: (N, T), in samples."""
        place = torch.arange(power.shape[-1], device=power.device)
        following = next_place(onsets, self.gone_on).clamp_max(power.shape[-1] - 1)
        loud = power > STEADY * power.gather(-1, following)
        quiet = torch.minimum(place + 1, place - last_place(loud, self.gone_on))
        return functional.pad(quiet[..., :-1], (1, 0))

    def steady_until(self, power: Tensor, following: Tensor) -> Tensor:
        """Return whether powers (N, T) stay nearly as small as they have been, until places (N, T) that follow: (N, T)."""
        before = functional.pad(power, (2**self.gone_on - 1, 0), value=math.inf)
        unsteady = power > STEADY * joined(before, self.gone_on, torch.minimum)
        return ~unsteady & (next_place(unsteady, self.gone_on) >= following)

    def past_power(self, signal: Tensor) -> Tensor:
        """Return the mean powers (N, T) of what is just before every sample of (N, T), which begins as it is mirrored."""
        power: Tensor = joined(mirrored(signal, 2**self.before, -1).square(), self.before, torch.add) / 2**self.before
        return power + LEAST_POWER


def last_place(true: Tensor, doublings: int) -> Tensor:
    """Return where something was true last, among the 2^d places up to every one of (N, T): (N, T); far away where it never was.

    >>> last_place(torch.tensor([[False, True, False, True]]), 1).clamp_min(-1)
    tensor([[-1,  1,  1,  3]])
    """
    place = torch.arange(true.shape[-1], device=true.device)
    past = functional.pad(torch.where(true, place, -FAR), (2**doublings - 1, 0), value=-FAR)
    return joined(past, doublings, torch.maximum)


def next_place(true: Tensor, doublings: int) -> Tensor:
    """Return where something is true next, among the 2^d places behind every one of (N, T): (N, T); far away where it is nowhere.

    >>> next_place(torch.tensor([[False, True, False, True]]), 1).clamp_max(9)
    tensor([[1, 3, 3, 9]])
    """
    place = torch.arange(true.shape[-1], device=true.device)
    future = functional.pad(torch.where(true, place, FAR)[..., 1:], (0, 2**doublings), value=FAR)
    return joined(future, doublings, torch.minimum)


def joined(values: Tensor, doublings: int, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Join all 2^d values in a row.

    Args:
        values: (..., T), T at least 2^d.
        doublings: d.
        join: two into one, whatever their order.

    Returns:
        (..., T - 2^d + 1), from the first 2^d on.

    >>> joined(torch.tensor([1, 5, 2, 0, 3]), 2, torch.maximum)
    tensor([5, 5])
    """
    for apart in (2**doubling for doubling in range(doublings)):
        values = join(values[..., :-apart], values[..., apart:])
    return values


def doublings_of(samples: float, least: int = 1) -> int:
    """Return d of the power of two that is nearest to a length, by their ratio; at least some.

    >>> doublings_of(32.0), doublings_of(100.0), doublings_of(1.0)
    (5, 7, 1)
    """
    return max(least, round(math.log2(samples)))
