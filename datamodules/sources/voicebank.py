"""VoiceBank+DEMAND: read sentences with recorded noise, the set of 28 training speakers or of 56, and the official test set.

Valentini-Botinhao, "Noisy speech database for training speech enhancement algorithms and TTS models", University of Edinburgh,
2017, https://doi.org/10.7488/ds/2117. The test set, two speakers and five noises that no training set has, is the same for both.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.sources import Recording, Source
from datamodules.sources.about import VOICEBANK, first_folder
from datamodules.sources.paired import tell_alone, with_partners
from datamodules.splits import Split

log = logging.getLogger(__name__)

VALIDATION_OF_28 = ("p226", "p287")
"""Speakers that public recipes hold out of the 28 (SpeechBrain, MetricGAN-U, SGMSE): 770 of the 11,572 files."""


class VoiceBankSource(Source):
    """List pairs of clean and noisy sentences, each speaker in one split.

    Args:
        root: the folder that holds the unpacked `clean_trainset_28spk_wav`, `noisy_testset_wav` and so on, or one above it.
        speakers: 28 or 56, the training set.
        validation_speakers: of the training set; None holds out p226 and p287 of the 28, and the last two by name of the 56,
            for which no choice is agreed on.
    """

    kind = "speech"

    def __init__(self, root: str, speakers: int = 28, validation_speakers: Sequence[str] | None = None) -> None:
        """Remember the folder; nothing is read before `recordings()`.

        Raises:
            ValueError: if there is no such training set.
        """
        if speakers not in (28, 56):
            raise ValueError(f"data.speakers={speakers} must be 28 or 56, the two training sets of VoiceBank+DEMAND")
        super().__init__(root)
        self.speakers, self.validation_speakers = speakers, validation_speakers

    @property
    def dividing_keys(self) -> tuple[str, ...]:
        """See `Source.dividing_keys`."""
        return () if self.validation_speakers is None else ("validation_speakers",)

    def recordings(self) -> list[Recording]:
        """List the pairs, training set first, in the order of their names; see `Source.recordings`."""
        self.skipped = []
        train, test = self._pairs(f"trainset_{self.speakers}spk_wav"), self._pairs("testset_wav")
        if not train and not test:
            folders = f"clean_trainset_{self.speakers}spk_wav, noisy_trainset_{self.speakers}spk_wav, clean_testset_wav"
            found = f" ({self.skipped[0]})" if self.skipped else ""
            raise ValueError(VOICEBANK.missing(f"{folders} and noisy_testset_wav{found}", self.place))
        held_out = self._held_out(train)
        listed = [replace(item, split="val" if item.group in held_out else "train") for item in train]
        return listed + [replace(item, split="test") for item in test]

    def _pairs(self, kind: str) -> list[Recording]:
        clean, noisy = (first_folder(self.root, f"{side}_{kind}") for side in ("clean", "noisy"))
        if clean is None or noisy is None:
            self._tell_half(clean or noisy, f"{'noisy' if noisy is None else 'clean'}_{kind}")
            return []
        seconds, unreadable = self.readable(list(scan_folder(clean).files))
        listed = [_recording(path, length) for path, length in seconds.items()]
        paired, alone = with_partners(listed, clean, noisy)
        tell_alone(alone)
        self.skipped += [*unreadable, *alone]
        return paired

    def _tell_half(self, there: Path | None, missing: str) -> None:
        """Name a folder whose partner is missing; it is no matter where neither is there."""
        if there is not None:
            self.skipped.append(f"{there}: its partner {missing} is not there")
            log.warning("skipped %s", self.skipped[-1])

    def _held_out(self, train: Sequence[Recording]) -> set[str]:
        there = sorted({item.group for item in train})
        if self.validation_speakers is None:
            return set(VALIDATION_OF_28 if self.speakers == 28 else there[-2:])
        unknown = sorted(set(self.validation_speakers) - set(there))
        if unknown and train:
            raise ValueError(
                f"data.validation_speakers={list(self.validation_speakers)}: {', '.join(unknown)} must be of the training set, "
                f"which has {', '.join(there)}"
            )
        return set(self.validation_speakers)


def _recording(path: Path, seconds: float) -> Recording:
    split: Split = "train"  # Decided by the folder, afterwards.
    return Recording(str(path), seconds, split, path.stem.partition("_")[0])
