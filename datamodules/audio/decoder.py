"""What a file that is open for reading can do, whatever decodes it."""

from types import TracebackType
from typing import Protocol, Self

import numpy as np


class Decoder(Protocol):
    """What decodes a file; `soundfile.SoundFile` is one.

    Attributes:
        samplerate: in Hz.
        channels: count.
        frames: samples of each channel.
        format: libsndfile's name of the container, or another one that it does not have.
        subtype: libsndfile's name of the sample format or codec, or another one.
        endian: libsndfile's name of the byte order.
        extra_info: what libsndfile noted about the header.
    """

    samplerate: int
    channels: int
    frames: int
    format: str
    subtype: str
    endian: str
    extra_info: str

    def seekable(self) -> bool:
        """Say whether any sample can be reached."""
        ...

    def seek(self, frames: int) -> int:
        """Go to a sample."""
        ...

    def read(self, frames: int, dtype: str = "float64", *, always_2d: bool = True) -> np.ndarray:
        """Decode (n, C) from the current sample on, n below the number asked for only at the end."""
        ...

    def copy_metadata(self) -> dict[str, str]:
        """Return the text tags that libsndfile knows."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
