"""How large a file may be that a stranger hands in, whose whole sound is then held in memory."""

import os
from dataclasses import dataclass

from datamodules.audio.checks import AudioFileError
from datamodules.audio.info import AudioInfo

USUAL_SAMPLES_PER_SECOND = 2 * 48_000
"""Of stereo at 48 kHz."""


@dataclass(frozen=True)
class Bounds:
    """What a file may have at most.

    Attributes:
        megabytes: of the file.
        seconds: of its sound, and of stereo at 48 kHz with as many samples.
    """

    megabytes: float
    seconds: float

    def check(self, source: AudioInfo) -> None:
        """Refuse a file that is too large.

        Raises:
            AudioFileError: with what the file has, and what is taken.
        """
        megabytes = os.path.getsize(source.path) / 1e6
        if megabytes > self.megabytes:
            raise AudioFileError(source.path, f"has {megabytes:.1f} MB; at most {self.megabytes:g} MB are taken here")
        seconds = source.frames / source.sample_rate_hz
        if seconds > self.seconds:
            raise AudioFileError(source.path, f"lasts {seconds:.1f} s; at most {self.seconds:g} s are taken here")
        usual_seconds = source.frames * source.channels / USUAL_SAMPLES_PER_SECOND
        if usual_seconds > self.seconds:
            form = f"{source.channels} channels at {source.sample_rate_hz} Hz have as many samples as"
            taken = f"at most {self.seconds:g} s of that are taken here"
            raise AudioFileError(source.path, f"{form} {usual_seconds:.1f} s of stereo at 48 kHz; {taken}")
