"""What recordings exist: one module per data set, all with the same small interface."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.probing import absolute, readable_files
from datamodules.splits import Split


@dataclass(frozen=True)
class Recording:
    """One clean recording.

    Attributes:
        path: where the file lies.
        seconds: its duration.
        split: the only split that may use it.
        group: the piece, speaker or album that it belongs to; a group lies in one split.
        by_hash: whether the hash of the group decided the split, and not the data set; it may then be decided anew.
        part_samples: start and length where only a part of the file is meant, at the rate of the data module.
        corrupted: where its recorded corrupted partner lies, in a corpus of pairs.
        name: in manifests of evaluations; None is its path relative to the root.
        bandwidth_hz: highest frequency at which it holds sound, where that is known.
        share: label and weight of what it belongs to, where training windows are drawn by weights and not by length.
        labels: what is known of it, by task; see `labels.TASKS`.
    """

    path: str
    seconds: float
    split: Split
    group: str
    by_hash: bool = False
    part_samples: tuple[int, int] | None = None
    corrupted: str | None = None
    name: str | None = None
    bandwidth_hz: float | None = None
    share: tuple[str, float] | None = None
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def heard(self) -> str:
        """Return the path of what is restored, which no other recording has: the partner's if there is one."""
        return self.corrupted or self.path


class Source(ABC):
    """A data set of clean recordings.

    Args:
        root: the folder that the recordings lie in; evaluation manifests name files relative to it.

    Attributes:
        root_key: of the configuration that names the folder, for sentences about it.
        root: the same as an absolute path.
        kind: `speech`, or `music` for anything else; of folders known after `recordings()`.
        skipped: after `recordings()`, one sentence per file that could not be used.
        facts: what is known of its files from earlier starts; the data module says where that is kept.
    """

    facts: FileFacts = NO_FACTS
    root_key: str = "data.root"
    kind: Literal["music", "speech"] = "music"

    def __init__(self, root: str | Path) -> None:
        """Remember the folder; nothing is read before `recordings()`."""
        self.root = absolute(root)
        self.skipped: list[str] = []

    def readable(self, paths: Sequence[Path]) -> tuple[dict[Path, float], list[str]]:
        """Return the seconds of each readable file, in the order given, and a sentence per other one; see `readable_files`."""
        return readable_files(paths, self.facts)

    @property
    def place(self) -> str:
        """Write the key of the folder with its value."""
        return f"{self.root_key}={self.root}"

    @property
    def dividing_keys(self) -> tuple[str, ...]:
        """Name the keys that were given and say which recordings are held out, and nothing else."""
        return ()

    @abstractmethod
    def recordings(self) -> list[Recording]:
        """List the readable recordings of all splits, always in the same order.

        Raises:
            ValueError: if there is none, or the root is missing.
        """

    def planned(self) -> list[Recording]:
        """List what `recordings()` will, as far as it is known without writing anything.

        Raises:
            ValueError: as `recordings()`.
        """
        return self.recordings()
