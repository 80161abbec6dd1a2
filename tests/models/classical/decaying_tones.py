"""Decaying harmonics in white noise of a known level, and what methods without training make of them."""

import torch
from torch import Tensor

RATE_HZ = 8000
PITCHES_HZ = (220.0, 330.0, 262.0, 392.0, 294.0, 440.0, 247.0, 349.0)
INPUT_SNRS_DB = (0.0, 5.0, 10.0)
REFERENCE_DB = {
    "empirical Wiener": (5.9, 10.2, 14.5),
    "power subtraction": (7.8, 10.8, 14.2),
    "decision-directed Wiener": (8.9, 11.9, 15.4),
    "MMSE-LSA": (9.2, 12.3, 15.8),
    "block thresholding": (8.9, 12.1, 15.6),
    "block thresholding, Wiener pass": (9.2, 12.4, 16.0),
    "total variation, Wiener pass": (10.1, 13.4, 16.8),
}
"""SNR in dB of methods that know the level of the noise, by the SNR of their input."""


def decaying_tones(seconds: float = 6.0, rate_hz: int = RATE_HZ) -> Tensor:
    """Return a note every half second, each of up to 20 harmonics that fall off by exp(-3.6 t), (1, 1, T)."""
    time = torch.arange(int(seconds * rate_hz)) / rate_hz
    signal = torch.zeros_like(time)
    for note in range(int(2 * seconds)):
        since, pitch_hz = time - 0.5 * note, PITCHES_HZ[note % len(PITCHES_HZ)]
        for harmonic in range(1, min(20, int(rate_hz / 2 / pitch_hz)) + 1):
            sine = torch.sin(2 * torch.pi * harmonic * pitch_hz * since) / harmonic
            signal += torch.where(since >= 0, sine * torch.exp(-3.6 * since.clamp(min=0)), 0.0)
    return 0.1 * signal[None, None]


def chord(seconds: float = 3.0, rate_hz: int = RATE_HZ) -> Tensor:
    """Return 12 sines of different phases that swell and fade, without an edge anywhere, (1, 1, T)."""
    time = torch.arange(int(seconds * rate_hz)) / rate_hz
    sines = [torch.sin(2 * torch.pi * 110 * 1.31**number * time + number**2) / (1 + number) for number in range(12)]
    return 0.1 * (torch.stack(sines).sum(dim=0) * torch.sin(torch.pi * time / seconds))[None, None]


def in_white_noise(clean: Tensor, snr_db: float) -> Tensor:
    """Return a signal with Gaussian noise at exactly an SNR."""
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    return clean + noise * (clean.norm() / noise.norm()) * 10 ** (-snr_db / 20)
