"""Take audio files of any length through memory in blocks: decode, and write what has the same form."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import numpy as np

from datamodules.audio.checks import check_finite, named_errors, refuse_short, slack_samples
from datamodules.audio.fact import BLOCK_SUBTYPES, copy_sample_count
from datamodules.audio.io import AudioInfo, open_audio
from datamodules.audio.output import Target, check_form, open_output
from datamodules.audio.seeking import decode_from
from datamodules.audio.tags import copy_flac_blocks, copy_id3

_LARGEST_RIFF_BYTES = 2**32 - 2**16  # Sizes in a WAV header are 32-bit numbers; this leaves room for the header itself.


def read_blocks(path: str | os.PathLike[str], block_samples: int) -> Iterator[np.ndarray]:
    """Decode a file block by block, checking it on the way; what an MP3 header promises beyond its audio is silence.

    Yields:
        float64 blocks (C, n <= block_samples), which hold 32-bit integers and doubles exactly.

    Raises:
        AudioFileError: if the file cannot be decoded, ends early or holds NaN or infinity.
    """
    decoded_samples = 0
    with open_audio(path) as file:
        while True:
            with named_errors(path):
                block = decode_from(file, decoded_samples, block_samples, "float64")
            check_finite(path, block)
            decoded_samples += len(block)
            if len(block) == 0:
                break
            yield np.ascontiguousarray(block.T)
        refuse_short(path, decoded_samples + slack_samples(file), file.frames, "samples")
        if decoded_samples < file.frames:
            yield np.zeros((file.channels, file.frames - decoded_samples))


def open_like(source: AudioInfo, path: str | os.PathLike[str]) -> AbstractContextManager[Callable[[np.ndarray], None]]:
    """Open an output file with the container, sample format, rate, channels, byte order and tags of another file.

    A WAV file that would exceed the 4 GiB its header can count becomes an RF64 file (EBU Tech 3306).

    Args:
        source: the file to be like.
        path: the file to write.

    Returns:
        a context manager as `datamodules.audio.output.open_output`.

    Raises:
        AudioFileError: if libsndfile reads but cannot write this kind of file.
    """
    with open_audio(source.path) as file:
        tags, endian, sample_bytes = file.copy_metadata(), file.endian, _bytes_per_sample(file.subtype)
    too_long = source.frames * source.channels * sample_bytes > _LARGEST_RIFF_BYTES
    container = "RF64" if source.format in {"WAV", "WAVEX"} and too_long else source.format
    form = replace(_form(source), format=container, endian=endian, tags=tags)
    copy_tags = {"FLAC": copy_flac_blocks, "MP3": copy_id3}.get(source.format)
    if copy_tags:
        form = replace(form, tags={}, finish=partial(copy_tags, source.path))
    if source.format in {"WAV", "WAVEX"} and source.subtype in BLOCK_SUBTYPES:
        form = replace(form, finish=partial(copy_sample_count, source.path, source.frames))
    return open_output(path, form)


def check_writable(source: AudioInfo) -> None:
    """Refuse a file like which none can be written, such as MPEG layer II.

    Raises:
        AudioFileError: naming the file.
    """
    check_form(source.path, _form(source))


def _form(source: AudioInfo) -> Target:
    return Target(source.format, source.subtype, source.sample_rate_hz, source.channels)


def _bytes_per_sample(subtype: str) -> int:
    known = {"DOUBLE": 8, "FLOAT": 4, "PCM_32": 4, "PCM_24": 3, "PCM_16": 2}
    return known.get(subtype, 1)
