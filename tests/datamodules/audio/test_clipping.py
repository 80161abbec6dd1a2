"""What a format cannot hold is counted, and what came from a file of the format never is."""

import math

import numpy as np
import pytest

from datamodules.audio.clipping import Clipping


def test_samples_beyond_full_scale_are_counted_over_channels_and_blocks() -> None:
    clipping = Clipping("PCM_16")
    clipping.watch(np.array([[0.5, 1.5, -1.25], [0.0, -2.0, 0.9]]))
    clipping.watch(np.array([[1.0001], [-1.0]]))
    assert (clipping.clipped, clipping.samples) == (4, 8)
    assert clipping.excess_db == pytest.approx(20 * math.log10(2.0))


@pytest.mark.parametrize(("bits", "subtype"), [(8, "PCM_U8"), (16, "PCM_16"), (24, "PCM_24"), (16, "ALAC_16"), (32, "PCM_32")])
def test_full_scale_itself_does_not_count_nor_what_rounds_to_it(bits: int, subtype: str) -> None:
    step = 2.0 ** (1 - bits)
    clipping = Clipping(subtype)
    clipping.watch(np.array([[-1.0, 1 - step, -1.0 - 0.4 * step, 1 - 0.6 * step, (1 - step) * (1 + 2.0**-25)]]))
    assert clipping.clipped == 0
    clipping.watch(np.array([[1 - 0.4 * step, -1 - 0.6 * step]]))
    assert clipping.clipped == (0 if bits == 32 else 2)  # half a step of 32 bits is less than float32 resolves


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_formats_without_a_limit_clip_nothing(subtype: str) -> None:
    clipping = Clipping(subtype)
    clipping.watch(np.array([[3.0, -3.0]]))
    assert clipping.clipped == 0


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS", "MPEG_LAYER_III"])
def test_lossy_formats_are_clipped_by_what_plays_them(subtype: str) -> None:
    clipping = Clipping(subtype)
    clipping.watch(np.array([[1.0, -1.0, 1.2, -3.0]]))
    assert (clipping.clipped, clipping.is_lossy) == (2, True)


@pytest.mark.parametrize(("peak", "gain"), [(2.0, 32767.5 / 32768 / 2), (0.5, 1.0), (0.0, 1.0)])
def test_loud_signal_is_turned_down_until_nothing_is_clipped(peak: float, gain: float) -> None:
    clipping = Clipping("PCM_16")
    assert clipping.turn_down(-0.1, peak) == pytest.approx(gain, abs=1e-6)
    clipping.watch(np.array([[peak * clipping.gain]]))
    assert clipping.clipped == 0


@pytest.mark.parametrize(("subtype", "low"), [("PCM_16", -1.0 - 2.0**-16), ("FLOAT", -1.0)])
def test_trough_is_turned_down_to_the_end_of_its_own(subtype: str, low: float) -> None:
    assert Clipping(subtype).turn_down(-2.0, 0.3) == pytest.approx(-low / 2)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_what_a_file_of_the_format_held_is_not_turned_down(subtype: str) -> None:
    assert Clipping(subtype).turn_down(-1.0, 32767 / 32768) == 1


def test_companded_samples_are_clipped_at_one() -> None:
    clipping = Clipping("ULAW")
    clipping.watch(np.array([[1.0, -1.0, 1.01]]))
    assert clipping.clipped == 1
