"""Use a cache whose folder cannot be written to, as long as nothing that could be decoded is missing."""

from collections.abc import Sequence

from datamodules.audio.decoding import decode_blocks
from datamodules.audio.io import AudioFileError
from datamodules.cache_format import CacheFormat
from datamodules.parallel import parallel_map
from datamodules.sources import Recording


class _ReadableError(Exception):
    """A recording can be decoded."""


def flaws_of_all(recordings: Sequence[Recording], layout: CacheFormat) -> dict[str, str] | None:
    """Decode recordings and keep nothing, until one of them is whole.

    Returns:
        What is wrong with each, by its path; None if one can be decoded, and so belongs into the cache.
    """
    try:
        flaws = parallel_map(lambda recording: _flaw(recording.path, layout), recordings, "Trying what the cache lacks")
    except _ReadableError:
        return None
    return {recording.path: flaw for recording, flaw in zip(recordings, flaws, strict=True)}


def _flaw(path: str, layout: CacheFormat) -> str:
    try:
        for _ in decode_blocks(path, layout.sample_rate, layout.channels):
            pass
    except AudioFileError as error:
        return str(error)
    raise _ReadableError
