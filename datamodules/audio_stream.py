"""Take audio files of any length through memory in blocks: decode, and write what has the same form."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import numpy as np

from datamodules.audio_checks import check_finite, named_errors, refuse_short, slack_samples
from datamodules.audio_io import AudioInfo, open_audio
from datamodules.audio_output import Target, open_output
from datamodules.tag_blocks import copy_flac_blocks, copy_id3

_LARGEST_RIFF_BYTES = 2**32 - 2**16  # Sizes in a WAV header are 32-bit numbers; this leaves room for the header itself.


def read_blocks(path: str | os.PathLike[str], block_samples: int) -> Iterator[np.ndarray]:
    """Decode a file block by block, checking it on the way.

    Yields:
        float64 blocks (C, n <= block_samples), which hold 32-bit integers and doubles exactly.

    Raises:
        AudioFileError: if the file cannot be decoded, ends early or holds NaN or infinity.
    """
    decoded_samples = 0
    with open_audio(path) as file:
        while True:
            with named_errors(path):
                block = file.read(block_samples, dtype="float64", always_2d=True)
            check_finite(path, block)
            decoded_samples += len(block)
            if len(block) == 0:
                break
            yield np.ascontiguousarray(block.T)
        refuse_short(path, decoded_samples + slack_samples(file), file.frames, "samples")


def open_like(source: AudioInfo, path: str | os.PathLike[str]) -> AbstractContextManager[Callable[[np.ndarray], None]]:
    """Open an output file with the container, sample format, rate, channels, byte order and tags of another file.

    A WAV file that would exceed the 4 GiB its header can count becomes an RF64 file (EBU Tech 3306).

    Args:
        source: the file to be like.
        path: the file to write.

    Returns:
        a context manager as `datamodules.audio_output.open_output`.

    Raises:
        AudioFileError: if libsndfile reads but cannot write this kind of file.
    """
    with open_audio(source.path) as file:
        tags, endian, sample_bytes = file.copy_metadata(), file.endian, _bytes_per_sample(file.subtype)
    too_long = source.frames * source.channels * sample_bytes > _LARGEST_RIFF_BYTES
    container = "RF64" if source.format in {"WAV", "WAVEX"} and too_long else source.format
    form = Target(container, source.subtype, source.sample_rate_hz, source.channels, endian)
    copy_tags = {"FLAC": copy_flac_blocks, "MP3": copy_id3}.get(source.format)
    return open_output(path, replace(form, finish=partial(copy_tags, source.path)) if copy_tags else replace(form, tags=tags))


def _bytes_per_sample(subtype: str) -> int:
    known = {"DOUBLE": 8, "FLOAT": 4, "PCM_32": 4, "PCM_24": 3, "PCM_16": 2}
    return known.get(subtype, 1)
