"""Score any checkpoint, or a method without training, on any data and corruption, next to the classical methods."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback

from conf.compose import baselines, config_of, create, create_group, save
from conf.schema.conditions import Condition, are_known, is_seen
from conf.settings import EvaluateSettings, told_of
from datamodules.audio import io as audio_io
from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.common import StopOnSignal
from lightning_modules.callbacks.judging import JudgedByFeatures
from lightning_modules.callbacks.progress import ScoringBar, with_bar
from lightning_modules.loss_network import open_distance
from lightning_modules.runs.checkpoint import build_restorer, load_restorer, run_folder
from lightning_modules.runs.conditions import Case, end_conditions, with_conditions
from lightning_modules.runs.end import Bench, Tested, end_run
from lightning_modules.runs.evaluation import score_pairs
from lightning_modules.runs.shipped import shipped_or
from lightning_modules.runs.tracking import close_loggers
from lightning_modules.runs.weights import checksum
from lightning_modules.stepwise import with_num_steps, with_step_size

SHOWN_DIGITS = 12
"""Of the checksum of a classifier's weights: results of another one cannot be compared."""


def evaluate(settings: EvaluateSettings) -> dict[str, Any]:
    """Run one evaluation and return what its result.json holds.

    Raises:
        ValueError: for anything wrong with the configuration, the data, the checkpoint or the folders.
    """
    name, module = open_method(settings)
    module = module if settings.step_size is None else with_step_size(module, settings.step_size)
    further = at_each_step(name, module, settings.steps)
    config = config_for(settings, name, module)
    apart = cases(settings, config)
    config, data, label = opened_first(config, settings.conditions)
    judging, judged_by = judge_of(settings.deep_features, data.sample_rate)
    print(data.summary())
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    save(config, settings.run_dir / "config.yaml")
    loggers = create_group(config, "logger")
    for logger in loggers:
        logger.log_hyperparams(config)
    stopper = StopOnSignal()
    trainer = create(config, "trainer", logger=False, **with_bar(config["trainer"], ScoringBar(name), [stopper, *judging]))
    others = baselines(settings.baselines, data.sample_rate, settings.plugins) | further
    facts = {"status": "finished", "checkpoint": settings.checkpoint, **judged_by, **told_of(config)}
    try:
        tested = Tested(name, module, score_pairs(module, data, trainer))
        with stopper:
            bench = Bench(settings.run_dir, data, trainer, loggers, audio_io.write, stopper, settings.panel, settings.probes)
            result = end_run(tested, bench, facts, others, settings.examples)
            if settings.conditions and result.get("signal") is None:
                controls = {name: others[name] for name in settings.baselines}
                kept = end_conditions(name, module, apart, bench, controls, settings.monitor, {label: result})
                result = with_conditions(result, kept, stopper.received, settings.run_dir / "result.json")
            return result
    except BaseException:
        close_loggers(loggers, 1)
        raise


def open_method(settings: EvaluateSettings) -> tuple[str, RestorationModule]:
    """Open the checkpoint, or create the method, that is to be evaluated, and name it.

    Raises:
        ValueError: if it cannot be opened, or the method needs training.
    """
    if settings.checkpoint is not None:
        path = Path(shipped_or(settings.checkpoint)).resolve()
        name = (path.parent.parent if path.parent.name == "checkpoints" else path).name
        return name, load_restorer(path, trusted=settings.plugins)
    name = settings.config["choices"]["model"]
    module = build_restorer(settings.config["model"], settings.plugins)
    if module.needs_training:
        raise ValueError(f"model={name} needs training; evaluate its run with checkpoint=PATH")
    return name, module


def judge_of(run: str | None, sample_rate: int) -> tuple[list[Callback], dict[str, Any]]:
    """Open the classifier that compares pairs too, and return what asks it, and what a result says of it; without a run nothing.

    Raises:
        ValueError: if the run has no such classifier, or another rate.
    """
    if run is None:
        return [], {}
    distance = open_distance(run, sample_rate)
    return [JudgedByFeatures(distance)], {"deep_features": checksum(distance.judge.state_dict())[:SHOWN_DIGITS]}


def config_for(settings: EvaluateSettings, name: str, module: RestorationModule) -> dict[str, Any]:
    """Return the configuration for the method: the data follow a checkpoint's sample rate, and names that of the method."""
    rate = {} if settings.checkpoint is None else {"data.sample_rate": module.sample_rate}
    return settings.config_with({**rate, "choices.model": name})


def cases(settings: EvaluateSettings, config: Mapping[str, Any]) -> list[Case]:
    """Return the conditions to evaluate in, each marked by what the checkpoint was trained on, where that is known.

    Args:
        settings: of the evaluation.
        config: of the method, as `config_for` gives it.
    """
    trained = None if settings.checkpoint is None else config_of(run_folder(Path(shipped_or(settings.checkpoint))))

    def case(condition: Condition) -> Case:
        return Case(condition.label, condition.values, _is_seen(condition, trained), lambda: _opened(config, condition))

    return [case(condition) for condition in settings.conditions]


def _is_seen(condition: Condition, trained: Mapping[str, Any] | None) -> bool | None:
    """Say whether a training, whose configuration this is, heard a condition; None where it is not known."""
    if trained is None:
        return None
    heard = is_seen(condition.corruption, trained.get("corruption"), condition.values)
    return heard and are_known(condition.data, trained.get("data") or {})


def opened_first(config: dict[str, Any], conditions: Sequence[Condition]) -> tuple[dict[str, Any], Any, str]:
    """Open the test pairs of the first condition that has some, else those of the configuration.

    Returns:
        The configuration that they are of, the data, and the label of the condition, empty if it is none.
    """
    for condition in conditions:
        with contextlib.suppress(ValueError, OSError):  # told where the condition has its row
            return _in_condition(config, condition), _opened(config, condition), condition.label
    data = create(config, "data")
    data.setup("test")
    return config, data, ""


def _opened(config: Mapping[str, Any], condition: Condition) -> Any:
    data = create(_in_condition(config, condition), "data")
    data.setup("test")
    return data


def _in_condition(config: Mapping[str, Any], condition: Condition) -> dict[str, Any]:
    data = {**config["data"], **condition.data, "corruption": condition.corruption}
    return {**config, "corruption": condition.corruption, "data": data}


def at_each_step(name: str, module: RestorationModule, steps: Sequence[int] | None) -> dict[str, RestorationModule]:
    """Return a method after each of some numbers of steps, by the names of their rows.

    Raises:
        ValueError: if the method does not work in steps, or these are no numbers of steps.
    """
    if not isinstance(steps, Sequence | None) or isinstance(steps, str):
        raise ValueError(f"steps={steps} must be a list, such as [1,2,4], or null")
    return {f"{name}@{step}": with_num_steps(module, step) for step in steps or ()}
