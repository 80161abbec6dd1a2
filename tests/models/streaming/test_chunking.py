"""How long recordings are divided: long enough for the method, and as asked for where that is possible."""

import pytest

from models.streaming.chunking import Chunking, chunking_for_reach, with_lengths


@pytest.mark.parametrize("reach", [0, 1, 799, 31123, 202112])
@pytest.mark.parametrize("grid", [1, 128, 8192])
@pytest.mark.parametrize("rate", [4000, 16000, 48000])
def test_what_an_edge_can_reach_is_dropped_and_something_is_left_to_fade(reach: int, grid: int, rate: int) -> None:
    chunking = chunking_for_reach(reach, grid, rate)
    assert chunking.margin_samples == reach
    assert chunking.fade_samples >= 0.1 * rate
    assert chunking.chunk_samples >= 8 * rate
    assert chunking.chunk_samples >= 3 * chunking.overlap_samples
    assert chunking.hop_samples % grid == 0


def test_lengths_are_rounded_up_to_the_grid() -> None:
    asked = with_lengths(Chunking(1600, 320, 100, 32), 1000, 400)
    assert asked == Chunking(1024, 416, 100, 32)


def test_too_short_an_overlap_drops_a_quarter_at_both_ends() -> None:
    assert with_lengths(Chunking(1600, 320, 160, 32), None, 128) == Chunking(1600, 128, 32, 32)


def test_too_short_a_chunk_shortens_the_overlap() -> None:
    assert with_lengths(Chunking(1600, 320, 160, 32), 320, None) == Chunking(320, 160, 40, 32)


@pytest.mark.parametrize("chunk", [None, 1, 33, 5000, 10**6])
@pytest.mark.parametrize("overlap", [None, 0, 1, 33, 800, 10**6])
def test_whatever_is_asked_for_can_be_made(chunk: int | None, overlap: int | None) -> None:
    asked = with_lengths(Chunking(1600, 320, 160, 32), chunk, overlap)
    assert asked.chunk_samples >= (chunk or 0)
    assert asked.hop_samples % 32 == 0


@pytest.mark.parametrize(("chunk", "overlap"), [(0, 0), (100, 51), (100, -1)])
def test_impossible_geometry_is_refused(chunk: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"chunk_samples={chunk} .* overlap_samples={overlap}"):
        Chunking(chunk, overlap, 0)


def test_grid_that_the_chunks_leave_is_refused() -> None:
    with pytest.raises(ValueError, match="chunk_samples - overlap_samples = 300 must be a multiple of grid_samples=16"):
        Chunking(400, 100, 25, 16)


@pytest.mark.parametrize("margin", [-1, 51])
def test_margins_beyond_half_an_overlap_are_refused(margin: int) -> None:
    with pytest.raises(ValueError, match=f"margin_samples={margin}"):
        Chunking(400, 100, margin)
