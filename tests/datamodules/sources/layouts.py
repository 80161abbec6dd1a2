"""Folders in the shape of public data sets, with files of a tenth of a second."""

from pathlib import Path

import numpy as np
import soundfile

VCTK_SPEAKERS = ("p225", "p226", "p228", "p280", "p315", "p343", "p345", "p347", "p351", "p360", "p362", "p376", "s5")


def write(path: Path, seed: int | None = None, rate_hz: int = 8000, samples: int = 800) -> None:
    """Write noise of a seed, of the path's if there is none, so that no two files are equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, str(path))) if seed is None else seed
    soundfile.write(path, 0.05 * np.random.default_rng(seed).standard_normal(samples), rate_hz)


def voicebank(root: Path) -> None:
    """Both training sets of a few speakers, and the test set."""
    for speakers, names in ((28, ("p226", "p227", "p287")), (56, ("p234", "p237", "p294", "p376"))):
        for side in ("clean", "noisy"):
            for name in names:
                for number in range(2):
                    write(root / f"{side}_trainset_{speakers}spk_wav" / f"{name}_{number:03d}.wav")
    for side in ("clean", "noisy"):
        for name in ("p232", "p257"):
            write(root / f"{side}_testset_wav" / f"{name}_001.wav")


def vctk(root: Path) -> None:
    """Version 0.92: two microphones, a few speakers, and of p225 all 231 sentences."""
    for speaker in VCTK_SPEAKERS:
        for number in range(231 if speaker == "p225" else 10):
            for microphone in ("mic1", "mic2"):
                write(root / "wav48_silence_trimmed" / speaker / f"{speaker}_{number:03d}_{microphone}.flac", number, samples=80)


def beethoven(root: Path) -> None:
    """Two movements of each of the 32 sonatas."""
    for sonata in range(1, 33):
        for movement in (1, 2):
            write(root / f"Piano Sonata No. {sonata:02d} - {movement}.wav", 10 * sonata + movement)


def magnatagatune(root: Path) -> None:
    """Two clips of one song in each folder."""
    for folder in "0123456789abcdef":
        for second in (0, 29):
            write(root / folder / f"artist-album-01-song_{folder}-{second}-{second + 29}.wav")


def spear(root: Path) -> None:
    """Three texts, each clean and with two noises."""
    for number, text in enumerate(("bigtips", "butter", "cafe")):
        write(root / "Clean" / f"{text}_16.wav", number)
        for noise in ("white", "pink"):
            write(root / "Noisy" / f"{text}_{noise}r1_16.wav", 10 + number)


def aurora(root: Path) -> None:
    """Speech of three speakers and noise of three places, one for each split."""
    for kind, names in (("speech", "abc"), ("noise", "xyz")):
        rows = ["file,split"]
        for name, split in zip(names, ("train", "val", "test"), strict=True):
            write(root / kind / f"{name}.wav", ord(name), 16_000, 8000 if kind == "speech" else 3000)
            rows.append(f"{name}.wav,{split}")
        (root / kind / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
