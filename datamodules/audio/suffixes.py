"""Which names audio files have, by what reads them: libsndfile, PyAV where it is installed, or nothing."""

import importlib.util
import os
from collections.abc import Container
from pathlib import Path

FORMATS_OF_SUFFIX: dict[str, tuple[str, ...]] = {  # The first is the one written.
    ".wav": ("WAV", "WAVEX", "RF64", "NIST"),  # NIST: TIMIT's .wav files.
    ".wave": ("WAV", "WAVEX", "RF64", "NIST"),
    ".bwf": ("WAV", "WAVEX", "RF64"),
    ".rf64": ("RF64", "WAV", "WAVEX"),
    ".w64": ("W64",),
    ".flac": ("FLAC",),
    ".ogg": ("OGG", "FLAC"),
    ".oga": ("OGG", "FLAC"),
    ".opus": ("OGG",),
    ".mp3": ("MP3",),
    ".mp2": ("MP3",),  # libsndfile's name for all three layers of MPEG.
    ".mp1": ("MP3",),
    ".aif": ("AIFF",),
    ".aiff": ("AIFF",),
    ".aifc": ("AIFF",),
    ".au": ("AU",),
    ".snd": ("AU",),
    ".caf": ("CAF",),
    ".sph": ("NIST",),
    ".nist": ("NIST",),
    ".voc": ("VOC",),
    ".sf": ("IRCAM",),
    ".avr": ("AVR",),
    ".htk": ("HTK",),
    ".iff": ("SVX", "AIFF"),
    ".svx": ("SVX",),
    ".8svx": ("SVX",),
    ".16sv": ("SVX",),
    ".paf": ("PAF",),
    ".fap": ("PAF",),
    ".pvf": ("PVF",),
    ".wve": ("WVE",),
    ".mat": ("MAT5", "MAT4"),
    ".mpc": ("MPC2K",),  # Akai's; Musepack's files of this name are refused as no audio.
}
AUDIO_SUFFIXES: frozenset[str] = frozenset(FORMATS_OF_SUFFIX)
"""Lower-case name endings of what libsndfile 1.2 reads: all its formats but RAW, which has no header, SD2,
whose header lies in a second file, and SDS and XI, which it does not read to their end."""
_DEMUXERS = {
    "mov": "m4a m4b m4r mp4 3gp 3g2 3ga",
    "aac": "aac adts",
    "asf": "wma asf",
    "wv": "wv",
    "ape": "ape",
    "matroska": "mka webm weba",
    "tta": "tta",
    "ac3": "ac3",
    "eac3": "ec3 eac3",
    "amr": "amr",
}
DEMUXER_OF_SUFFIX = {f".{name}": demuxer for demuxer, names in _DEMUXERS.items() for name in names.split()}
"""Of what PyAV reads; the demuxer follows from the name, so that no playlist can be passed off as audio."""
CODEC_SUFFIXES: frozenset[str] = frozenset(DEMUXER_OF_SUFFIX)
_NEVER_READ = "aa aa3 aax awb dff dsf dts gsm m4p mlp mpp oma ofr ra rm sd2 sds shn spx tak thd vqf xi"
_UNREAD_SUFFIXES: frozenset[str] = frozenset(f".{name}" for name in _NEVER_READ.split())


def codecs_are_installed() -> bool:
    """Say whether PyAV is there."""
    return importlib.util.find_spec("av") is not None


def read_suffixes() -> frozenset[str]:
    """Return the lower-case name endings of files that are read."""
    return AUDIO_SUFFIXES | CODEC_SUFFIXES if codecs_are_installed() else AUDIO_SUFFIXES


def unread_suffixes() -> frozenset[str]:
    """Return the lower-case name endings of files that hold audio, but none that is read."""
    return _UNREAD_SUFFIXES if codecs_are_installed() else _UNREAD_SUFFIXES | CODEC_SUFFIXES


def has_suffix(path: str | os.PathLike[str], suffixes: Container[str]) -> bool:
    """Say whether a name ends in one of some lower-case endings."""
    return Path(path).suffix.lower() in suffixes
