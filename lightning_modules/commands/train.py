"""Train one method on one data set against one corruption, and test what came of it."""

import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger

from conf.compose import baselines, create, create_group, save
from conf.settings import TrainSettings, told_of
from datamodules.audio import io as audio_io
from datamodules.audio.partial import remove_leftovers
from lightning_modules.base import NonFiniteLossError, RestorationModule
from lightning_modules.callbacks.best_and_last import best_scores
from lightning_modules.callbacks.budget import Budget, check_last_step
from lightning_modules.callbacks.common import StopOnSignal, TrainingClock
from lightning_modules.callbacks.companions import Companions
from lightning_modules.callbacks.compiling import Compiling
from lightning_modules.callbacks.every_run import run_callbacks
from lightning_modules.callbacks.mid_epoch import batches_of_epoch
from lightning_modules.callbacks.progress import ScoringBar, TrainingBar, with_bar
from lightning_modules.callbacks.stereo_learning import StereoLearning
from lightning_modules.commands.compiling import check_compiling, is_of_compiler, why_not_compiled
from lightning_modules.commands.going_on import BEST_ANEW_VARIABLE, GoesOn, as_the_first, goes_on_from
from lightning_modules.commands.repeating import told_of_earlier_run
from lightning_modules.commands.starting import Start, began_with, method_to_train, start_training
from lightning_modules.commands.together import Together
from lightning_modules.fleet import GONE, LostProcessError, is_of_lost_connection
from lightning_modules.runs.checkpoint import find_checkpoint, load_restorer
from lightning_modules.runs.checkpoint_io import AtomicCheckpointIO
from lightning_modules.runs.end import EXAMPLES, Bench, Tested, end_run, end_untested
from lightning_modules.runs.evaluation import score_pairs
from lightning_modules.runs.folder import Run, join_run, open_run
from lightning_modules.runs.kept_files import discard_checkpoints
from lightning_modules.runs.made_with import write_made_with
from lightning_modules.runs.tracking import close_loggers
from lightning_modules.signals import Interrupted
from lightning_modules.training.hardware import pick_precision
from machine.launched import is_first_process
from machine.slurm import queue_again, requeue_signals

OURS = ("max_steps", "overfit_batches", "fast_dev_run")
"""Arguments of Lightning's trainer that have the same meaning here, and are seen to here: with several optimizers too."""
RUN_FOLDER_VARIABLE = "CLARION_RUN_FOLDER"
"""Tells the other processes of a training which folder the first of them opened."""


class BrokenRunError(ValueError):
    """A loss or a gradient is not finite; the run ends, and says what is left of it."""


@dataclass(frozen=True)
class Prepared:
    """What is made before a run has a folder: the method, its data, the methods to compare it with, and where it starts."""

    module: RestorationModule
    data: Any
    classical: Mapping[str, RestorationModule]
    start: Start


def train(settings: TrainSettings) -> dict[str, Any]:
    """Run one experiment to its end and return what result.json holds; one that is only tried leaves nothing.

    Raises:
        ValueError: for anything wrong with the configuration, the data or the folders, before any training.
        BrokenRunError: if the training cannot go on.
    """
    trial = settings.config["trainer"].get("fast_dev_run")
    if not trial:
        return run_to_its_end(settings)
    with tempfile.TemporaryDirectory() as folder:
        result = run_to_its_end(replace(settings, run_dir=Path(folder) / "run"))
    if is_first_process():
        print(f"trainer.fast_dev_run={str(trial).lower()}: tried with {int(trial)} of all batches and pairs; nothing is kept")
    return result


def run_to_its_end(settings: TrainSettings) -> dict[str, Any]:
    """Run one experiment, as `train`."""
    together = Together((RUN_FOLDER_VARIABLE, BEST_ANEW_VARIABLE))
    together.begin(settings.run_dir)
    is_asked = is_first_process() and settings.resume not in (None, "auto")
    goes_on = goes_on_from(Path(str(settings.resume)), settings.config) if is_asked else GoesOn()
    prepared = prepare(settings, together)
    run = open_or_join_run(settings, together)
    config = settings.config_with({"run_dir": str(run.folder), "run_id": run.id})
    if is_first_process():
        for change in goes_on.changes:
            print(change)
        prepared.start.record(run)
        save(config, run.folder / "config.yaml")
        write_made_with(run.folder, told_of(config)["overrides"])
        for line in told_of_earlier_run(settings, prepared.data):
            print(line)
    else:
        goes_on = as_the_first()
    loggers = create_group(config, "logger")
    try:
        for logger in loggers:
            logger.log_hyperparams(config)
        result = fit_and_test(settings, run, prepared, loggers, [*goes_on.callbacks, *added_callbacks(config)])
    except NonFiniteLossError as error:
        close_loggers(loggers, 1)
        raise BrokenRunError(end_of_a_broken_run(error, run.folder)) from error
    except BaseException:
        close_loggers(loggers, 1)
        raise
    finally:
        run.close()
    if is_first_process() and result.get("signal") in requeue_signals():
        print(queue_again(), flush=True)
    return result


