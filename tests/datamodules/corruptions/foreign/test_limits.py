"""What functions of torchaudio would take in silence, or compute for ever, is refused in a sentence."""

from typing import Any

import pytest

from datamodules.corruptions.foreign.arguments import Drawn
from datamodules.corruptions.foreign.limits import check_frequencies, check_pitch_shift, check_words


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (8000.0, "k.center_freq=8000.0 must lie below half of data.sample_rate=16000"),
        (Drawn(5.0, 8000.0, whole=False), r"k.center_freq=\[5, 8000\] must lie below half of"),
        (-5.0, "k.center_freq=-5.0 must be a frequency in Hz, above 0"),
        (0.0, "k.center_freq=0.0 must be a frequency in Hz, above 0"),
        (Drawn(-5.0, 100.0, whole=False), r"k.center_freq=\[-5, 100\] must be a frequency in Hz, above 0"),
    ],
)
def test_frequency_that_is_none_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        check_frequencies({"gain": -12.0, "center_freq": value}, 16000, "k")


def test_frequency_between_the_ends_and_what_is_none_are_taken() -> None:
    assert check_frequencies({"cutoff_freq": 7999.0, "limit_freq": None, "gain": -5.0}, 16000, "k") is None


def test_word_that_is_unknown_is_refused_where_the_function_takes_it() -> None:
    with pytest.raises(ValueError, match=r"^k\.density_function='XPDF' must be one of TPDF, RPDF, GPDF$"):
        check_words("dither", {"density_function": "XPDF"}, "k")
    assert check_words("dither", {"density_function": "GPDF", "noise_shaping": True}, "k") is None
    assert check_words("dither", {}, "k") is None and check_words("other", {"density_function": "XPDF"}, "k") is None


@pytest.mark.parametrize("steps", [0, 12, -12, 24])
def test_shift_by_whole_octaves_is_taken_at_any_rate(steps: int) -> None:
    assert all(check_pitch_shift({"n_steps": steps}, rate, "k") is None for rate in (8000, 16000, 44100, 48000))
    drawn = {"n_steps": Drawn(min(0, steps // 12), max(0, steps // 12), whole=True), "bins_per_octave": 1}
    assert check_pitch_shift(drawn, 44100, "k") is None


def test_shift_that_needs_a_filter_for_each_sample_is_refused_at_once() -> None:
    # 16000 * 2^(1/12) = 16951.4; 16951 and 16000 share no factor: 16000 filters of 16951 + 2 * 7 weights
    with pytest.raises(
        ValueError, match=r"^k: n_steps=1 of bins_per_octave=12 is resampled by 271\.4 million .*=16000.* n_steps=12$"
    ):
        check_pitch_shift({"n_steps": 1}, 16000, "k")


def test_steps_between_the_ends_of_a_range_are_looked_at() -> None:
    with pytest.raises(ValueError, match="^k: n_steps=1 of"):
        check_pitch_shift({"n_steps": Drawn(0, 12, whole=True)}, 48000, "k")
