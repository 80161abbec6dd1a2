"""Pairs in the manner of Aurora 2: any speech with any noise in the band of a telephone, at -5 to 20 dB in steps of 5.

Hirsch and Pearce, "The Aurora Experimental Framework for the Performance Evaluation of Speech Recognition Systems under Noisy
Conditions", ISCA ASR2000: speech and noise are filtered by G.712 at 8 kHz and added at a ratio that is taken of the filtered
signals. Here a ratio is that of the energies of whole files; the original takes the level of active speech (ITU-T P.56), which is
higher where a file has pauses. The original digits and noises are not free; their folders do as any others.
"""

import functools
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.audio import io as audio_io
from datamodules.audio.decoding import decode_blocks
from datamodules.audio.io import AudioFileError
from datamodules.audio.output import OutputError
from datamodules.audio.probing import absolute
from datamodules.corruptions.g712 import G712
from datamodules.draws import choices, scale_to_snr
from datamodules.parallel import tracked
from datamodules.seeding import generator_for
from datamodules.sources import Recording, Source
from datamodules.sources.folder import FolderSource

RATE_HZ = 8000
SNRS_DB = (20, 15, 10, 5, 0, -5)
_PEAK = 0.99
_MIXING = "1"  # Part of the folder's name; to be raised when the same parameters sound different.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Mixture:
    """A file of speech, the noise that is added to it, at which ratio, and the file for the sum."""

    noise: Recording
    snr_db: int
    path: Path


class AuroraSource(Source):
    """Mix pairs once, into files, and list them.

    Each file of speech in train and val is mixed with one noise at one ratio, both drawn by its name; in test with one noise at
    each of the six ratios, drawn likewise. Noise comes from files of the same split, so that the noises of test are not those of
    train. What would be above full scale is turned down, speech and all its mixtures alike.

    Args:
        root: folder for the mixed files; each set of parameters has its own folder below it.
        speech_root: folder of speech, split as `FolderSource` does.
        noise_root: folder of noise, likewise.
        mix_seed: changes noises and ratios. It is not the training seed: that one must not change what is evaluated.
    """

    kind = "speech"

    def __init__(self, root: str, speech_root: str, noise_root: str, mix_seed: int = 0) -> None:
        """Remember the folders; nothing is mixed before `recordings()`."""
        facts = (_MIXING, str(absolute(speech_root)), str(absolute(noise_root)), mix_seed)
        super().__init__(Path(root) / "aurora" / hashlib.sha256(repr(facts).encode()).hexdigest()[:12])
        self._speech, self._noise, self.mix_seed = FolderSource(speech_root), FolderSource(noise_root), mix_seed
        self._speech.root_key, self._noise.root_key = "data.speech_root", "data.noise_root"

    def recordings(self) -> list[Recording]:
        """Mix what is missing and list all pairs in the order of the speech; see `Source.recordings`.

        Raises:
            ValueError: if a folder is missing or lacks a split, or the mixed files cannot be written.
        """
        try:
            speech, noise = self._speech.recordings(), self._noise.recordings()
        except ValueError as error:
            raise ValueError(f"{error} (pairs are mixed into {self.root})") from error
        self.skipped = [*self._speech.skipped, *self._noise.skipped]
        mixtures = {item.path: self._mixtures(item, noise) for item in speech}
        self._mix_missing(speech, mixtures)
        return [
            replace(item, path=str(self._clean_path(item)), corrupted=str(path), name=path.relative_to(self.root).as_posix())
            for item in speech
            for path in (mixture.path for mixture in mixtures[item.path])
            if path.exists()
        ]

    def _clean_path(self, speech: Recording) -> Path:
        return self.root / "clean" / f"{speech.name}.flac"

    def _mixtures(self, speech: Recording, noise: Sequence[Recording]) -> list[_Mixture]:
        """Draw noises and ratios for a file of speech."""
        usable = [item for item in noise if item.split == speech.split]
        if not usable:
            raise ValueError(
                f"{self._noise.place} has no noise for split {speech.split!r}, of which {self._speech.place} has speech; three "
                "groups or more, or a MANIFEST.csv with columns file and split, fill all splits"
            )
        generator = generator_for(self.mix_seed, "aurora", str(speech.name))
        ratios = SNRS_DB if speech.split == "test" else [SNRS_DB[int(choices(len(SNRS_DB), (), generator))]]
        drawn = [usable[int(choices(len(usable), (), generator))] for _ in ratios]
        folder = self.root / "noisy"
        return [
            _Mixture(item, snr_db, folder / f"snr_{snr_db}" / f"{speech.name}.flac")
            for item, snr_db in zip(drawn, ratios, strict=True)
        ]

    def _mix_missing(self, speech: Sequence[Recording], mixtures: Mapping[str, Sequence[_Mixture]]) -> None:
        missing = [item for item in speech if not all(mixture.path.exists() for mixture in mixtures[item.path])]
        if missing:
            log.info("mixing %d files of speech with noise, to %s", len(missing), self.root)
        for item in tracked(missing, len(missing), "Mixing speech and noise"):
            try:
                self._mix(item, mixtures[item.path])
            except AudioFileError as error:
                log.warning("skipped %s", error)
                self.skipped.append(str(error))
            except OutputError as error:
                raise ValueError(f"{error}; set data.cache_dir to a folder that can be written to") from error

    def _mix(self, speech: Recording, mixtures: Sequence[_Mixture]) -> None:
        """Write a file of speech and its mixtures."""
        clean = _telephone(speech.path)
        generator = generator_for(self.mix_seed, "aurora offsets", str(speech.name))
        noisy = [clean + _noise(mixture, clean, generator) for mixture in mixtures]
        gain = min(1.0, _PEAK / max(float(audio.abs().max()) for audio in (clean, *noisy)))
        for path, audio in ((self._clean_path(speech), clean), *zip([each.path for each in mixtures], noisy, strict=True)):
            audio_io.write(path, (gain * audio[0]).numpy(), RATE_HZ)


def _noise(mixture: _Mixture, clean: Tensor, generator: torch.Generator) -> Tensor:
    """Return a part of the noise as long as the speech, (1, 1, T), at the ratio asked for; short noise is repeated."""
    noise = _telephone(mixture.noise.path)
    length = clean.shape[2]
    repeated = noise.repeat(1, 1, 1 + -(-length // noise.shape[2]))
    start = int(choices(noise.shape[2], (), generator))
    return scale_to_snr(clean, repeated[:, :, start : start + length], torch.tensor([float(mixture.snr_db)]))


@functools.lru_cache(16)
def _telephone(path: str) -> Tensor:
    """Decode a file to one channel at 8 kHz in the band of a telephone, (1, 1, T)."""
    audio = np.concatenate(list(decode_blocks(path, RATE_HZ, 1)), axis=1)
    return G712()(torch.from_numpy(audio)[None], RATE_HZ, torch.Generator())
