"""The commands that make the tables, run and resumed by the runner of the grid of results."""

import re
from collections.abc import Iterable

from benchmarks.modular_gan.rows import GAN, LEARNED, TABLES, TASKS
from benchmarks.results_grid.jobs import CONTROLS, QUIET, Job, Place

FOLDERS = ("music", "more/music")
PATTERN = "piano_*"
RATE_HZ = 10_000


def slug(label: str) -> str:
    """Return a name for folders.

    >>> slug("G, rate kept"), slug("G+D+A"), slug("decay 0.1")
    ('G-rate-kept', 'G-D-A', 'decay-0.1')
    """
    return re.sub(r"[^\w.]+", "-", label)


def training(task: str, label: str, seed: int, place: Place) -> Job:
    """Return the training of a row."""
    learned, folder = LEARNED[label], place.run(task, slug(label), seed)
    steps = place.trial.steps if place.trial else learned.steps
    own = (f"experiment={task}", f"model={GAN}") if learned.from_experiment else (*_pairs(task), *_MONITORED[task])
    tried = place.trial.train if place.trial else ()
    length = ("trainer=cpu", f"trainer.max_steps={steps}", "trainer.max_epochs=null", "trainer.limit_test_batches=1")
    arguments = (*own, *learned.keys, *tried, f"seed={seed}", *_shared(place, folder), *length, "baselines=[]", "resume=auto")
    return Job(folder, ("train.py", *arguments))


_MONITORED = {"piano_5_to_10khz": ("monitor=val/lsd", "mode=min"), "piano_denoise_10khz": (), "piano_dereverb_10khz": ()}


def evaluation(task: str, place: Place, label: str = CONTROLS, seed: int | None = None, seconds: int = 0) -> Job:
    """Return the evaluation of a training, or of a task's controls.

    Args:
        task: whose pairs.
        place: where everything is.
        label: of the row.
        seed: of the training; None for the controls.
        seconds: of an excerpt, the first of each recording; 0 for the windows of the task.
    """
    name = f"{task}-{seconds}s" if seconds else task
    if seed is None:
        first, *others = TASKS[task].controls
        folder, what = place.evaluation(name, label), (f"model={first}", f"baselines=[{','.join(others)}]")
    else:
        folder = place.evaluation(name, slug(label), seed)
        what = (f"checkpoint={place.run(task, slug(label), seed)}", "baselines=[]")
    windows = (f"data.eval_seconds={seconds}", "data.eval_windows=1") if seconds else ("data.eval_windows=8",)
    tried = place.trial.evaluate if place.trial else ()
    return Job(
        folder, ("evaluate.py", *what, *_pairs(task), *_shared(place, folder), *windows, "trainer.accelerator=cpu", *tried)
    )


def _pairs(task: str) -> tuple[str, ...]:
    steps = f"corruption.steps='{TASKS[task].corruption}'"
    return ("data=folder", f"data.pattern='{PATTERN}'", f"data.sample_rate={RATE_HZ}", "corruption=pipeline", steps)


def _shared(place: Place, folder: object) -> tuple[str, ...]:
    roots = ",".join(str(place.audio / name) for name in FOLDERS)
    return (f"data.root=[{roots}]", f"data.cache_dir={place.work / 'cache'}", *QUIET, f"hydra.run.dir={folder}")


def jobs_of(names: Iterable[str], seeds: int | None, place: Place) -> list[Job]:
    """Return all jobs of tables, none twice: controls first, then seed by seed each training with its evaluation.

    Args:
        names: of tables.
        seeds: at most so many of each; None is as many as a table has.
        place: where everything is.
    """
    tables = [TABLES[name] for name in names]
    jobs = [evaluation(table.task, place, seconds=seconds) for table in tables for seconds in table.excerpts or (0,)]
    for seed in range(max(table.seeds for table in tables) if seeds is None else seeds):
        for table in tables:
            for label in table.learned if seed < table.seeds else ():
                jobs.append(training(table.task, label, seed, place))
                jobs += [evaluation(table.task, place, label, seed, seconds) for seconds in table.excerpts or (0,)]
    return list({job.folder: job for job in jobs}.values())
