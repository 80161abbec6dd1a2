"""An Optuna study that outlives the process: Hydra's Optuna sweeper starts n_trials more trials whenever it is started.

Its study is kept in the sweep's folder. When the sweep is repeated, trials with a result count, and those that were cut off
or failed are asked for again with the same parameters, so that none is lost and none is done twice.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from lightning_modules.runs.folder import VOLATILE
from sweeps.objectives import directions

if TYPE_CHECKING:
    import optuna

TASK = "task"
"""Attribute of a study: the overrides that its trials share."""
ASKED_AGAIN = "asked_again"
"""Attribute of a study: the numbers of its trials without a result whose parameters wait for another trial."""


def study_settings(
    sweeper: Mapping[str, Any], folder: Path, objectives: Sequence[str], overrides: Sequence[str]
) -> dict[str, Any]:
    """Return what a sweep determines of its sweeper: storage, directions, remaining trials; a failed job ends no sweep.

    Args:
        sweeper: the node `hydra.sweeper` of an Optuna sweeper.
        folder: of the sweep; its name becomes the study's.
        objectives: validation metrics.
        overrides: of the task, as on the command line.

    Returns:
        Values by key within `hydra.sweeper`.

    Raises:
        ValueError: for an objective that validation does not compute, or a study of something else.
    """
    wanted = directions(objectives)
    storage = sweeper["storage"] or f"sqlite:///{folder}/optuna.db"
    name = sweeper["study_name"] or folder.name
    study = _open(name, storage, wanted)
    _check_same_task(study, overrides)
    done, wished = _settle(study), sweeper["n_trials"]
    print(f"study {name}: {done} of {wished} trials have a result", flush=True)
    found = {"storage": storage, "study_name": name, "n_trials": max(wished - done, 0), "max_failure_rate": 1.0}
    found["direction"] = wanted[0] if len(wanted) == 1 else wanted
    if sweeper["sampler"].get("seed") is not None:  # or it would draw the same trials again
        found["sampler.seed"] = sweeper["sampler"]["seed"] + len(study.trials)
    return found


def _open(name: str, storage: str, wanted: Sequence[str]) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name=name, storage=storage, directions=list(wanted), load_if_exists=True)
    stored = [direction.name.lower() for direction in study.directions]
    if stored != list(wanted):
        raise ValueError(f"the study {name} has objectives to {stored}, not {list(wanted)}; change hydra.sweep.dir")
    return study


def _check_same_task(study: "optuna.Study", overrides: Sequence[str]) -> None:
    """Refuse to mix trials of different data or models; what is swept may change, and what changes no result."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    fixed = [override for override in parsed if not override.is_sweep_override()]
    task = sorted(str(override.input_line) for override in fixed if not _is_volatile(override.get_key_element()))
    stored = study.user_attrs.get(TASK)
    if stored is None:
        study.set_user_attr(TASK, task)
    elif stored != task:
        raise ValueError(f"the study {study.study_name} is of {' '.join(stored)}; name another with hydra.sweep.dir=FOLDER")


def _is_volatile(key: str) -> bool:
    return any(f"{key}.".startswith(f"{name}.") for name in VOLATILE)


def _settle(study: "optuna.Study") -> int:
    """Ask again for the trials that were cut off or failed, and count those that have their result."""
    from optuna.trial import TrialState

    handled = list(study.user_attrs.get(ASKED_AGAIN, []))
    left = study.get_trials(deepcopy=False, states=[TrialState.RUNNING, TrialState.FAIL])
    for trial in (trial for trial in left if trial.number not in handled):
        handled.append(trial.number)
        study.set_user_attr(ASKED_AGAIN, handled)
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
        if trial.params:
            study.enqueue_trial(trial.params)
    return len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED]))
