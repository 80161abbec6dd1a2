"""Take audio files of any length through memory in blocks: decode, and write what has the same form."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import numpy as np

from datamodules.audio.checks import check_finite, named_errors, refuse_short, slack_samples
from datamodules.audio.encoding import encoder_settings
from datamodules.audio.forms import Form, same_form
from datamodules.audio.info import AudioInfo
from datamodules.audio.library_lines import library_lines_named
from datamodules.audio.opening import open_audio
from datamodules.audio.output import Target, open_output
from datamodules.audio.seeking import decode_from, skip_to
from datamodules.audio.tags import carries_tags, carry_tags

_LARGEST_RIFF_BYTES = 2**32 - 2**16  # Sizes in a WAV header are 32-bit numbers; this leaves room for the header itself.
_MOST_BLOCK_VALUES = 1 << 20  # Of all channels together.


def read_blocks(path: str | os.PathLike[str], block_samples: int, start_samples: int = 0) -> Iterator[np.ndarray]:
    """Decode a file block by block, checking it on the way; what an MP3 header promises beyond its audio is silence.

    Args:
        path: the file.
        block_samples: how many are decoded at once.
        start_samples: with which the first block begins.

    Yields:
        float64 blocks (C, n <= block_samples), which hold 32-bit integers and doubles exactly.

    Raises:
        AudioFileError: if the file cannot be decoded, ends early or holds NaN or infinity.
    """
    decoded_samples = start_samples
    with open_audio(path) as file:
        if start_samples:
            with named_errors(path), library_lines_named(path):
                skip_to(file, start_samples)
        count = max(1, min(block_samples, _MOST_BLOCK_VALUES // file.channels))
        while True:
            with named_errors(path), library_lines_named(path):
                block = decode_from(file, decoded_samples, count, "float64")
            check_finite(path, block)
            decoded_samples += len(block)
            if len(block) == 0:
                break
            yield np.ascontiguousarray(block.T)
        refuse_short(path, decoded_samples + slack_samples(file), file.frames, "samples")
        if decoded_samples < file.frames and file.format == "MP3":
            yield np.zeros((file.channels, file.frames - decoded_samples))


def open_like(
    source: AudioInfo, path: str | os.PathLike[str], form: Form | None = None
) -> AbstractContextManager[Callable[[np.ndarray], None]]:
    """Open an output file with the rate, channels, byte order, tags and encoder settings of another file.

    A WAV file that would exceed the 4 GiB its header can count becomes an RF64 file (EBU Tech 3306).

    Args:
        source: the file to be like.
        path: the file to write.
        form: its container and sample format; None takes those of the other file.

    Returns:
        a context manager as `datamodules.audio.output.open_output`.

    Raises:
        AudioFileError: if libsndfile reads but cannot write this kind of file.
    """
    return open_output(path, _target(source, form or same_form(source)))


def _target(source: AudioInfo, form: Form) -> Target:
    with open_audio(source.path) as file:
        tags, endian = file.copy_metadata(), file.endian
    estimated = source.frames * source.channels * _bytes_per_sample(form.subtype)
    too_long = max(estimated, os.path.getsize(source.path)) > _LARGEST_RIFF_BYTES
    container = "RF64" if form.container in {"WAV", "WAVEX"} and too_long else form.container
    settings = encoder_settings(source, form.subtype)
    return Target(
        container,
        form.subtype,
        source.sample_rate_hz,
        source.channels,
        endian=endian if form.container == source.format else "FILE",
        tags={} if carries_tags(source.format, container) else tags,
        finish=partial(carry_tags, source, container),
        compression_level=settings.level,
        bitrate_mode=settings.mode,
        gain=settings.gain,
    )


def _bytes_per_sample(subtype: str) -> int:
    known = {"DOUBLE": 8, "FLOAT": 4, "PCM_32": 4, "PCM_24": 3, "PCM_16": 2}
    return known.get(subtype, 1)
