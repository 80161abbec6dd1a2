"""A picture of what restoring did to a file: its spectrogram before and after."""

from pathlib import Path

import torch

from datamodules.audio import io as audio_io
from datamodules.audio.tree import RestoreJob
from lightning_modules.runs.figures import save_spectrograms

PICTURED_SECONDS = 30.0
"""From the beginning of what is restored; more would not be told apart in a picture, and memory would grow with the file."""
PICTURED_VALUES = 2**24
"""At most, of all channels together: fewer seconds of files of many channels or high rates."""


def save_picture(job: RestoreJob) -> Path:
    """Draw the beginning of a file before and after it was restored, and save it as a PNG beside the result.

    Args:
        job: that is done.

    Returns:
        The picture, named like the result with .png added.

    Raises:
        AudioFileError: if one of the two files cannot be read.
        OSError: if the picture cannot be written.
    """
    rate_hz = job.source.sample_rate_hz
    count = min(len(job.samples), int(PICTURED_SECONDS * rate_hz), PICTURED_VALUES // job.source.channels)
    before = torch.from_numpy(audio_io.read(job.source.path, job.samples.start, count))
    after = torch.from_numpy(audio_io.read(job.output, 0, count))
    path = job.output.with_name(f"{job.output.name}.png")
    save_spectrograms(path, {"before": before, "restored": after}, rate_hz, job.source.path.name)
    return path
