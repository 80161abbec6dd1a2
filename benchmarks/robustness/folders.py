"""Fifty damaged files beside a few sound ones: a network is trained on the folder and evaluated on it."""

import itertools
import json
import math
import re
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.mutations import whole_file
from benchmarks.robustness.commands import TINY_NET, require_sentences, spoken
from benchmarks.robustness.tally import Case, require

FILES = 50
SOUND = {f"sound{number}.wav": 1 + number / 8 for number in range(8)}
"""Names of sound recordings, and their seconds."""
SMALL = (
    *("data=folder", "data.sample_rate=16000", "data.window_samples=512", "data.batch_size=2", "data.samples_per_epoch=4"),
    *("data.eval_seconds=0.5", "data.eval_windows=1", "logger=csv", "examples=0", "baselines=[]"),
)
ONE_BATCH = ("trainer=cpu", "trainer.max_epochs=1", *(f"trainer.limit_{part}_batches=1" for part in ("train", "val", "test")))
File = tuple[str, bytes]


def cases(files: Iterable[File], folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by the first of their damaged files, which come by name with their content."""
    left = iter(files)
    while some := list(itertools.islice(left, FILES)):
        yield f"{FILES} files from {some[0][0]} on", partial(try_one, folder / "folder", some)


def try_one(folder: Path, files: Iterable[File]) -> None:
    """Train and evaluate on damaged files beside sound ones.

    Raises:
        BrokenError: if either ends with an error, or without a result, or a file is neither used nor named.
    """
    shutil.rmtree(folder, ignore_errors=True)
    audio = folder / "audio"
    audio.mkdir(parents=True)
    for name, content in [*((name, whole_file("wav", seconds=seconds)) for name, seconds in SOUND.items()), *files]:
        (audio / name).write_bytes(content)
    shared = [*SMALL, f"data.root={audio}", f"data.cache_dir={folder / 'cache'}"]
    run = folder / "run"
    _require_result("train", ["model=unet_small", *TINY_NET, *ONE_BATCH, *shared], run, audio)
    lines = "".join(f"{path.name},test,{path.name}\n" for path in sorted(audio.iterdir()))
    (audio / "MANIFEST.csv").write_text(f"file,split,group\n{lines}", encoding="utf-8")
    _require_result("evaluate", [f"checkpoint={run}", *shared], folder / "evaluation", audio)


def _require_result(script: str, arguments: list[str], run: Path, audio: Path) -> None:
    said = spoken(script, [*arguments, f"hydra.run.dir={run}"], audio.parent)
    told = said.text
    require_sentences(told)
    require(said.code == 0, f"{script} ends with {said.code} and says {said.err[-1000:]!r}")
    score = json.loads((run / "result.json").read_text(encoding="utf-8"))["objective"]
    require(math.isfinite(score), f"{script} scores {score}")
    there = {path.name for path in audio.iterdir()} - {"MANIFEST.csv"}
    named = {name for line in told.splitlines() if "skipped " in line for name in there if f"/{name}: " in line}
    used = sum(map(int, re.findall(r"(\d+) recordings, ", told)))
    counted = f"{script} uses {used} files of {len(there)} and names {len(named)}"
    require(len(named) + used == len(there), f"{counted}: {told[-600:]!r}")
