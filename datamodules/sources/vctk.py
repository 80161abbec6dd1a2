"""The VCTK corpus, read sentences of about 110 speakers at 48 kHz, under three protocols.

Yamagishi, Veaux and MacDonald, "CSTR VCTK Corpus", University of Edinburgh, 2019 (version 0.92), https://doi.org/10.7488/ds/2645.
Kuleshov, Enam and Ermon, "Audio Super-Resolution using Neural Networks", 2017, and the lists of speakers in the public repository
kuleshov/audio-super-res: `single_speaker` and `multi_speaker`.
"""

from collections import defaultdict
from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.sources import Recording, Source
from datamodules.sources.about import VCTK, first_folder
from datamodules.splits import Split

PROTOCOLS = ("official", "single_speaker", "multi_speaker")
MICROPHONES = ("mic1", "mic2")
FOLDERS = ("wav48_silence_trimmed", "wav48")
"""Of version 0.92, and of those before."""

OFFICIAL_TEST = ("p360", "p361", "p362", "p363", "p364", "p374", "p376", "s5")
OFFICIAL_VAL = ("p347", "p351")
OFFICIAL_NOT = ("p280", "p315")
MULTI_TEST = ("p351", "p360", "p361", "p362", "p363", "p364", "p374", "p376")
MULTI_VAL = ("p345", "p347")
SINGLE, SINGLE_VAL = "p225", "p228"
SINGLE_TRAIN_FILES, SINGLE_TEST_FILES = 223, 8


class VCTKSource(Source):
    """List sentences by one of three protocols.

    - `official`: speakers p360 to p364, p374, p376 and s5 test, as the public evaluation kit ssr_eval has it, without p280 and
      p315; p347 and p351 validate, all others train. VCTK itself comes without a split.
    - `single_speaker`: of p225 the first 223 sentences train and the last 8 test, as published. The paper validates on what it
      tests; here the first 8 sentences of p228 validate, so that none of the 231 of p225 is lost or in two splits.
    - `multi_speaker`: the first 99 speakers (p225 to p343) train and the last 8 of the 109 of earlier versions test; the two
      between, p345 and p347, validate.

    Args:
        root: the folder that holds `wav48_silence_trimmed` (version 0.92) or `wav48` (earlier), or one above it.
        protocol: one of `PROTOCOLS`.
        microphone: of version 0.92, which has two recordings of each sentence.
    """

    kind = "speech"

    def __init__(self, root: str, protocol: str = "official", microphone: str = "mic1") -> None:
        """Remember the folder; nothing is read before `recordings()`.

        Raises:
            ValueError: if there is no such protocol or microphone.
        """
        for key, value, known in (("protocol", protocol, PROTOCOLS), ("microphone", microphone, MICROPHONES)):
            if value not in known:
                raise ValueError(f"data.{key}={value!r} must be one of {', '.join(known)}")
        super().__init__(root)
        self.protocol, self.microphone = protocol, microphone

    def recordings(self) -> list[Recording]:
        """List the readable sentences that the protocol uses, speaker by speaker; see `Source.recordings`."""
        folder = next((found for name in FOLDERS if (found := first_folder(self.root, name))), None)
        files = self._files(folder) if folder else {}
        if not files:
            raise ValueError(VCTK.missing(f"the folder of speakers {' or '.join(FOLDERS)}", self.place))
        chosen = self._single(files) if self.protocol == "single_speaker" else self._by_speaker(files)
        seconds, self.skipped = self.readable(list(chosen))
        return [Recording(str(path), length, chosen[path], self._group(path)) for path, length in seconds.items()]

    def _files(self, folder: Path) -> dict[str, list[Path]]:
        """Return the sentences of each speaker, both in the order of their names."""
        files: dict[str, list[Path]] = defaultdict(list)
        others = tuple(f"_{name}" for name in MICROPHONES if name != self.microphone)
        for path in scan_folder(folder).files:
            if not path.stem.endswith(others):
                files[path.parent.name].append(path)
        return dict(sorted(files.items()))

    def _by_speaker(self, files: dict[str, list[Path]]) -> dict[Path, Split]:
        return {path: split for speaker, paths in files.items() if (split := self._split(speaker)) for path in paths}

    def _split(self, speaker: str) -> Split | None:
        """Return the split of a speaker, None for one that the protocol leaves out."""
        test, val = (OFFICIAL_TEST, OFFICIAL_VAL) if self.protocol == "official" else (MULTI_TEST, MULTI_VAL)
        if speaker in test:
            return "test"
        if speaker in val:
            return "val"
        is_used = speaker not in OFFICIAL_NOT if self.protocol == "official" else speaker < min(MULTI_VAL)
        return "train" if is_used else None

    def _single(self, files: dict[str, list[Path]]) -> dict[Path, Split]:
        missing = [speaker for speaker in (SINGLE, SINGLE_VAL) if speaker not in files]
        if missing:
            looked_for = f"the speakers {SINGLE} and {SINGLE_VAL} of data.protocol=single_speaker ({missing[0]} is missing)"
            raise ValueError(VCTK.missing(looked_for, self.place))
        own = files[SINGLE]
        split: dict[Path, Split] = dict.fromkeys(own[: len(own) - SINGLE_TEST_FILES][:SINGLE_TRAIN_FILES], "train")
        split |= dict.fromkeys(own[-SINGLE_TEST_FILES:], "test")
        return split | dict.fromkeys(files[SINGLE_VAL][:SINGLE_TEST_FILES], "val")

    def _group(self, path: Path) -> str:
        """Return the speaker, or the sentence where one speaker is in two splits by design."""
        return path.stem if self.protocol == "single_speaker" else path.parent.name
