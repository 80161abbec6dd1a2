"""What an amplifier adds: hum of the mains and its harmonics, and hiss that rises towards low frequencies."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import fast_even_length
from datamodules.corruptions.noise import color_powers, colored_noise, sum_of_powers
from datamodules.corruptions.settings import positive_range, range_within
from datamodules.draws import Range, as_range, choices, scale_to_snr, uniform

HARMONICS = 16
DEVIATION = 0.004
"""How far the frequency of the mains may be off, as a share: 0.2 Hz of 50."""
BLOCK = 1024
CORNER_HZ = 1000.0
"""Below which the 1/f noise of an amplifier is stronger than its white noise."""


class Amplifier(Corruption):
    """Add hum and hiss at a drawn signal-to-noise ratio; all channels share the hum, each has its own hiss."""

    def __init__(self, mains_hz: Sequence[float] = (50.0, 60.0), hiss: Range = (0.0, 1.0), snr_db: Range = (0.0, 20.0)) -> None:
        """Check the settings.

        Args:
            mains_hz: frequencies of the mains in Hz, of which each example draws one.
            hiss: share of the noise's power that is hiss; the rest is hum.
            snr_db: ratio of clean to noise power over channels and time in dB, both without their means.

        Raises:
            ValueError: if there is no frequency, or a range is not possible.
        """
        if not mains_hz:
            raise ValueError("mains_hz is empty: give at least one frequency in Hz, such as 50")
        self._mains_hz = tuple(positive_range(frequency, "mains_hz")[0] for frequency in mains_hz)
        self._hiss = range_within(hiss, "hiss", 0.0, 1.0)
        self._snr_db = as_range(snr_db, "snr_db")

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Add hum and hiss to a batch; see `Corruption`."""
        batch = clean.shape[0]
        mains = torch.tensor(self._mains_hz)[choices(len(self._mains_hz), (batch,), generator).cpu()]
        share = uniform(*self._hiss, (batch,), generator).to(clean.device)
        parts = [
            (hum(mains, clean, sample_rate, generator), 1 - share),
            (hiss(clean, sample_rate, generator), share),
        ]
        noise = sum_of_powers(parts).to(clean.dtype)
        return scale_to_snr(clean, noise, uniform(*self._snr_db, (batch,), generator)).add_(clean)


def hum(mains_hz: Tensor, audio: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
    """Make the first harmonics of the mains, with amplitudes drawn up to 1/k and any phases.

    Args:
        mains_hz: nominal frequency of each example, (B,), on the CPU.
        audio: of the shape that is wanted, (B, C, T).
        sample_rate: its rate in Hz.
        generator: only source of randomness.

    Returns:
        Hum of arbitrary level, the same in all channels, (B, C, T) float32 on the device of the audio.
    """
    batch, _, length = audio.shape
    off = uniform(-DEVIATION, DEVIATION, (batch,), generator).cpu()
    number = torch.arange(1, HARMONICS + 1)
    frequency = (mains_hz * (1 + off))[:, None] * number / sample_rate  # (B, H), cycles per sample
    amplitude = uniform(0.1, 1.0, (batch, HARMONICS), generator).cpu() / number * (frequency < 0.5)
    phase = uniform(0.0, 2 * math.pi, (batch, HARMONICS), generator).cpu()
    time = torch.arange(length, device=audio.device)
    block, place = time // BLOCK, time % BLOCK
    per_block = frequency.double() * BLOCK % 1  # Single precision loses the phase of a long time, not that of a block.
    total = torch.zeros(batch, length, device=audio.device)
    tables = (table.float().T[..., None].to(audio.device) for table in (frequency, per_block, amplitude, phase))  # (H, B, 1) each
    for cycles, turns, size, start in zip(*tables, strict=True):
        total += size * torch.sin(2 * math.pi * ((turns * block + cycles * place) % 1.0) + start)
    return total[:, None].expand(audio.shape)


def hiss(audio: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
    """Make noise of the density 1 + corner / f, white above the corner and pink below it.

    Args:
        audio: of the shape that is wanted, (B, C, T).
        sample_rate: its rate in Hz.
        generator: only source of randomness.

    Returns:
        Noise of arbitrary level, (B, C, T) float32 on the device of the audio.
    """
    period = fast_even_length(audio.shape[-1])
    white, pink, _ = color_powers(period, sample_rate)
    corner = min(round(CORNER_HZ * period / sample_rate), len(pink) - 1)
    shares = torch.tensor([float(pink[corner]), float(white[corner]), 0.0], device=audio.device)  # Equal at the corner.
    return colored_noise(shares.expand(audio.shape[0], -1), audio.shape, sample_rate, generator)
