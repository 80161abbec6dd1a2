"""What a recording must offer to be of use in a split."""

from dataclasses import dataclass

from datamodules.cache import Recordings
from datamodules.levels import has_sound, why_silent
from datamodules.splits import Split


@dataclass(frozen=True)
class Needs:
    """What a recording must offer to be of use.

    Attributes:
        sample_rate: in Hz.
        train_samples: shortest length in train.
        eval_samples: shortest length in val and test.
        silence_db: level in dBFS that a training window of it must have; see `levels.is_silent`.
        bandwidth_hz: estimated bandwidth that it must have, if it has an estimate; None asks for none.
    """

    sample_rate: int
    train_samples: int
    eval_samples: int
    silence_db: float | None = None
    bandwidth_hz: float | None = None

    def samples(self, split: Split) -> int:
        """Return the shortest length in a split."""
        return self.train_samples if split == "train" else self.eval_samples

    def flaw(self, opened: Recordings, index: int, split: Split) -> str:
        """Say why a recording is of no use in a split, in a sentence that begins with its path; empty if it is of use."""
        length = opened.len_samples(index)
        if length < self.samples(split):
            path = opened.recordings[index].path
            return f"{path}: has {length} samples at {self.sample_rate} Hz, and split {split!r} needs {self.samples(split)}"
        if not has_sound(opened, index, self.silence_db, self.train_samples):
            return why_silent(opened, index, self.silence_db)
        return ""
