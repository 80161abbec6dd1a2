"""Compose short random pieces: a bass line, broken and block chords and a melody in one key, with phrases and rests."""

import math
from dataclasses import dataclass

import torch

from datamodules.draws import integers, uniform

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)

_BEATS_PER_BAR = 4
_BASS_OCTAVE, _CHORD_OCTAVE, _MELODY_OCTAVE = 3, 4, 5  # Degree 0 of C major: MIDI 36, 48 and 60.
_PHRASE_SECONDS = 8.0
_HASTE_SECONDS = 0.015  # No two notes begin at exactly the same time.


@dataclass(frozen=True)
class Note:
    """One note of a piece.

    Attributes:
        start_seconds: when it is struck.
        held_seconds: until the damper falls.
        midi: pitch, 69 = A4.
        velocity: in (0, 1].
        voice: 0 for bass and chords, 1 for the melody.
    """

    start_seconds: float
    held_seconds: float
    midi: int
    velocity: float
    voice: int


@dataclass(frozen=True)
class Key:
    """A tonic and a scale.

    Attributes:
        tonic: semitones above C, 0 to 11.
        scale: semitones above the tonic of each degree.
    """

    tonic: int
    scale: tuple[int, ...]

    def pitch(self, degree: int, octave: int) -> int:
        """Return the MIDI number of a degree; degrees beyond the scale go on in the next octave.

        Example:
            >>> Key(0, MAJOR).pitch(0, 5), Key(0, MAJOR).pitch(7, 5), Key(9, MINOR).pitch(2, 4)
            (60, 72, 60)
        """
        octaves, step = divmod(degree, len(self.scale))
        return 12 * (octave + octaves) + self.tonic + self.scale[step]


@dataclass(frozen=True)
class _Bar:
    start_seconds: float
    beat_seconds: float
    loudness: float
    key: Key


def compose(seconds: float, generator: torch.Generator) -> list[Note]:
    """Write a piece of the given duration in a random key, mode and tempo.

    Args:
        seconds: duration; no note begins later.
        generator: source of all choices.

    Returns:
        The notes, bar by bar.
    """
    key = Key(_integer(0, 11, generator), (MAJOR, MINOR)[_integer(0, 1, generator)])
    beat = _number(0.3, 0.8, generator)
    degree = 7
    notes: list[Note] = []
    for index in range(math.ceil(seconds / (_BEATS_PER_BAR * beat))):
        start = index * _BEATS_PER_BAR * beat
        swell = 0.55 + 0.3 * math.sin(2 * math.pi * start / _PHRASE_SECONDS)
        bar = _Bar(start, beat, swell + _number(-0.1, 0.1, generator), key)
        melody, degree = _melody(bar, degree, generator)
        notes += _accompaniment(bar, generator) + melody
    return [note for note in notes if note.start_seconds < seconds]


def _accompaniment(bar: _Bar, generator: torch.Generator) -> list[Note]:
    """Write a bass note and a chord of three or four notes, struck together or one after the other."""
    root = _integer(0, 6, generator)
    spread = (0.0, 0.5, 1.0)[_integer(0, 2, generator)] * bar.beat_seconds
    bass = bar.key.pitch(root, _BASS_OCTAVE)
    notes = [Note(bar.start_seconds, 3.5 * bar.beat_seconds, bass, _velocity(bar.loudness, generator), 0)]
    for position in range(_integer(3, 4, generator)):
        start = bar.start_seconds + spread * position + _number(0, _HASTE_SECONDS, generator)
        held = _number(0.8, 2.5, generator) * bar.beat_seconds
        midi = bar.key.pitch(root + 2 * position, _CHORD_OCTAVE)
        notes.append(Note(start, held, midi, _velocity(0.8 * bar.loudness, generator), 0))
    return notes


def _melody(bar: _Bar, degree: int, generator: torch.Generator) -> tuple[list[Note], int]:
    """Walk through the scale in half, whole and dotted beats; one step in six is a rest. Also return the last degree."""
    notes = []
    position = 0.0
    while position < _BEATS_PER_BAR:
        length = (0.5, 0.5, 1.0, 1.5)[_integer(0, 3, generator)]
        degree = min(12, max(-6, degree + _integer(-3, 3, generator)))
        start = bar.start_seconds + position * bar.beat_seconds + _number(0, _HASTE_SECONDS, generator)
        if _integer(0, 5, generator):
            midi = bar.key.pitch(degree, _MELODY_OCTAVE)
            notes.append(Note(start, length * bar.beat_seconds, midi, _velocity(1.2 * bar.loudness, generator), 1))
        position += length
    return notes, degree


def _velocity(loudness: float, generator: torch.Generator) -> float:
    return min(1.0, max(0.15, loudness * _number(0.75, 1.25, generator)))


def _integer(low: int, high: int, generator: torch.Generator) -> int:
    return int(integers(low, high, (), generator))


def _number(low: float, high: float, generator: torch.Generator) -> float:
    return float(uniform(low, high, (), generator))
