import torch

from datamodules.sources.synthesis.score import MAJOR, MINOR, compose


def test_notes_lie_within_the_piece_and_the_keyboard():
    for seed in range(20):
        notes = compose(10.0, torch.Generator().manual_seed(seed))
        assert all(0 <= note.start_seconds < 10 for note in notes)
        assert all(21 <= note.midi <= 108 and 0 < note.velocity <= 1 and note.held_seconds > 0 for note in notes)


def test_a_piece_keeps_to_one_scale():
    notes = compose(20.0, torch.Generator().manual_seed(3))
    classes = {note.midi % 12 for note in notes}
    scales = [{(tonic + step) % 12 for step in scale} for tonic in range(12) for scale in (MAJOR, MINOR)]
    assert any(classes <= scale for scale in scales)


def test_notes_overlap_and_cover_several_octaves():
    notes = compose(10.0, torch.Generator().manual_seed(0))
    assert max(note.midi for note in notes) - min(note.midi for note in notes) >= 24
    sounding = [sum(note.start_seconds <= at < note.start_seconds + note.held_seconds for note in notes) for at in range(1, 9)]
    assert max(sounding) >= 4
