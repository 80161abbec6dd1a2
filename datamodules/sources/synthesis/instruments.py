"""Notes of struck and plucked stiff strings, by additive synthesis.

Partial k of a stiff string lies at f_k = k f0 sqrt(1 + B k^2) (H. Fletcher, "Normal vibration frequencies of a stiff piano
string", JASA 36, 1964; for pianos: Fletcher, Blackham and Stratton, JASA 34, 1962). A string struck or plucked at the fraction
b of its length starts with partials proportional to sin(pi k b) / k or sin(pi k b) / k^2 (Fletcher and Rossing, "The Physics of
Musical Instruments", chapter 2). Strings that share a bridge decay in two stages, fast and then slow, and beat (G. Weinreich,
"Coupled piano strings", JASA 62, 1977).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.draws import normal, uniform

_HIGHEST_PARTIAL = 0.47  # Of the sample rate: what lies above is left out rather than folded back.
_MOST_PARTIALS = 32
_ATTACK_SECONDS = 0.002
_RELEASE_SECONDS = 0.12
_FAST_SHARE = 0.8


@dataclass(frozen=True)
class Timbre:
    """How an instrument sounds.

    Attributes:
        stiffness: B of the note A4 (MIDI 69); it grows by 9 % per semitone.
        roll_off: exponent of 1/k in the partials' amplitudes.
        contact: lowest and highest fraction of the string where it is struck or plucked.
        decay_per_s: decay rate of A4's fundamental, in 1/s.
        decay_per_s_per_khz: how much faster partials decay with each kHz.
        noise_level: RMS of the attack noise relative to the tone.
        noise_seconds: time constant of the attack noise.
    """

    stiffness: float
    roll_off: float
    contact: tuple[float, float]
    decay_per_s: float
    decay_per_s_per_khz: float
    noise_level: float
    noise_seconds: float


STRUCK = Timbre(7e-4, 1.0, (0.11, 0.14), 1.2, 0.9, 0.15, 0.012)
PLUCKED = Timbre(1e-4, 1.6, (0.08, 0.35), 2.0, 1.3, 0.3, 0.004)


def stiff_string_hz(fundamental_hz: float, stiffness: float, partials: int) -> Tensor:
    """Return f_k = k f0 sqrt(1 + B k^2) for k = 1 ... partials.

    Args:
        fundamental_hz: f0 of the same string without stiffness.
        stiffness: B, without unit; 0 gives a harmonic series.
        partials: how many.

    Returns:
        (partials,) float64, in Hz.

    Example:
        >>> stiff_string_hz(100.0, 0.0, 3).tolist()
        [100.0, 200.0, 300.0]
    """
    k = torch.arange(1, partials + 1, dtype=torch.float64)
    return k * fundamental_hz * torch.sqrt(1 + stiffness * k**2)


def damped_partials(poles: Tensor, amplitudes: Tensor, samples: int) -> Tensor:
    """Sum damped sinusoids Re(a_k exp(p_k n)) over k for n = 0 ... samples - 1.

    With n = i M + j the powers factor into exp(p i M) exp(p j), so that the whole note is one small matrix product instead of
    an exponential per partial and sample.

    Args:
        poles: (K,) complex128, decay (negative real part) and angular frequency per sample.
        amplitudes: (K,) complex128.
        samples: length.

    Returns:
        (samples,) float32.
    """
    block = math.isqrt(max(samples - 1, 0)) + 1
    steps = torch.arange(block, dtype=torch.float64)
    fine = torch.exp(poles[:, None] * steps).to(torch.complex64)  # (K, M)
    coarse = (amplitudes[:, None] * torch.exp(poles[:, None] * (steps * block))).to(torch.complex64).T  # (M, K)
    return (coarse.real @ fine.real - coarse.imag @ fine.imag).reshape(-1)[:samples]


def render_note(
    timbre: Timbre, midi: int, velocity: float, held_seconds: float, sample_rate: int, generator: torch.Generator
) -> Tensor:
    """Render one note; harder strokes are louder and brighter.

    Args:
        timbre: the instrument.
        midi: pitch, 69 = A4 = 440 Hz.
        velocity: in (0, 1].
        held_seconds: time until the damper falls.
        sample_rate: in Hz.
        generator: source of the random phases, contact point, detuning and attack noise.

    Returns:
        (T,) float32 with about `velocity` squared as RMS at the attack.
    """
    samples = round((held_seconds + _RELEASE_SECONDS) * sample_rate)
    poles, amplitudes = _string(timbre, midi, velocity, sample_rate, generator)
    tone = damped_partials(poles, amplitudes, samples)
    return velocity**2 * _envelope(samples, sample_rate) * (tone + _attack_noise(timbre, samples, sample_rate, generator))


def _string(timbre: Timbre, midi: int, velocity: float, sample_rate: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the poles and amplitudes of two coupled strings, (2K,) each."""
    fundamental_hz = 440.0 * 2 ** ((midi - 69) / 12)
    partials_hz = stiff_string_hz(fundamental_hz, timbre.stiffness * 1.09 ** (midi - 69), _MOST_PARTIALS)
    partials_hz = partials_hz[partials_hz < _HIGHEST_PARTIAL * sample_rate]
    k = torch.arange(1, len(partials_hz) + 1)
    contact = uniform(*timbre.contact, (1,), generator)
    brightness_hz = 600 + 5000 * velocity
    strength = torch.sin(math.pi * k * contact).abs() / k**timbre.roll_off * torch.exp(-partials_hz / brightness_hz)
    strength = strength / strength.square().sum().div(2).sqrt()
    decay = timbre.decay_per_s * 2 ** ((midi - 69) / 24) + timbre.decay_per_s_per_khz * partials_hz / 1000
    detuned_hz = partials_hz * (1 + 4e-4 * normal((len(k),), generator))
    phase = uniform(0, 2 * math.pi, (2 * len(k),), generator).double()
    amplitudes = torch.cat((_FAST_SHARE * strength, (1 - _FAST_SHARE) * strength)).double()
    rates = torch.cat((2 * decay, decay / 2))
    omega = 2 * math.pi * torch.cat((partials_hz, detuned_hz))
    return torch.complex(-rates, omega) / sample_rate, torch.polar(amplitudes, phase)


def _attack_noise(timbre: Timbre, samples: int, sample_rate: int, generator: torch.Generator) -> Tensor:
    length = min(samples, round(8 * timbre.noise_seconds * sample_rate))
    decay = torch.exp(-torch.arange(length) / (timbre.noise_seconds * sample_rate))
    burst = timbre.noise_level * normal((length,), generator) * decay
    return torch.nn.functional.pad(burst, (0, samples - length))


def _envelope(samples: int, sample_rate: int) -> Tensor:
    """Return 1 with a raised-cosine attack and release."""
    position = torch.arange(samples) / sample_rate
    rise = (position / _ATTACK_SECONDS).clamp(max=1)
    fall = ((samples / sample_rate - position) / _RELEASE_SECONDS).clamp(max=1)
    return torch.sin(math.pi / 2 * rise).square() * torch.sin(math.pi / 2 * fall).square()
