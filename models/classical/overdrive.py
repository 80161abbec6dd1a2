"""The inverse of an overdrive: the controls of its removal, blind at one gain and told the true one.

The overdrive of SoX and of torchaudio makes y = x / 2 + 3 / 4 h * f(g x + c) of a signal x. The curve f(u) = u - u^3 / 3 is
held at +-2/3 beyond +-1, g is the gain, c = colour / 200, and the filter h, H(z) = (1 - z^-1) / (1 - 0.995 z^-1), takes away the
offset that c brings. The static curve x / 2 + 3 / 4 (f(g x + c) - f(c)) only rises, so it has one inverse; what the filter took
away, w - h * w = 0.005 sum over n >= 1 of 0.995^(n - 1) w[t - n], is estimated from that, and added before it is inverted again.
"""

import math

import torch
from torch import Tensor

from models.restorer import Restorer

POLE = 0.995
TAPS = 2048
"""Of the filter, after which it has fallen by 89 dB."""
HIGHEST_GAIN_DB = 60.0
STEPS_DB = (6.0, 1.2, 0.24, 0.05, 0.01)
"""In which the true gain is looked for, each around the best of the one before."""


class OverdriveInverse(Restorer):
    """Undo an overdrive of one gain."""

    identity_at_start = False
    filter: Tensor

    def __init__(self, gain_db: float = 17.5, colour: float = 20.0, rounds: int = 20) -> None:
        """Set what is undone.

        Args:
            gain_db: of the overdrive.
            colour: of the overdrive, 0 to 100.
            rounds: how often what the filter took away is estimated; 0 inverts the static curve alone.

        Raises:
            ValueError: if the gain or colour is out of range, or there are less than 0 rounds.
        """
        if not (0 <= gain_db <= HIGHEST_GAIN_DB and 0 <= colour <= 100 and rounds >= 0):
            limits = f"gain_db must be from 0 to {HIGHEST_GAIN_DB:g}, colour from 0 to 100, rounds at least 0"
            raise ValueError(f"{limits}; got {gain_db}, {colour} and {rounds}")
        super().__init__()
        self.gain_db, self.offset, self.rounds = gain_db, colour / 200, rounds
        taps = (1 - POLE) * POLE ** torch.arange(TAPS, dtype=torch.float64)
        self.register_buffer("filter", taps.float(), persistent=False)

    @property
    def reach_samples(self) -> float:
        """The filter, once in each round; of what lies behind four lengths of it less than a millionth is left."""
        return min(self.rounds, 4) * TAPS

    def forward(self, corrupted: Tensor) -> Tensor:
        """Undo the overdrive.

        Args:
            corrupted: overdriven signal (B, C, T), from the beginning of what was overdriven.

        Returns:
            Signal (B, C, T).
        """
        gains_db = torch.full((len(corrupted), 1, 1), self.gain_db, device=corrupted.device)
        return self.undone(corrupted.float(), gains_db).to(corrupted.dtype)

    def undone(self, corrupted: Tensor, gains_db: Tensor) -> Tensor:
        """Undo overdrives of the given gains.

        Args:
            corrupted: (B, C, T) in single precision.
            gains_db: (B, 1, 1).

        Returns:
            Signal (B, C, T).
        """
        gain = 10 ** (gains_db / 20)
        restored = self._inverse(corrupted, gain)
        for _ in range(self.rounds):
            taken = self.taken_by_filter(curve(gain * restored + self.offset)) - _curve_at(self.offset)
            restored = self._inverse(corrupted + 0.75 * taken, gain)
        return restored

    def overdriven(self, clean: Tensor, gains_db: Tensor) -> Tensor:
        """Return what an overdrive makes of signals (B, C, T) with gains (B, 1, 1), in single precision."""
        bent = curve(10 ** (gains_db / 20) * clean + self.offset)
        return (0.5 * clean + 0.75 * (bent - self.taken_by_filter(bent))).clamp(-1, 1)

    def taken_by_filter(self, bent: Tensor) -> Tensor:
        """Return what the filter takes away of signals (B, C, T) before which there is nothing."""
        samples = -(-(bent.shape[-1] + TAPS) // 4096) * 4096
        spectrum = torch.fft.rfft(bent, n=samples) * torch.fft.rfft(self.filter, n=samples)
        taken: Tensor = torch.fft.irfft(spectrum, n=samples)[..., : bent.shape[-1]]
        return torch.nn.functional.pad(taken, (1, 0))[..., : bent.shape[-1]]

    def _inverse(self, corrupted: Tensor, gain: Tensor) -> Tensor:
        """Return the inverse of the static curve, (B, C, T).

        Between its ends u = g x + c solves p u - u^3 = q with p = 3 + 2 / g and q = 2 c / g + 3 f(c) + 4 y, which is
        p a / 3 sin(3 t) = q for u = a sin(t), a^2 = 4 p / 3.
        """
        steepness = 3 + 2 / gain
        size = (4 * steepness / 3).sqrt()
        height = 2 * self.offset / gain + 3 * _curve_at(self.offset) + 4 * corrupted
        turn = (3 * height / (steepness * size)).clamp(-1, 1).asin() / 3
        inverse = (size * turn.sin() - self.offset) / gain
        for end in (-1, 1):
            held = 2 * corrupted - 1.5 * (end * 2 / 3 - _curve_at(self.offset))
            inverse = torch.where(end * (gain * held + self.offset) >= 1, held, inverse)
        return inverse


class OverdriveInverseOracle(OverdriveInverse):
    """Undo an overdrive whose gain is told by the clean signal: the bound for the blind one, not a restorer."""

    def __init__(self, colour: float = 20.0, rounds: int = 20) -> None:
        """Set what is undone; see `OverdriveInverse`."""
        super().__init__(0.0, colour, rounds)

    @property
    def reach_samples(self) -> float:
        """The gain is that of the whole signal."""
        return math.inf

    def restore_with_clean(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Undo the overdrive of the gain that explains the corrupted signal best.

        Args:
            corrupted: overdriven signal (B, C, T).
            clean: the same signal before it (B, C, T).

        Returns:
            Signal (B, C, T).
        """
        gains_db = self.true_gains_db(corrupted.float(), clean.float())
        return self.undone(corrupted.float(), gains_db).to(corrupted.dtype)

    def true_gains_db(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Return the gain of each example, (B, 1, 1), to 0.01 dB: that with the least squared error of the overdriven signal."""
        best = torch.full((len(clean), 1, 1), HIGHEST_GAIN_DB / 2, device=clean.device)
        width = HIGHEST_GAIN_DB / 2
        for step in STEPS_DB:
            tried = torch.arange(-round(width / step), round(width / step) + 1, device=clean.device) * step
            gains_db = (best + tried).clamp(0, HIGHEST_GAIN_DB).unbind(-1)
            errors = [self._error(corrupted, clean, gain_db[..., None]) for gain_db in gains_db]
            choice = torch.cat(errors, dim=-1).argmin(-1, keepdim=True)  # (B, 1, 1)
            best = torch.stack(gains_db, dim=-1).gather(-1, choice)
            width = step
        return best

    def _error(self, corrupted: Tensor, clean: Tensor, gains_db: Tensor) -> Tensor:
        """Return the squared error of the overdriven signal, (B, 1, 1)."""
        return (self.overdriven(clean, gains_db) - corrupted).square().mean(dim=(1, 2), keepdim=True)


def curve(signal: Tensor) -> Tensor:
    """Bend a signal: u - u^3 / 3, held at its ends +-2/3 beyond +-1.

    >>> curve(torch.tensor([0.0, 0.3, 1.0, -5.0]))
    tensor([ 0.0000,  0.2910,  0.6667, -0.6667])
    """
    held = signal.clamp(-1, 1)
    return held - held**3 / 3


def _curve_at(level: float) -> float:
    """Return the same of a level from 0 to 1."""
    return level - level**3 / 3
