"""Every effect of torchaudio, with arguments and with what holds of it beside the contract of all corruptions."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from datamodules.corruptions.foreign.loading import torchaudio_functions
from datamodules.corruptions.torchaudio_effects import TorchaudioEffects
from tests.datamodules.corruptions.contracts import Subject

LEVELS: dict[str, Any] = {"gain_tolerance_db": None}
FIXED = LEVELS | {"draws": False}
EFFECTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "allpass_biquad": ({"central_freq": [300, 2000]}, LEVELS | {"latest_samples": 64}),  # delay is all that it does
    "band_biquad": ({"central_freq": [300, 2000]}, LEVELS | {"latest_samples": 32}),
    "bandpass_biquad": ({"central_freq": [300, 2000]}, LEVELS | {"latest_samples": 16}),
    "bandreject_biquad": ({"central_freq": [300, 2000]}, LEVELS | {"latest_samples": 16}),
    "bass_biquad": ({"gain": [-12, 12]}, LEVELS | {"latest_samples": 16}),
    "biquad": ({"b0": 1, "b1": [0.1, 0.5], "b2": 0.1, "a0": 1, "a1": 0.1, "a2": 0.1}, LEVELS),
    "contrast": ({"enhancement_amount": [0, 100]}, LEVELS),
    "dcshift": ({"shift": [-0.1, 0.1]}, LEVELS | {"keeps_silence": False}),
    "deemphasis": ({"coeff": [0.5, 0.97]}, LEVELS | {"latest_samples": 16}),
    "dither": ({"density_function": "RPDF"}, {}),
    "equalizer_biquad": ({"center_freq": [300, 3000], "gain": -12, "Q": 1}, LEVELS | {"latest_samples": 16}),
    "flanger": ({}, FIXED | {"latest_samples": 16}),
    "gain": ({"gain_db": [-6, 6]}, LEVELS),
    "highpass_biquad": ({"cutoff_freq": [100, 1000]}, LEVELS | {"latest_samples": 16}),
    "lowpass_biquad": ({"cutoff_freq": [1000, 3000]}, LEVELS | {"latest_samples": 16}),
    "overdrive": ({"gain": [5, 30]}, LEVELS | {"keeps_silence": False}),  # the filter behind its offset starts from nothing
    "phaser": ({}, FIXED | {"latest_samples": 64}),
    "preemphasis": ({"coeff": [0.5, 0.97]}, LEVELS | {"latest_samples": 16}),
    "treble_biquad": ({"gain": [-12, 12]}, LEVELS | {"latest_samples": 16}),
}
"""By name; what has a delay is a filter that looks back only, and levels are what effects are about."""
AT_44100_HZ = ("deemph_biquad", "riaa_biquad")
"""They know few rates, and have no arguments."""
MOVES = ("pitch_shift",)
"""What has another pitch has no place of its own in time to compare."""
REFUSED = ("detect_pitch_frequency", "loudness", "resample", "speed", "vad")
"""They take a waveform and plain arguments, and give back no waveform of the same form."""
SUBJECTS: dict[str, Callable[[Path], Subject]] = {
    f"torchaudio, {name}": lambda folder, name=name: subject(name)  # type: ignore[misc]
    for name in EFFECTS
}


def subject(name: str) -> Subject:
    """Return an effect as a subject of the contract."""
    arguments, rules = EFFECTS[name]
    return Subject(TorchaudioEffects([{name: arguments}]), **rules)


def require() -> ModuleType:
    """Return torchaudio.functional, or skip the test with the reason why it cannot be had."""
    try:
        return torchaudio_functions()
    except ValueError as error:
        pytest.skip(str(error))