def prepare(settings: TrainSettings, together: Together) -> Prepared:
    """Create the data and the method, and check that they can be trained.

    Raises:
        ValueError: for anything wrong with the configuration or the data.
    """
    trainer = make_trainer(settings.config, logger=False)
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    data = create(settings.config, "data")
    if settings.config["trainer"].get("overfit_batches"):
        data.repeat_windows()
    added_callbacks(settings.config)
    module = method_to_train(settings)
    module.check_precision(trainer.precision)
    module.check_accumulation(settings.config["trainer"].get("accumulate_grad_batches", 1))
    check_window(module, settings.config["data"]["window_samples"])
    check_channels(module, data.channels)
    if settings.compiled:
        check_compiling(module, trainer.strategy.root_device)
    module.prepare_training()
    start = start_training(module, settings)
    classical = baselines(settings.baselines, data.sample_rate, settings.plugins)
    data.labeled = module.needs_labels
    with together.filling_cache():
        data.setup("fit")
    batches = math.ceil(len(data.train_dataloader()) / trainer.world_size)
    limits = settings.config["trainer"]
    check_last_step(limits.get("max_steps"), limits.get("accumulate_grad_batches", 1), batches_of_epoch(trainer, batches))
    if is_first_process():
        print(data.summary())
    return Prepared(module, data, classical, start)


def check_window(module: RestorationModule, window_samples: int) -> None:
    """Refuse training windows that are too short for the network.

    Raises:
        ValueError: naming the key and the shortest length.
    """
    shortest = getattr(module.net, "min_samples", 1)
    if window_samples < shortest:
        raise ValueError(f"data.window_samples={window_samples} must be at least {shortest}, the shortest that model.net takes")


def check_channels(module: RestorationModule, channels: int) -> None:
    """Refuse data of another number of channels than the network takes.

    Raises:
        ValueError: naming the key and the number.
    """
    taken = getattr(module.net, "channels", None)
    if taken is not None and channels != taken:
        raise ValueError(f"data.channels={channels} must be {taken}, as many as model.net takes")


def open_or_join_run(settings: TrainSettings, together: Together) -> Run:
    """Open the run's folder in the first process, and find it in the others.

    Raises:
        ValueError: if the folder cannot be used.
    """
    if not is_first_process():
        together.hear_run(RUN_FOLDER_VARIABLE)
        return join_run(Path(os.environ[RUN_FOLDER_VARIABLE]))
    together.wait_for_others()
    run = open_run(settings.run_dir, settings.resume, settings.config)
    os.environ[RUN_FOLDER_VARIABLE] = str(run.folder.absolute())
    together.tell_run()
    if run.checkpoint:
        remove_leftovers([run.folder / EXAMPLES])
        print(f"goes on from {run.checkpoint}")
    return run


def added_callbacks(config: Mapping[str, Any]) -> list[Callback]:
    """Create the callbacks that a configuration adds to those of every run.

    Raises:
        ValueError: naming the key, if one cannot be created or is none.
    """
    added = create(config, "callbacks") if config.get("callbacks") else {}
    for name, callback in added.items():
        if not isinstance(callback, Callback):
            raise ValueError(f"callbacks.{name} is a {type(callback).__name__}, not a callback of Lightning")
    return list(added.values())


