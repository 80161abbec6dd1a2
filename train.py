"""Train one method on one data set against one corruption: `python train.py model=unet data=maestro`."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from pytorch_lightning.callbacks import Callback

    from lightning_modules.base import RestorationModule
    from lightning_modules.callbacks.common import StopOnSignal
    from lightning_modules.runs.folder import Run
    from sweeps.objectives import Objective

DEFAULT_EPOCHS = 20
RUN_FOLDER_VARIABLE = "CLARION_RUN_FOLDER"
"""Tells the processes that Lightning starts for `trainer=ddp` which folder the first of them opened."""


def train(cfg: DictConfig) -> dict[str, Any]:
    """Run one experiment to its end and return what result.json holds.

    Args:
        cfg: composed from conf/train.yaml.

    Raises:
        ValueError: for anything wrong with the configuration, the data or the folders, before any training.
    """
    import pytorch_lightning as pl

    from conf.compose import baselines, instantiate, plain
    from lightning_modules.metrics.collection import check_monitor
    from lightning_modules.runs.checkpoint import build_new_restorer
    from lightning_modules.runs.tracking import close_logger

    set_default_epochs(cfg)
    check_monitor(cfg.monitor, cfg.mode)
    precision = make_trainer(cfg, logger=False).precision
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    data = instantiate(cfg.data)
    data.setup("fit")
    print(data.summary())
    module = build_new_restorer(plain(cfg.model))
    module.check_precision(precision)
    module.prepare_training()
    classical = baselines(cfg.baselines, data.sample_rate)
    run = open_or_join_run(cfg)
    logger = instantiate(cfg.logger)
    try:
        logger.log_hyperparams(plain(cfg))
        return fit_and_test(cfg, run, module, data, classical, logger)
    except BaseException:
        close_logger(logger, 1)
        raise
    finally:
        run.close()


def open_or_join_run(cfg: DictConfig) -> "Run":
    """Open the run's folder in the first process, and find it in those that this one starts for `trainer=ddp`.

    Raises:
        ValueError: if the folder cannot be used, or something else than this script started several processes.
    """
    from conf.compose import plain
    from lightning_modules.runs.folder import join_run, open_run

    first = int(os.environ.get("LOCAL_RANK", 0)) == 0
    if not first and RUN_FOLDER_VARIABLE not in os.environ:
        raise ValueError("start one process; with trainer=ddp it starts the others itself")
    run = open_run(Path(cfg.run_dir), cfg.resume, plain(cfg)) if first else join_run(Path(os.environ[RUN_FOLDER_VARIABLE]))
    cfg.run_dir, cfg.run_id = str(run.folder), run.id
    if first:
        os.environ[RUN_FOLDER_VARIABLE] = str(run.folder)
        if run.checkpoint:
            print(f"goes on from {run.checkpoint}")
        OmegaConf.save(cfg, run.folder / "config.yaml", resolve=True)
    return run


def fit_and_test(
    cfg: DictConfig,
    run: "Run",
    module: "RestorationModule",
    data: Any,
    classical: Mapping[str, "RestorationModule"],
    logger: Any,
) -> dict[str, Any]:
    """Train, then test in the first process alone, so that every pair counts once."""
    import torch
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    from lightning_modules.callbacks.best_and_last import best_scores
    from lightning_modules.callbacks.common import StopOnSignal, TrainingClock

    clock = TrainingClock()
    with StopOnSignal() as stopper:
        trainer = build_trainer(cfg, run, logger, [stopper, clock])
        try:
            trainer.fit(module, datamodule=data, ckpt_path=run.checkpoint, weights_only=True if run.checkpoint else None)
        except MisconfigurationException as error:  # what the trainer does not allow this method, such as its own clipping
            raise ValueError(str(error)) from error
        seconds = round(clock.seconds(), 1)
        facts = {"epochs": trainer.current_epoch, "training_seconds": seconds, "validation": best_scores(trainer)}
        if trainer.world_size > 1:
            torch.distributed.destroy_process_group()
        if not trainer.is_global_zero:
            return {"signal": stopper.received}
        return finish(cfg, facts, data, classical, stopper, logger)


def set_default_epochs(cfg: DictConfig) -> None:
    """Give a run without any limit its default length.

    Raises:
        ValueError: if a schedule over the epochs does not know how many there are.
    """
    from conf.compose import plain

    if cfg.trainer.max_epochs is None and cfg.trainer.max_time is None:
        cfg.trainer.max_epochs = DEFAULT_EPOCHS
    model = plain(cfg.model)
    schedules = [model.get("scheduler"), *(model.get("schedulers") or {}).values()]
    if any("T_max" in schedule and (schedule["T_max"] or 0) < 1 for schedule in schedules if schedule):
        raise ValueError("the cosine schedule runs over trainer.max_epochs, which trainer.max_time leaves open; set both")
    if cfg.trainer.limit_val_batches == 0:
        raise ValueError("trainer.limit_val_batches=0 leaves nothing to choose the best checkpoint by; give it at least 1")


def build_trainer(cfg: DictConfig, run: "Run", logger: Any, watching: "Sequence[Callback]") -> "pl.Trainer":
    """Create the trainer with the callbacks of every run, and others that the caller asks afterwards."""
    from lightning_modules.callbacks.best_and_last import AtomicCheckpointIO
    from lightning_modules.callbacks.every_run import run_callbacks

    choice = (cfg.monitor, cfg.mode, cfg.ema_decay, cfg.early_stopping_patience)
    callbacks = [*watching, *run_callbacks(run.folder, cfg.seed, *choice)]
    return make_trainer(cfg, logger=logger, callbacks=callbacks, plugins=[AtomicCheckpointIO()])


def make_trainer(cfg: DictConfig, **extra: Any) -> "pl.Trainer":
    """Create the trainer that a configuration describes.

    Raises:
        ValueError: if there is no such device, or a value is not one the trainer knows.
    """
    from conf.compose import instantiate
    from lightning_modules.training.hardware import pick_precision

    precision = pick_precision(cfg.trainer.accelerator) if cfg.trainer.precision == "auto" else cfg.trainer.precision
    trainer: pl.Trainer = instantiate(cfg.trainer, precision=precision, **extra)
    return trainer


def finish(
    cfg: DictConfig,
    facts: dict[str, Any],
    data: Any,
    classical: Mapping[str, "RestorationModule"],
    stopper: "StopOnSignal",
    logger: Any,
) -> dict[str, Any]:
    """Test the best checkpoint, and write the run's results."""
    from conf.compose import instantiate, told_of
    from datamodules.audio import io as audio_io
    from lightning_modules.runs.checkpoint import find_checkpoint, load_restorer
    from lightning_modules.runs.end import Bench, Tested, end_run, end_untested
    from lightning_modules.runs.evaluation import score_pairs

    folder, trainer = Path(cfg.run_dir), instantiate(cfg.test_trainer, logger=False, callbacks=[stopper])
    checkpoint = find_checkpoint(folder)
    status = "finished" if stopper.received is None else "interrupted"
    facts = {"status": status, "signal": stopper.received, "checkpoint": str(checkpoint), **facts, **told_of(cfg)}
    try:
        module = load_restorer(checkpoint)
        tested = Tested(cfg.choices.model, module, score_pairs(module, data, trainer))
    except Exception as error:
        return end_untested(folder, facts, error)
    bench = Bench(folder, data, trainer, logger, audio_io.write, stopper)
    return end_run(tested, bench, facts, classical, cfg.examples)


