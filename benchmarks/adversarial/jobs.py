"""The commands of the experiment, run and resumed by the runner of the grid of results, and the steps that equal time is."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.adversarial.rows import (
    ARMS,
    CONTROL,
    CORE_SECONDS,
    DATA,
    FILTERS,
    JUDGES,
    OF_METHOD,
    PACE_STEPS,
    PAIRS_HEARD,
    SHARED,
    START,
)
from benchmarks.results_grid.jobs import QUIET, Job, Place, read

EXPERIMENT = "super_resolve_band_net"
SILENT = tuple(key for key in QUIET if not key.startswith("test_"))
"""Of an evaluation that asks probes and models of hearing."""
LAST = Path("checkpoints") / "last.ckpt"
"""Where the time was spent; the best by a validation metric would be the choice of that metric."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        place: where everything is.
        arms: the control among them.
        seeds: of each arm.
        base: a finished run of band_net that all begin with; None trains one.
        control_steps: of the control, whose time is that of all arms; None: as many as `CORE_SECONDS` are.
    """

    place: Place
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    base: Path | None = None
    control_steps: int | None = None

    @property
    def start(self) -> Path:
        """The run that all arms begin with."""
        return self.base or self.place.run(EXPERIMENT, START, 0)

    @property
    def filters(self) -> tuple[str, ...]:
        """The conditions: a trial has one."""
        return FILTERS[:1] if self.place.trial else FILTERS

    def step_seconds(self, arm: str) -> float | None:
        """Return the core-seconds of a step by the arm's trial; None before that."""
        result = read(pace(arm, self).folder / "result.json")
        seconds, steps = result.get("training_core_seconds"), result.get("global_step")
        return seconds / steps if seconds and steps else None

    def steps(self, arm: str) -> int | None:
        """Return the steps of an arm whose time is that of all; None before the trials."""
        own, control = self.step_seconds(arm), self.step_seconds(CONTROL)
        if own is None or control is None:
            return None
        control_steps = 2 if self.place.trial else self.control_steps
        return max(1, round((CORE_SECONDS if control_steps is None else control_steps * control) / own))


def base(plan: Plan) -> Job:
    """Return the training that all arms begin with, as long as its experiment has it."""
    folder, trial = plan.place.run(EXPERIMENT, START, 0), plan.place.trial
    length = (f"trainer.max_steps={trial.steps}", *trial.train) if trial else ()
    own = (f"experiment={EXPERIMENT}", f"data.root=[{_speech(plan.place)}]", "data.root_weights=null")
    return Job(folder, ("train.py", *own, "seed=0", *_of_training(plan.place, folder), *length))


def judge(name: str, plan: Plan) -> Job:
    """Return the training of a network in whose features arms are compared."""
    folder = plan.place.run("judge", name, 0)
    return Job(folder, ("train.py", *JUDGES[name].keys, "seed=0", *_data(plan.place, folder, JUDGES[name].steps)))


def pace(arm: str, plan: Plan) -> Job:
    """Return the trial that tells how long a step of an arm takes."""
    folder = plan.place.run("pace", arm, 0)
    return Job(folder, ("train.py", *_of_arm(arm, plan), "seed=0", *_data(plan.place, folder, PACE_STEPS)))


def training(arm: str, seed: int, steps: int, plan: Plan) -> Job:
    """Return the training of an arm; other steps are another run."""
    folder = plan.place.run(f"{arm}-{steps}steps", "arm", seed)
    arguments = (*_of_arm(arm, plan), f"seed={seed}", *_data(plan.place, folder, None))
    return Job(folder, ("train.py", *arguments, f"trainer.max_steps={steps}"))


def evaluation(checkpoint: Path, name: str, filter_name: str, plan: Plan) -> Job:
    """Return the evaluation of a run behind one filter.

    Conditions of one evaluation have no probes, no models of hearing and no values of pairs, but for the first of them.

    Args:
        checkpoint: a run folder or a file.
        name: of the row, with its steps and its seed.
        filter_name: before the decimation.
        plan: of the experiment.
    """
    folder = plan.place.evaluation(name, filter_name)
    asked = (f"test_probes=[{OF_METHOD}]", f"test_perceptual_pairs={PAIRS_HEARD}", "test_perceptual_kind=speech")
    tried = plan.place.trial.evaluate if plan.place.trial else ()
    keys = (*_evaluated_data(plan.place, folder), f"corruption.filters=[{filter_name}]", "baselines=[]", *SILENT, *asked)
    return Job(folder, ("evaluate.py", f"checkpoint={checkpoint}", *keys, "trainer.accelerator=cpu", *tried))


def evaluations(arm: str, seed: int, plan: Plan) -> list[Job]:
    """Return the evaluations of the run of an arm, or of what all begin with; none before the trials."""
    if arm == START:
        return [evaluation(plan.start, START, name, plan) for name in plan.filters]
    steps = plan.steps(arm)
    if steps is None:
        return []
    run = training(arm, seed, steps, plan).folder
    return [evaluation(run / LAST, run.name, name, plan) for name in plan.filters]


def preparing(plan: Plan) -> list[Job]:
    """Return what comes before the arms: what they begin with, their judges, and trials that tell their steps."""
    judges = dict.fromkeys(name for arm in plan.arms for name in ARMS[arm].judges.values())
    first = [] if plan.base else [base(plan)]
    return [*first, *(judge(name, plan) for name in judges), *(pace(arm, plan) for arm in plan.arms)]


def comparing(plan: Plan) -> list[Job]:
    """Return what comes after the trials: seed by seed each arm with its evaluations."""
    return [*evaluations(START, 0, plan), *_arms(plan)]


def _arms(plan: Plan) -> Iterable[Job]:
    for seed in plan.seeds:
        for arm in plan.arms:
            if (steps := plan.steps(arm)) is not None:
                yield training(arm, seed, steps, plan)
                yield from evaluations(arm, seed, plan)


def _of_arm(arm: str, plan: Plan) -> tuple[str, ...]:
    judges = (f"{key}={judge(name, plan).folder / LAST}" for key, name in ARMS[arm].judges.items())
    return (*SHARED, *ARMS[arm].keys, *judges, f"init_from={plan.start}")


def _data(place: Place, folder: Path, steps: int | None) -> tuple[str, ...]:
    """Return data and length of a training; without steps its own."""
    length = () if steps is None else (f"trainer.max_steps={place.trial.steps if place.trial else steps}",)
    tried = place.trial.train if place.trial else ()
    return (*DATA, f"data.root={_speech(place)}", *_of_training(place, folder), *length, *tried)


def _of_training(place: Place, folder: Path) -> tuple[str, ...]:
    limits = ("trainer=cpu", "trainer.max_epochs=null", "trainer.max_time=null", "trainer.limit_test_batches=1")
    return (*_written(place, folder), *QUIET, *limits, "baselines=[]", "resume=auto")


def _evaluated_data(place: Place, folder: Path) -> tuple[str, ...]:
    data = ("data=folder", "data.sample_rate=16000", "corruption=super_resolution", "corruption.low_rate_hz=4000")
    return (*data, f"data.root={_speech(place)}", *_written(place, folder))


def _written(place: Place, folder: Path) -> tuple[str, ...]:
    return (f"data.cache_dir={place.work / 'cache'}", f"hydra.run.dir={folder}")


def _speech(place: Place) -> Path:
    return place.audio / "speech"