def fit_and_test(
    settings: TrainSettings, run: Run, prepared: Prepared, loggers: Sequence[Logger], added: Sequence[Callback]
) -> dict[str, Any]:
    """Train, then test in the first process alone, so that every pair counts once; `added` to the callbacks of every run."""
    clock, resumed = TrainingClock(), True if run.checkpoint else None
    with StopOnSignal() as stopper:
        trainer = build_trainer(settings, run, loggers, [Companions(), stopper, clock], added)
        try:
            trainer.fit(prepared.module, datamodule=prepared.data, ckpt_path=run.checkpoint, weights_only=resumed)
        except (MisconfigurationException, ModuleNotFoundError) as error:  # what does not go with this method or installation
            raise ValueError(str(error)) from error
        except RuntimeError as error:
            if is_of_compiler(error):
                raise ValueError(why_not_compiled(error)) from error
            if trainer.world_size == 1 or not is_of_lost_connection(error):
                raise
            raise LostProcessError(GONE.format("another process of this training is gone")) from error
        except Interrupted:
            if not stopper.overdue:
                raise
        cost = {"training_seconds": round(clock.seconds(), 1)}
        if (core_seconds := clock.core_seconds()) is not None:
            cost["training_core_seconds"] = round(core_seconds, 1)
        steps = trainer.fit_loop.epoch_loop._batches_that_stepped  # what Lightning's loggers count, however many optimizers
        progress = {"epochs": trainer.current_epoch, "global_step": steps}
        facts = {**progress, **cost, "validation": best_scores(trainer)}
        if trainer.world_size > 1:
            torch.distributed.destroy_process_group()
        if not trainer.is_global_zero:
            return {"signal": stopper.received}
        shown = with_bar(settings.config["test_trainer"], ScoringBar(settings.config["choices"]["model"]), [stopper])
        tester = create(settings.config, "test_trainer", logger=False, **shown)
        seen = [callback.learned for callback in added if isinstance(callback, StereoLearning) and callback.learned.steps]
        learned = seen[0] if seen else None
        told = (stopper, settings.panel, settings.probes, learned)
        bench = Bench(run.folder, prepared.data, tester, loggers, audio_io.write, *told)
        return discard_checkpoints(run.folder, settings.keep_checkpoints, finish(settings, facts, prepared, bench))


def build_trainer(
    settings: TrainSettings, run: Run, loggers: Sequence[Logger], watching: Sequence[Callback], added: Sequence[Callback]
) -> pl.Trainer:
    """Create the trainer with the callbacks of every run, those that are added, and others that the caller asks afterwards."""
    choice = (settings.monitor, settings.mode, settings.ema_decay, settings.checkpoint_every_minutes)
    compiling = [Compiling()] if settings.compiled else []
    callbacks = [*watching, *compiling, *run_callbacks(run.folder, settings.seed, *choice, added)]
    shown = with_bar(settings.config["trainer"], TrainingBar(), callbacks)
    trainer = make_trainer(settings.config, logger=list(loggers), plugins=[AtomicCheckpointIO()], **shown)
    trainer.callbacks.append(Budget(settings.config["trainer"].get("max_steps")))  # type: ignore[attr-defined]  # after its timer
    return trainer


def make_trainer(config: Mapping[str, Any], **extra: Any) -> pl.Trainer:
    """Create the trainer that a configuration describes.

    Raises:
        ValueError: if there is no such device, or a value is not one the trainer knows.
    """
    described = {key: value for key, value in config["trainer"].items() if key not in OURS}
    if described["precision"] == "auto":
        described["precision"] = pick_precision(described["accelerator"])
    if isinstance(described.get("val_check_interval"), int):
        described["check_val_every_n_epoch"] = None  # so batches are counted over all epochs
    trainer: pl.Trainer = create({**config, "trainer": described}, "trainer", **extra)
    return trainer


def finish(settings: TrainSettings, facts: Mapping[str, Any], prepared: Prepared, bench: Bench) -> dict[str, Any]:
    """Test the best checkpoint, and write the run's results.

    Raises:
        Interrupted: if the training was, before it left a checkpoint.
    """
    stopper = bench.stopper
    if stopper.overdue and not has_checkpoint(bench.folder):
        raise Interrupted(cast(int, stopper.received))
    checkpoint = find_checkpoint(bench.folder)
    told = {
        **how_it_ended(stopper),
        "checkpoint": str(checkpoint),
        **facts,
        **began_with(bench.folder),
        **told_of(settings.config),
    }
    try:
        if stopper.overdue:
            raise Interrupted(cast(int, stopper.received))
        module = load_restorer(checkpoint, trusted=settings.plugins)
        tested = Tested(settings.config["choices"]["model"], module, score_pairs(module, bench.data, bench.trainer))
    except Interrupted as ended:
        if not stopper.overdue:
            raise
        return end_untested(bench.folder, told | how_it_ended(stopper), ended)
    except Exception as error:
        return end_untested(bench.folder, told, error)
    return end_run(tested, bench, told, prepared.classical, settings.examples)


def how_it_ended(stopper: StopOnSignal) -> dict[str, Any]:
    """Return what a result says of a training that came to its end, or that a signal ended."""
    return {"status": "finished" if stopper.received is None else "interrupted", "signal": stopper.received}


def has_checkpoint(folder: Path) -> bool:
    """Say whether there is a checkpoint in the folder of a run."""
    return any((folder / "checkpoints").glob("*.ckpt"))


def end_of_a_broken_run(error: Exception, folder: Path) -> str:
    """Say why a run could not go on, and what is left of it."""
    kept = ", the last good checkpoint is kept" if has_checkpoint(folder) else ""
    return f"{error}; see {folder / 'nonfinite.json'}{kept}"
