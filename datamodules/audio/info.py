"""What the header of an audio file says."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AudioInfo:
    """What the header of an audio file says.

    Attributes:
        path: the file.
        sample_rate_hz: in Hz.
        channels: count.
        frames: samples of each channel.
        format: libsndfile's name of the container; of what PyAV reads, the ending of the file's name.
        subtype: libsndfile's name of the sample format or codec; of what PyAV reads, its name of the codec.
        held_by: libsndfile's name of the sample format that holds what PyAV decodes; else empty.
    """

    path: Path
    sample_rate_hz: int
    channels: int
    frames: int
    format: str
    subtype: str
    held_by: str = ""
