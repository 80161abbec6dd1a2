"""Decide in which container and sample format a file is written: its own, or the one that was asked for."""

import re
from dataclasses import dataclass

import soundfile

from datamodules.audio.checks import AudioFileError
from datamodules.audio.info import AudioInfo
from datamodules.audio.output import UNCLIPPED_SUBTYPES, Target, check_form, has_encoder
from datamodules.audio.suffixes import FORMATS_OF_SUFFIX

CLIP_MODES = ("clamp", "rescale", "none")
"""What becomes of samples beyond full scale: clipped and counted, the whole file turned down, or kept."""
_FEWER_BITS, _MORE_BITS = ("PCM_16", "PCM_24", "FLOAT"), ("PCM_24", "FLOAT", "PCM_16")
_FEWEST_BITS = 16


@dataclass(frozen=True)
class Wish:
    """What was asked for.

    Args:
        container: a name ending without its dot, such as flac; None is each file's own.
        subtype: libsndfile's name of a sample format, such as FLOAT; None is each file's own.
        clip_mode: one of `CLIP_MODES`.

    Raises:
        ValueError: if no file can be written so.
    """

    container: str | None = None
    subtype: str | None = None
    clip_mode: str = "clamp"

    def __post_init__(self) -> None:
        if self.clip_mode not in CLIP_MODES:
            raise ValueError(f"--clip-mode {self.clip_mode} is unknown; known: {', '.join(CLIP_MODES)}")
        if self.container is not None and f".{self.container}" not in FORMATS_OF_SUFFIX:
            known = ", ".join(sorted(suffix[1:] for suffix in FORMATS_OF_SUFFIX))
            raise ValueError(f"--format {self.container} is unknown; known: {known}")
        self._check_subtype()

    def _check_subtype(self) -> None:
        if self.subtype is None:
            return
        formats = FORMATS_OF_SUFFIX[f".{self.container}"][:1] if self.container else soundfile.available_formats()
        allowed = sorted({subtype for name in formats for subtype in soundfile.available_subtypes(name)})
        if self.container == "opus":
            allowed = ["OPUS"]
        if self.subtype not in allowed:
            where = f"--format {self.container}" if self.container else "any format"
            raise ValueError(f"--subtype {self.subtype} is not possible with {where}; possible: {', '.join(allowed)}")
        if self.clip_mode == "none" and self.subtype not in UNCLIPPED_SUBTYPES:
            raise ValueError(f"--clip-mode none with --subtype {self.subtype}: it holds nothing beyond full scale; use FLOAT")


@dataclass(frozen=True)
class Form:
    """How one file is written.

    Attributes:
        container: libsndfile's name.
        subtype: libsndfile's name.
        suffix: of the file's name, with its dot.
        clip_mode: one of `CLIP_MODES`.
    """

    container: str
    subtype: str
    suffix: str
    clip_mode: str = "clamp"


def same_form(source: AudioInfo) -> Form:
    """Return the form of a file itself."""
    return Form(source.format, source.subtype, source.path.suffix)


def form_of(source: AudioInfo, wish: Wish) -> Form:
    """Return the form in which a file is to be written.

    Raises:
        AudioFileError: if it cannot be written so; the message says what can.
    """
    container, suffix = _container(source, wish)
    form = Form(container, wish.subtype or _subtype(source, container, suffix), suffix, wish.clip_mode)
    allowed = soundfile.available_subtypes(container)
    if form.subtype not in allowed:
        possible = ", ".join(sorted(allowed))
        raise AudioFileError(source.path, f"--subtype {form.subtype} is not possible in {container}; possible: {possible}")
    check_form(source.path, Target(container, form.subtype, source.sample_rate_hz, source.channels))
    if wish.clip_mode == "none" and form.subtype not in UNCLIPPED_SUBTYPES:
        raise AudioFileError(
            source.path, f"--clip-mode none: {form.subtype} holds nothing beyond full scale; add --subtype FLOAT"
        )
    return form


def _container(source: AudioInfo, wish: Wish) -> tuple[str, str]:
    if wish.container:
        suffix = f".{wish.container}"
        known = FORMATS_OF_SUFFIX[suffix]
        return (source.format if source.format in known else known[0]), suffix
    if not source.held_by:
        return source.format, source.path.suffix
    flac = Target("FLAC", wish.subtype or source.held_by, source.sample_rate_hz, source.channels)
    return ("FLAC", ".flac") if has_encoder(flac) else ("WAV", ".wav")


def _subtype(source: AudioInfo, container: str, suffix: str) -> str:
    """Return the sample format of a file where a container has it, else the one nearest to it."""
    allowed = soundfile.available_subtypes(container)
    own = source.held_by or source.subtype
    if suffix == ".opus":
        return "OPUS"
    if own in allowed:
        return own
    bits = re.search(r"PCM_[SU]?(\d+)|ALAC_(\d+)", own)
    few = bool(bits and int(bits[1] or bits[2]) <= _FEWEST_BITS) or own.endswith("LAW") or "ADPCM" in own
    return next(
        (subtype for subtype in (_FEWER_BITS if few else _MORE_BITS) if subtype in allowed), soundfile.default_subtype(container)
    )
