"""Score any checkpoint, or a method without training, on any data and corruption, next to the classical methods."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    from lightning_modules.base import RestorationModule
    from lightning_modules.evaluation import Row, Scores
    from sweeps.objectives import Objective


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Run one evaluation and return what its result.json holds.

    Args:
        cfg: composed from conf/evaluate.yaml.

    Raises:
        ValueError: for anything wrong with the configuration, the data, the checkpoint or the folders.
    """
    from conf.compose import baselines, instantiate
    from lightning_modules.evaluation import compare
    from lightning_modules.metrics import check_metric
    from lightning_modules.tracking import close_logger

    check_metric(cfg.monitor)
    name, module = open_method(cfg)
    module = module if cfg.step_size is None else module.with_step_size(cfg.step_size)
    further = stopped(name, module, cfg.steps)
    cfg.choices.model = name
    folder = Path(cfg.run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    data = instantiate(cfg.data)
    data.setup("test")
    print(data.summary())
    OmegaConf.save(cfg, folder / "config.yaml", resolve=True)
    logger = instantiate(cfg.logger) if cfg.get("logger") else None
    trainers = (instantiate(cfg.trainer, logger=logger or False), instantiate(cfg.trainer, logger=False))
    others = baselines(cfg.baselines, data.sample_rate) | further
    completed = False
    try:
        table, rows = compare((name, module), others, data, *trainers)
        facts = {"status": "finished", "checkpoint": cfg.checkpoint}
        result = report(cfg, facts, table, rows, module, data, logger)
        completed = True
    finally:
        close_logger(logger, 0 if completed else 1)
    return result


def open_method(cfg: DictConfig) -> tuple[str, "RestorationModule"]:
    """Open the checkpoint, or create the method, that a configuration names; the data follow a checkpoint's sample rate.

    Raises:
        ValueError: if neither or both are named, or the method needs training.
    """
    from conf.compose import plain
    from lightning_modules.checkpoint import build_restorer, load_restorer

    if (cfg.checkpoint is None) == (cfg.get("model") is None):
        raise ValueError("name what to evaluate: either checkpoint=PATH or model=NAME (a method without training)")
    if cfg.checkpoint is not None:
        module = load_restorer(cfg.checkpoint)
        cfg.data.sample_rate = module.sample_rate
        path = Path(cfg.checkpoint).resolve()
        return (path.parent.parent if path.parent.name == "checkpoints" else path).name, module
    module = build_restorer(plain(cfg.model))
    if any(True for _ in module.net.parameters()):
        raise ValueError(f"model={cfg.choices.model} needs training; evaluate its run with checkpoint=PATH")
    return cfg.choices.model, module


def stopped(name: str, module: "RestorationModule", steps: Sequence[int] | None) -> dict[str, "RestorationModule"]:
    """Return a method after each of some numbers of steps, by the names of their rows.

    Raises:
        ValueError: if the method does not work in steps, or these are no numbers of steps.
    """
    if not isinstance(steps, Sequence | None) or isinstance(steps, str):
        raise ValueError(f"steps={steps} must be a list, such as [1,2,4], or null")
    return {f"{name}@{step}": module.at_steps(step) for step in steps or ()}


def report(
    cfg: DictConfig,
    facts: dict[str, Any],
    table: Sequence["Scores"],
    rows: Sequence["Row"],
    module: "RestorationModule",
    data: Any,
    logger: Any,
) -> dict[str, Any]:
    """Write result.json, per_example.csv and the examples of a finished test, log the media, and print the table.

    Args:
        cfg: the configuration of the script.
        facts: what only the script knows.
        table: corrupted first, the method last.
        rows: the method's, one per test pair.
        module: the method.
        data: the data module.
        logger: takes media, or None.

    Returns:
        What result.json holds.
    """
    from lightning_modules import results
    from lightning_modules.cost import gpu_memory_mb
    from lightning_modules.json_file import write_json
    from lightning_modules.metrics import check_metric
    from lightning_modules.tracking import log_summary

    folder = Path(cfg.run_dir)
    facts = facts | write_pairs(folder, cfg.examples, rows, module, data, logger)
    metric = check_metric(cfg.monitor)
    metrics = results.flat_metrics(table)
    result = facts | {
        "objective": metrics[f"test/{metric}"],
        "monitor": cfg.monitor,
        "verdict": results.verdict(table, metric),
        "metrics": metrics,
        "methods": {row.name: {"kind": row.kind} | row.means for row in table},
        "params": sum(parameter.numel() for parameter in module.net.parameters()),
        "real_time_factor": module.real_time_factor,
        "gpu_memory_mb": gpu_memory_mb(),
        "sample_rate_hz": data.sample_rate,
        "manifest_hash": data.manifest_hash,
        "pairs": len(rows),
        "seed": cfg.seed,
        "choices": dict(cfg.choices),
        "overrides": list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else [],
        "git_commit": results.git_commit(Path(__file__).parent),
    }
    write_json(folder / "result.json", result)
    log_summary(logger, result)
    results.show(table, metric, {"run folder": folder, "examples": folder / "examples"})
    return result


def write_pairs(
    folder: Path, count: int, rows: Sequence["Row"], module: "RestorationModule", data: Any, logger: Any
) -> dict[str, Any]:
    """Write per_example.csv, some examples, and what every step of a method in steps is worth; log the media.

    Returns:
        What result.json is to hold of it.
    """
    from datamodules import audio_io
    from lightning_modules import results
    from lightning_modules.by_step import log_steps, write_steps
    from lightning_modules.evaluation import restore_examples, spread
    from lightning_modules.tracking import log_examples

    pairs = data.test_dataloader().dataset
    examples = restore_examples(module, pairs, spread(len(pairs), count))
    log_examples(
        logger, results.write_examples(folder / "examples", examples, data.sample_rate, audio_io.write), data.sample_rate
    )
    results.write_rows(folder / "per_example.csv", rows, data.manifest())
    if module.steps is None:
        return {}
    indices = [int(row["index"]) for row in rows]
    means, pictures = write_steps(folder, module, data, indices, indices[0])
    log_steps(logger, pictures)
    return {"by_step": means}


@hydra.main(config_path="conf", config_name="evaluate", execution_whitelist=["sweeps.*", "hydra_plugins.*", "logging.*"])
def run(cfg: DictConfig) -> "Objective":
    """Evaluate as the command line says; exit 1 if something is wrong. Sweeps evaluate in other processes."""
    from conf.compose import exit_code_of, quiet_lightning
    from sweeps.isolation import in_sweep, run_job

    if in_sweep():
        return run_job(cfg, "evaluate.py")

    def job() -> int:
        evaluate(cfg)
        return 0

    quiet_lightning()
    sys.exit(exit_code_of(job))


def main() -> None:
    """Evaluate once, or several times with -m."""
    from sweeps.entry import enter

    sys.exit(enter(run))


if __name__ == "__main__":
    main()