def end_of_a_broken_run(error: Exception, folder: Path) -> str:
    """Say why a run could not go on, and what is left of it."""
    kept = any((folder / "checkpoints").glob("*.ckpt"))
    return f"{error}; see {folder / 'nonfinite.json'}" + (", the last good checkpoint is kept" if kept else "")


@hydra.main(config_path="conf", config_name="train", execution_whitelist=["sweeps.*", "hydra_plugins.*", "logging.*"])
def run(cfg: DictConfig) -> "Objective":
    """Train as the command line says; exit 1 if something is wrong, 128 + n after signal n. Sweeps train in other processes."""
    from sweeps.isolation import in_sweep, run_job

    if in_sweep():
        return run_job(cfg)
    from conf.compose import exit_code_of, quiet_lightning
    from lightning_modules.base import NonFiniteLossError

    def job() -> int:
        from lightning_modules.runs.end import exit_code

        try:
            return exit_code(train(cfg))
        except NonFiniteLossError as error:
            raise ValueError(end_of_a_broken_run(error, Path(cfg.run_dir))) from error

    quiet_lightning()
    sys.exit(exit_code_of(job))


def main() -> None:
    """Train, or sweep."""
    from sweeps.entry import enter

    sys.exit(enter(run))


if __name__ == "__main__":
    main()
