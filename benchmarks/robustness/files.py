"""Damaged sound files: restored one by one, and by fifty in the folders that networks are trained and evaluated on."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks.mutations import CONTAINERS, mutated, whole_file
from benchmarks.robustness import folders
from benchmarks.robustness.commands import require_sentences, spoken
from benchmarks.robustness.tally import Case, Tally, count_held, require

CASES = 2000
METHOD = "cubic_spline"
_BLOCK_FRAMES = 1024
MP3_DELAY_FRAMES = 529
"""Of a decoder of layer III: 528 samples and one."""


def run(count: int, seed: int, folder: Path) -> Iterator[Tally]:
    """Damage that many files of every container in turn; restore each, then train and evaluate on all."""
    torch.set_num_threads(1)
    normal = partial(try_one, folder / "whole.wav", whole_file("wav"))
    yield count_held("files restored", cases(count, seed, folder), folder, normal)
    title = f"folders of {folders.FILES} files trained on and evaluated"
    normal = partial(folders.try_one, folder / "folder", [])
    yield count_held(title, folders.cases(damaged(count, seed), folder), folder, normal)


def damaged(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Give the names and contents of damaged files."""
    whole = {container: whole_file(container) for container in CONTAINERS}
    for number in range(count):
        container = list(whole)[number % len(whole)]
        yield f"{number}.{container}", mutated(whole[container], np.random.default_rng([seed, number]))


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by the names of their files."""
    for name, content in damaged(count, seed):
        yield name, partial(try_one, folder / name, content)


def try_one(path: Path, content: bytes) -> None:
    """Write a file and restore it.

    Raises:
        BrokenError: if the exit code and what is there of the result disagree, the result is shorter than what can be decoded
            of the file, something else is left, or a refusal does not name the file.
    """
    path.write_bytes(content)
    results = path.parent / f"{path.name}.restored"
    said = spoken("restore", [METHOD, str(path), "-o", str(results)], path.parent)
    code, told = said.code, said.text
    require_sentences(told)
    left = sorted(file.name for file in results.iterdir()) if results.exists() else []
    require((code, left) in ((0, [path.name]), (1, [])), f"ends with {code}, leaves {left} and says {told[:300]!r}")
    if code:
        require(path.name in told, f"does not name the file: {told[:300]!r}")
    else:
        frames, decoded = soundfile.info(str(results / path.name)).frames, decoded_frames(path)
        require(frames >= max(decoded, 1), f"{frames} frames are left of {decoded}")


def decoded_frames(path: Path) -> int:
    """Count the frames that libsndfile decodes of a file until its end or an error.

    Of an MP3 it may decode the delay of the decoder too, which is left out here, and of a W64 whatever bytes stand behind the
    sound: there the sizes that the file itself names are the limit.
    """
    count = 0
    try:
        with soundfile.SoundFile(path) as file:
            while len(block := file.read(_BLOCK_FRAMES, "float32")):
                count += len(block)
    except soundfile.LibsndfileError:
        pass
    if path.suffix == ".mp3":
        return max(0, count - MP3_DELAY_FRAMES)
    return min(count, w64_frames(path.read_bytes(), count)) if path.suffix == ".w64" else count


def w64_frames(content: bytes, otherwise: int) -> int:
    """Count the frames of the first data chunk of a W64 file; `otherwise` if the sizes of the chunks lead to none.

    The file begins with 40 bytes; a chunk with 16 of a name, and 8 of its size, these 24 included; it ends at a multiple of 8.
    """
    place, frame_bytes = 40, 1
    while place + 24 <= len(content):
        size = int.from_bytes(content[place + 16 : place + 24], "little")
        if content[place : place + 4] == b"data":
            return max(0, min(place + size, len(content)) - place - 24) // frame_bytes
        if content[place : place + 4] == b"fmt ":
            frame_bytes = max(1, int.from_bytes(content[place + 36 : place + 38], "little"))
        if size < 24:
            break
        place += size + -size % 8
    return otherwise
