"""Score any checkpoint, or a method without training, on any data and corruption, next to the classical methods."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    from lightning_modules.base import RestorationModule
    from sweeps.objectives import Objective


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Run one evaluation and return what its result.json holds.

    Args:
        cfg: composed from conf/evaluate.yaml.

    Raises:
        ValueError: for anything wrong with the configuration, the data, the checkpoint or the folders.
    """
    from conf.compose import baselines, instantiate, told_of
    from datamodules.audio import io as audio_io
    from lightning_modules.callbacks.common import StopOnSignal
    from lightning_modules.metrics.collection import check_metric
    from lightning_modules.runs.end import Bench, Tested, end_run
    from lightning_modules.runs.evaluation import score_pairs
    from lightning_modules.runs.tracking import close_logger
    from lightning_modules.stepwise import with_step_size

    check_metric(cfg.monitor)
    name, module = open_method(cfg)
    module = module if cfg.step_size is None else with_step_size(module, cfg.step_size)
    further = at_each_step(name, module, cfg.steps)
    cfg.choices.model = name
    folder = Path(cfg.run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    data = instantiate(cfg.data)
    data.setup("test")
    print(data.summary())
    OmegaConf.save(cfg, folder / "config.yaml", resolve=True)
    logger = instantiate(cfg.logger) if cfg.get("logger") else None
    stopper = StopOnSignal()
    trainer = instantiate(cfg.trainer, logger=False, callbacks=[stopper])
    others = baselines(cfg.baselines, data.sample_rate) | further
    facts = {"status": "finished", "checkpoint": cfg.checkpoint, **told_of(cfg)}
    try:
        tested = Tested(name, module, score_pairs(module, data, trainer))
        with stopper:
            bench = Bench(folder, data, trainer, logger, audio_io.write, stopper)
            return end_run(tested, bench, facts, others, cfg.examples)
    except BaseException:
        close_logger(logger, 1)
        raise


def open_method(cfg: DictConfig) -> tuple[str, "RestorationModule"]:
    """Open the checkpoint, or create the method, that a configuration names; the data follow a checkpoint's sample rate.

    Raises:
        ValueError: if neither or both are named, or the method needs training.
    """
    from conf.compose import plain
    from lightning_modules.runs.checkpoint import build_restorer, load_restorer

    if (cfg.checkpoint is None) == (cfg.get("model") is None):
        raise ValueError("name what to evaluate: either checkpoint=PATH or model=NAME (a method without training)")
    if cfg.checkpoint is not None:
        module = load_restorer(cfg.checkpoint)
        cfg.data.sample_rate = module.sample_rate
        path = Path(cfg.checkpoint).resolve()
        return (path.parent.parent if path.parent.name == "checkpoints" else path).name, module
    module = build_restorer(plain(cfg.model))
    if module.needs_training:
        raise ValueError(f"model={cfg.choices.model} needs training; evaluate its run with checkpoint=PATH")
    return cfg.choices.model, module


def at_each_step(name: str, module: "RestorationModule", steps: Sequence[int] | None) -> dict[str, "RestorationModule"]:
    """Return a method after each of some numbers of steps, by the names of their rows.

    Raises:
        ValueError: if the method does not work in steps, or these are no numbers of steps.
    """
    from lightning_modules.stepwise import with_num_steps

    if not isinstance(steps, Sequence | None) or isinstance(steps, str):
        raise ValueError(f"steps={steps} must be a list, such as [1,2,4], or null")
    return {f"{name}@{step}": with_num_steps(module, step) for step in steps or ()}


@hydra.main(config_path="conf", config_name="evaluate", execution_whitelist=["sweeps.*", "hydra_plugins.*", "logging.*"])
def run(cfg: DictConfig) -> "Objective":
    """Evaluate as the command line says; exit 1 if something is wrong, 128 + n after signal n. In sweeps, other processes do."""
    from conf.compose import exit_code_of, quiet_lightning
    from sweeps.isolation import in_sweep, run_job

    if in_sweep():
        return run_job(cfg, "evaluate.py")

    def job() -> int:
        from lightning_modules.runs.end import exit_code

        return exit_code(evaluate(cfg))

    quiet_lightning()
    sys.exit(exit_code_of(job))


def main() -> None:
    """Evaluate once, or several times with -m."""
    from sweeps.entry import enter

    sys.exit(enter(run))


if __name__ == "__main__":
    main()
