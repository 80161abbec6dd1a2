"""Trainings, their caches, and restorations that are killed at any moment and done again: they end with the same bits."""

import json
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.mutations import whole_file
from benchmarks.robustness.commands import TINY_NET, require_sentences, spoken
from benchmarks.robustness.killed import KILLED, Command, Kill, run_killed, run_whole
from benchmarks.robustness.tally import Case, Tally, count_held, import_what, require
from lightning_modules.runs.weights import checksum

CASES = 40
SECONDS = 300
RATE_HZ = 4000
MOST_DELAY_SECONDS = 0.005
"""After a step, by which it is still at work."""
TRAINING = (
    *("data=folder", f"data.sample_rate={RATE_HZ}", "data.window_samples=512", "data.batch_size=4", "data.samples_per_epoch=16"),
    *("data.eval_seconds=0.5", "data.eval_windows=1", "logger=csv", "examples=1", "baselines=[sinc]", "trainer=cpu"),
    *("trainer.max_epochs=4", "trainer.enable_progress_bar=false", "model=unet_small", *TINY_NET, "model.net.dropout=0.3"),
    *("scheduler@model.scheduler=plateau", "resume=auto"),
)
PLACES = {"train": ("runs", "cache"), "restore": ("restored",)}
"""Folders that a command writes to."""
LOG = "csv"
TIMES = ("training_seconds", "training_core_seconds", "real_time_factor", "git_commit")
"""What a result holds that two runs need not share."""
IDENTITIES = (b"run_id: ", b'"id": ')
"""The same of a configuration and of run.json."""


@dataclass(frozen=True)
class Whole:
    """A command that nobody killed.

    Attributes:
        folder: of what it left.
        seconds: that it took.
        steps: in each of the places, by name.
    """

    folder: Path
    seconds: float
    steps: Mapping[str, int]


def run(count: int, seed: int, folder: Path) -> Iterator[Tally]:
    """Kill a training or a restoration so many times."""
    torch.set_num_threads(1)
    audio = folder / "audio"
    audio.mkdir()
    for number in range(8):
        (audio / f"{number}.wav").write_bytes(whole_file("wav", RATE_HZ, 1, 1 + number / 8))
    import_what(partial(say_all, folder), folder)
    yield count_held("kills, each done again", cases(count, seed, folder), folder, partial(try_whole, folder), SECONDS)


def say_all(folder: Path) -> None:
    """Run each command in this process."""
    for script in PLACES:
        said = spoken(script, command(script, folder / "first").arguments, folder)
        require(said.code == 0, f"ends with {said.code} and says {said.err[-1000:]}")


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by name: three of four are trainings, every second is killed at a step in a folder, some twice."""
    wholes = {script: whole(script, folder) for script in PLACES}
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        script = "restore" if number % 4 == 3 else "train"
        kills = [drawn(script, wholes[script], bool((number + again) % 2), rng) for again in range(1 + (number % 5 == 0))]
        yield f"{number} {script} {kills}", partial(try_one, folder, wholes[script], script, kills)


def command(script: str, folder: Path) -> Command:
    """Return the command line that writes to a folder."""
    audio = folder.parent / "audio"
    folder.mkdir(exist_ok=True)
    if script == "restore":
        return Command(script, ["wiener", str(audio), "-o", str(folder / "restored")], folder)
    places = [f"data.root={audio}", f"data.cache_dir={folder / 'cache'}", f"hydra.run.dir={folder / 'runs' / 'one'}"]
    return Command(script, [*TRAINING, "run_name=one", *places], folder)


def whole(script: str, folder: Path) -> Whole:
    """Run a command to its end, and keep what it leaves."""
    work, kept = folder / "work", folder / f"whole {script}"
    shutil.rmtree(work, ignore_errors=True)
    seconds, steps = run_whole(command(script, work), PLACES[script])
    shutil.rmtree(kept, ignore_errors=True)
    work.rename(kept)
    return Whole(kept, seconds, steps)


def drawn(script: str, undisturbed: Whole, at_step: bool, rng: random.Random) -> Kill:
    """Draw when a command is killed."""
    if not at_step:
        return Kill(rng.uniform(0, undisturbed.seconds))
    place = rng.choice(PLACES[script])
    return Kill(rng.choice([0.0, rng.uniform(0, MOST_DELAY_SECONDS)]), place, rng.randint(1, undisturbed.steps[place]))


def try_whole(folder: Path) -> None:
    """Run each command twice to its end.

    Raises:
        BrokenError: if it does not leave the same.
    """
    for script in PLACES:
        try_one(folder, whole(script, folder), script, [])


def try_one(folder: Path, undisturbed: Whole, script: str, kills: Sequence[Kill]) -> None:
    """Kill a command at the times that are given, and then run it to its end.

    Raises:
        BrokenError: if it does not end, or what is there then is not what one leaves that was not killed.
    """
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    for number, kill in enumerate(kills):
        code = run_killed(command(script, work), kill)
        while code == 0 and not number:  # it had come to its end, and nothing was killed
            shutil.rmtree(work)
            kill = kill.sooner()
            code = run_killed(command(script, work), kill)
        require(code in (KILLED, 0), f"ends with {code} before it is killed: {_said(work)}")
    code = run_killed(command(script, work), Kill(SECONDS))
    require(code == 0, f"ends with {code} and says {_said(work)}")
    require_sentences(_said(work))
    for place in PLACES[script]:
        require_same(undisturbed.folder / place, work / place)


def _said(work: Path) -> str:
    return (work / "err.txt").read_text(encoding="utf-8")[-1000:]


def require_same(wanted: Path, there: Path) -> None:
    """Compare two folders by their files and what these hold, times excepted.

    Raises:
        BrokenError: naming what differs.
    """
    before, after = contents(wanted), contents(there)
    more, fewer = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    require(not (more or fewer), f"leaves {more} and has no {fewer}")
    differing = [name for name in before if before[name] != after[name]]
    require(not differing, "; ".join(f"{name}: {before[name]} and {after[name]}"[:600] for name in differing))


def contents(folder: Path) -> dict[str, Any]:
    """Return what the files of a folder hold by name; the log has a part for each start, and is left out."""
    names = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    return {name: content(path) for name, path in names.items() if LOG not in path.parts and path.is_file()}


def content(path: Path) -> Any:
    """Return what a file holds, but for times and identities."""
    if path.suffix == ".ckpt":
        return checksum(torch.load(path, weights_only=True)["state_dict"])
    if path.name == "result.json":
        return {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key not in TIMES}
    return [line for line in path.read_bytes().splitlines() if not line.strip().startswith(IDENTITIES)]
