"""A script's configuration as plain values: resolved and checked once, and then handed on."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from conf.as_launched import as_launched, resumed
from conf.compose import plain
from conf.implied import implied
from conf.old_keys import check_groups_chosen
from conf.schema.check import check_evaluate, check_train
from conf.schema.conditions import Condition, conditions_of
from conf.schema.own_controls import with_own
from conf.schema.pairs import check_base, check_processors
from lightning_modules.metrics.perceptual.panel import Panel
from lightning_modules.metrics.registry import check_monitor
from lightning_modules.runs.moved_names import present_names
from lightning_modules.runs.plugins import import_plugins

Values = dict[str, Any]
LABELS = ("run_name", "group", "job_type")
"""Keys whose values are names, be it a number that a user gives."""


@dataclass(frozen=True)
class TrainSettings:
    """What one training does.

    Attributes:
        config: every key of conf/train.yaml, resolved; what is created from it stands there as dicts.
        config_with: gives the same with other values of some keys, by dotted names, which those that refer to them follow.
        run_dir: the folder proposed for the run.
        resume: None, auto or the folder of a run.
        init_from: a run, checkpoint or shipped model whose weights a new run starts from; None: its own.
        freeze: patterns of the names of parameters that stay as they are.
        seed: of everything random.
        monitor: the validation metric that chooses the best epoch.
        mode: max or min.
        ema_decay: of the weights used for evaluation; None trains without.
        baselines: names of methods without training.
        examples: how many test pairs are written as audio and pictures.
        probes: that methods are asked; None: all.
        panel: which pairs models of hearing are asked about, as what.
        plugins: names of packages whose classes may be used beside those of this project.
        compiled: whether parts of the networks are compiled for the training.
        keep_checkpoints: both, best, last or none, once the run has come to its end.
        checkpoint_every_minutes: of a training, within an epoch; None: none.
    """

    config: Values
    config_with: Callable[[Mapping[str, Any]], Values]
    run_dir: Path
    resume: str | None
    init_from: str | None
    freeze: Sequence[str]
    seed: int
    monitor: str
    mode: str
    ema_decay: float | None
    baselines: Sequence[str]
    examples: int
    probes: Sequence[str] | None
    panel: Panel
    plugins: Sequence[str]
    compiled: bool
    keep_checkpoints: str
    checkpoint_every_minutes: float | None


@dataclass(frozen=True)
class EvaluateSettings:
    """What one evaluation does.

    Attributes:
        config: every key of conf/evaluate.yaml, resolved; what is created from it stands there as dicts.
        config_with: as of `TrainSettings`.
        run_dir: the folder for the results.
        checkpoint: a file or a run folder; None evaluates config["model"].
        steps: after which a method in steps has further rows.
        conditions: corruptions that are evaluated in place of that of the configuration.
        step_size: of a refining method; None is its own.
        deep_features: a run by whose classifier pairs are compared too; None: none.
        monitor: the metric of the verdict.
        baselines: names of methods without training.
        examples: how many test pairs are written as audio and pictures.
        probes: that methods are asked; None: all.
        panel: which pairs models of hearing are asked about, as what.
        plugins: names of packages whose classes may be used beside those of this project.
    """

    config: Values
    config_with: Callable[[Mapping[str, Any]], Values]
    run_dir: Path
    checkpoint: str | None
    steps: Sequence[int] | None
    conditions: Sequence[Condition]
    step_size: float | None
    deep_features: str | None
    monitor: str
    baselines: Sequence[str]
    examples: int
    probes: Sequence[str] | None
    panel: Panel
    plugins: Sequence[str]


def train_settings(cfg: DictConfig) -> TrainSettings:
    """Return what a training does; `cfg` stays as it is.

    Args:
        cfg: composed from conf/train.yaml.

    Raises:
        ValueError: if the length of the run, what it is steered by, or what a schedule needs to know does not hold together.
    """
    config_with = _resolver(cfg, {**implied(cfg), **as_launched(cfg.trainer)})
    config = config_with({})
    plugins = import_plugins(config["plugins"])
    check_groups_chosen(config)
    check_train(config)
    check_base(config)
    check_monitor(config["monitor"], config["mode"])
    check_processors(config["trainer"])
    return TrainSettings(
        config,
        config_with,
        run_dir=Path(config["run_dir"]),
        resume=resumed(config["resume"], bool(config["trainer"].get("fast_dev_run"))),
        init_from=None if config["init_from"] is None else str(config["init_from"]),  # a folder may be named by a number
        freeze=config["freeze"] or (),
        seed=config["seed"],
        monitor=config["monitor"],
        mode=config["mode"],
        ema_decay=config["ema_decay"],
        baselines=with_own(config["baselines"], config["corruption"]),
        examples=config["examples"],
        probes=config["test_probes"],
        panel=Panel(config["test_perceptual_kind"], config["test_perceptual_pairs"]),
        plugins=plugins,
        compiled=config["compile"],
        keep_checkpoints=config["keep_checkpoints"],
        checkpoint_every_minutes=config["checkpoint_every_minutes"],
    )


def evaluate_settings(cfg: DictConfig) -> EvaluateSettings:
    """Return what an evaluation does; `cfg` stays as it is.

    Args:
        cfg: composed from conf/evaluate.yaml.

    Raises:
        ValueError: if there is no such metric, or not one method named.
    """
    config_with = _resolver(cfg, {})
    config = config_with({})
    plugins = import_plugins(config["plugins"])
    check_evaluate(config)
    check_processors(config["trainer"])
    if (config["checkpoint"] is None) == (config.get("model") is None):
        raise ValueError("name what to evaluate: either checkpoint=PATH or model=NAME (a method without training)")
    return EvaluateSettings(
        config,
        config_with,
        run_dir=Path(config["run_dir"]),
        checkpoint=config["checkpoint"],
        steps=config["steps"],
        conditions=conditions_of(config),
        step_size=config["step_size"],
        deep_features=None if config["test_deep_features"] is None else str(config["test_deep_features"]),
        monitor=config["monitor"],
        baselines=with_own(config["baselines"], config["corruption"]),
        examples=config["examples"],
        probes=config["test_probes"],
        panel=Panel(config["test_perceptual_kind"], config["test_perceptual_pairs"]),
        plugins=plugins,
    )


def _resolver(cfg: DictConfig, defaults: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Values]:
    """Return a function that resolves a copy of a configuration with other values of some keys."""
    labels = {name: str(cfg[name]) for name in LABELS if type(cfg.get(name)) in (int, float)}
    source = _changed(cfg, {**defaults, **labels})
    plain(source)  # `now` keeps the time at which it is first asked, and copies keep that

    def config_with(changes: Mapping[str, Any]) -> Values:
        config: Values = present_names(plain(_changed(source, changes)))
        return config

    return config_with


def _changed(cfg: DictConfig, changes: Mapping[str, Any]) -> DictConfig:
    copy = deepcopy(cfg)
    for key, value in changes.items():
        OmegaConf.update(copy, key, value, force_add=True)
    return copy


def told_of(config: Mapping[str, Any]) -> Values:
    """Return what a result says of the configuration that it was made with."""
    overrides = list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    return {"monitor": config["monitor"], "seed": config["seed"], "choices": config["choices"], "overrides": overrides}
