"""Pictures are named by recording and score."""

import pytest

from lightning_modules.runs.titles import pair_name, title_of

PLACE = {"file": "a/b, c.wav", "offset_samples": 6000, "length_samples": 4000}
ROW = {"si_sdr_db": 12.345, "corrupted_si_sdr_db": 5.0}


def test_pair_is_named_by_its_recording_and_place() -> None:
    assert pair_name(PLACE, 4000) == "b, c, 1.5 to 2.5 s"


def test_title_tells_before_and_after_with_unit_and_direction() -> None:
    told = title_of("song", "si_sdr_db", ROW).splitlines()
    expected = "scale-invariant signal-to-distortion ratio (higher is better): 5.00 dB corrupted, 12.35 dB restored"
    assert told == ["song", expected.replace("12.35", f"{12.345:.2f}")]


@pytest.mark.parametrize("row", [None, {"lsd": 1.0}])
def test_pair_without_a_score_has_its_name_alone(row: dict[str, float] | None) -> None:
    assert title_of("song", "si_sdr_db", row) == "song"
