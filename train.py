"""Train one method on one data set against one corruption: `python train.py model=unet data=maestro`."""

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from lightning_modules.base import RestorationModule
    from lightning_modules.callbacks import StopOnSignal
    from lightning_modules.run_folder import Run

DEFAULT_EPOCHS = 20


def train(cfg: DictConfig) -> dict[str, Any]:
    """Run one experiment to its end and return what result.json holds.

    Args:
        cfg: composed from conf/train.yaml.

    Raises:
        ValueError: for anything wrong with the configuration, the data or the folders, before any training.
    """
    import pytorch_lightning as pl

    from conf.compose import baselines, instantiate, plain
    from lightning_modules.callbacks import StopOnSignal
    from lightning_modules.checkpoint import build_restorer
    from lightning_modules.metrics import check_monitor
    from lightning_modules.run_folder import open_run
    from lightning_modules.tracking import close_logger, open_logger

    settle_length(cfg)
    check_monitor(cfg.monitor, cfg.mode)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    data = instantiate(cfg.data)
    data.setup("fit")
    data.setup("test")
    print(data.summary())
    module = build_restorer(plain(cfg.model))
    classical = baselines(cfg.baselines, data.sample_rate)
    run = open_run(Path(cfg.run_dir), cfg.resume, plain(cfg))
    cfg.run_dir, cfg.run_id = str(run.folder), run.id
    OmegaConf.save(cfg, run.folder / "config.yaml", resolve=True)
    logger = open_logger(partial(instantiate, cfg.logger))
    stopper = StopOnSignal()
    trainer = build_trainer(cfg, run, logger, stopper)
    logger.log_hyperparams(plain(cfg))
    completed = False
    try:
        started = time.monotonic()
        trainer.fit(module, datamodule=data, ckpt_path=run.checkpoint, weights_only=True if run.checkpoint else None)
        result = finish(cfg, trainer, data, classical, stopper, time.monotonic() - started)
        completed = True
    finally:
        close_logger(logger, 0 if completed else 1)
    return result


def settle_length(cfg: DictConfig) -> None:
    """Give a run without any limit its default length.

    Raises:
        ValueError: if a schedule over the epochs does not know how many there are.
    """
    if cfg.trainer.max_epochs is None and cfg.trainer.max_time is None:
        cfg.trainer.max_epochs = DEFAULT_EPOCHS
    scheduler = cfg.model.get("scheduler") or {}
    if "T_max" in list(scheduler) and scheduler.T_max is None:
        raise ValueError("the cosine schedule runs over trainer.max_epochs, which trainer.max_time leaves open; set both")


def build_trainer(cfg: DictConfig, run: "Run", logger: Any, stopper: "StopOnSignal") -> "pl.Trainer":
    """Create the trainer with the callbacks of every run."""
    from pytorch_lightning.callbacks import Callback, EarlyStopping, EMAWeightAveraging, LearningRateMonitor

    from conf.compose import instantiate
    from lightning_modules.callbacks import EpochSeed, NonFiniteReport
    from lightning_modules.checkpointing import LastEpoch, best_checkpoint
    from lightning_modules.hardware import pick_precision

    folder = run.folder / "checkpoints"
    callbacks: list[Callback] = [EpochSeed(cfg.seed), NonFiniteReport(run.folder), stopper, LearningRateMonitor()]
    if cfg.ema_decay is not None:
        callbacks.append(EMAWeightAveraging(decay=cfg.ema_decay))
    if cfg.early_stopping_patience is not None:
        callbacks.append(EarlyStopping(cfg.monitor, mode=cfg.mode, patience=cfg.early_stopping_patience))
    callbacks += [best_checkpoint(folder, cfg.monitor, cfg.mode), LastEpoch(folder)]
    precision = pick_precision(cfg.trainer.accelerator) if cfg.trainer.precision == "auto" else cfg.trainer.precision
    return instantiate(cfg.trainer, precision=precision, logger=logger, callbacks=callbacks)


def finish(
    cfg: DictConfig,
    trainer: "pl.Trainer",
    data: Any,
    classical: Mapping[str, "RestorationModule"],
    stopper: "StopOnSignal",
    training_seconds: float,
) -> dict[str, Any]:
    """Test the best checkpoint beside its input and the best classical method, and write the run's results."""
    from evaluate import report
    from lightning_modules.checkpoint import load_restorer
    from lightning_modules.evaluation import compare, with_best_classical

    checkpoint = Path(cfg.run_dir) / "checkpoints" / "best.ckpt"
    module = load_restorer(checkpoint)
    metric = cfg.monitor.removeprefix("val/")
    table, rows = compare((cfg.choices.model, module), classical, data, trainer)
    facts = {
        "status": "finished" if stopper.received is None else "interrupted",
        "signal": stopper.received,
        "checkpoint": str(checkpoint),
        "epochs": trainer.current_epoch,
        "training_seconds": round(training_seconds, 1),
    }
    return report(cfg, facts, with_best_classical(table, metric), rows, module, data, trainer.logger)


@hydra.main(config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Train as the command line says; exit 1 if something is wrong, 128 + n after signal n."""
    from conf.compose import exit_code_of, quiet_lightning

    def job() -> int:
        received = train(cfg)["signal"]
        return 128 + received if received else 0

    quiet_lightning()
    sys.exit(exit_code_of(job))


if __name__ == "__main__":
    main()
