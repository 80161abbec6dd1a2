"""Decode windows straight from the audio files, for data sets that are too large to be cached (`data.cache=stream`)."""

import logging
import math
from collections.abc import Sequence

import numpy as np

from datamodules.audio import io as audio_io
from datamodules.audio import open_files
from datamodules.audio.decoding import mix
from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.io import AudioFileError, AudioInfo
from datamodules.audio.library_lines import is_told_of
from datamodules.audio.probing import probe_all
from datamodules.sources import Recording

_CLAIMED_LENGTHS = frozenset({"OGG", "MP3"})  # Formats whose header or last page may claim any length.
_CHECKED_PARTS = 16
_HOLDS_ITS_LENGTH = "holds its length"
_MARGIN_SAMPLES = 512  # Decoded on both sides, at the lower rate: three times what the resampler hears around a sample.

log = logging.getLogger(__name__)


class StreamedRecordings:
    """Recordings that are decoded, mixed and resampled anew for every window; files that were read last stay open.

    Args:
        recordings: what to read; files whose header cannot be read are named once in a warning and left out.
        sample_rate: wanted, in Hz.
        channels: wanted; see `decoding.mix`.
        facts: what is known of the files.
    """

    def __init__(self, recordings: Sequence[Recording], sample_rate: int, channels: int, facts: FileFacts = NO_FACTS) -> None:
        """Read the headers."""
        open_files.SHARED.close()  # Files may have been replaced.
        probed = [_checked(result, facts) for result in probe_all([recording.path for recording in recordings], facts)]
        self.skipped = [str(result) for result in probed if isinstance(result, AudioFileError)]
        self._infos = [result for result in probed if isinstance(result, AudioInfo)]
        self.recordings = [item for item, info in zip(recordings, probed, strict=True) if isinstance(info, AudioInfo)]
        self._sample_rate, self._channels = sample_rate, channels

    def len_samples(self, index: int) -> int:
        """Return the length of a recording; see `Recordings`."""
        info = self._infos[index]
        return audio_io.resampled_length(info.frames, info.sample_rate_hz, self._sample_rate)

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return a part of a recording; see `Recordings`.

        The decoded part begins where a sample of the file and a sample of the result coincide, so that the window is the
        same as if the whole recording had been resampled.

        Raises:
            AudioFileError: if the file is damaged in this place.
            OSError: if the system lets no further file be opened.
        """
        info = self._infos[index]
        from_hz, to_hz = info.sample_rate_hz, self._sample_rate
        margin = 0 if from_hz == to_hz else _MARGIN_SAMPLES * math.ceil(max(1.0, from_hz / to_hz))
        period = from_hz // math.gcd(from_hz, to_hz)
        first = max(0, start * from_hz // to_hz - margin) // period * period
        last = min(info.frames, -(-(start + count) * from_hz // to_hz) + margin)
        native = mix(open_files.SHARED.read(info.path, first, last - first), self._channels)
        skipped = start - first * to_hz // from_hz
        return audio_io.resample(native, from_hz, to_hz)[:, skipped : skipped + count]


def _checked(result: AudioInfo | AudioFileError, facts: FileFacts) -> AudioInfo | AudioFileError:
    """Look for audio in the second half of what a header claims, and name a file that has none there in a warning."""
    if isinstance(result, AudioFileError) or result.format not in _CLAIMED_LENGTHS:
        return result
    seen = facts.look(result.path)
    if seen.recall(_HOLDS_ITS_LENGTH):
        return result
    try:
        for part in range(_CHECKED_PARTS // 2, _CHECKED_PARTS):
            audio_io.read(result.path, result.frames * part // _CHECKED_PARTS, 1)
    except AudioFileError as error:
        log.warning("skipped %s", error)
        return error
    if not is_told_of(result.path):
        seen.remember(_HOLDS_ITS_LENGTH, True)
    return result
