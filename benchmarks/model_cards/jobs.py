"""The evaluations that make the tables of a card, run and resumed by the runner of the grid of results."""

from collections.abc import Iterable

from benchmarks.model_cards.rows import CARDS
from benchmarks.results_grid.jobs import QUIET, Job, Place, count_of

MOST_RECORDINGS = 16
"""Of the test split, in every table."""


def evaluation(name: str, short: str, place: Place) -> Job:
    """Return the evaluation behind one table of a card.

    Args:
        name: of the model.
        short: name of the table.
        place: where everything is.
    """
    card, check = CARDS[name], CARDS[name].checks[short]
    folder = place.evaluation(name, short)
    quiet = [key for key in QUIET if check.conditions or not key.startswith("test_probes")]
    places = ",".join(str(place.audio / part) for part in check.folders)
    arguments = [
        f"model={name}", f"baselines=[{','.join(card.controls)}]", "data=folder", f"data.sample_rate={card.sample_rate_hz}",
        f"data.root=[{places}]", f"data.pattern='{check.pattern}'", f"data.eval_windows={check.windows}", "data.eval_seconds=3",
        f"data.max_recordings.test={MOST_RECORDINGS}",
        f"data.cache_dir={place.work / 'cache'}", f"corruption={check.corruption[0]}", *check.corruption[1:],
        *([f"corruption.noise_root={place.audio / check.noise}"] if check.noise else []), f"test_perceptual_kind={card.kind}",
        *quiet, "trainer.accelerator=cpu", f"hydra.run.dir={folder}",
        *([f"conditions={check.conditions}"] if check.conditions else []),
        *(place.trial.evaluate if place.trial else ()),
    ]  # fmt: skip
    return Job(folder, ("evaluate.py", *arguments), count_of(check.conditions) if check.conditions else None)


def jobs_of(names: Iterable[str], place: Place) -> list[Job]:
    """Return the evaluations of all tables of some models."""
    return [evaluation(name, short, place) for name in names for short in CARDS[name].checks]
