"""Training throughput on a GPU: steps a second, floating-point operations, their share of the peak, what the pipeline costs.

    python benchmarks/gpu_training.py [unet_published mugan_published ...] [--steps 50] [--peak 989]

A step is what train.py takes, checkpoints and logging aside, in the precision picked for the device: windows from the cache,
corrupted as a batch on the device, all networks of the method. Of a method in stages it is one of the last stage. "stall" is the
part of a step's time that is saved by a batch that was made beforehand. Operations are those of matrix products and convolutions,
forward and backward, a multiplication and an addition counting as two; the optimizer, norms and spectra are left out: the share
is a lower bound. Peaks are the makers' figures for dense bf16. --device cpu tries the script out; a CPU has no peak here.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_module
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conf.compose import create
from conf.settings import TrainSettings, train_settings
from lightning_modules.commands.starting import method_to_train
from lightning_modules.commands.train import make_trainer

PEAK_TFLOPS = {"H100 PCIe": 756, "H100 NVL": 835, "H100": 989, "H200": 989, "A100": 312, "L40S": 362, "L4": 121, "A10": 125}
"""Dense bf16, by a part of the card's name; the first that fits."""
EARLIER_STAGES = {"mugan_published": ["~model.stages.autoencoder"]}
HEAD = (
    "| model, batch x samples | precision | steps/s | TFLOP/s | share of peak | stall | device |\n|---|---|---|---|---|---|---|"
)
WARM_UP = 5
"""Steps before those that are timed, in the first of which operations are counted."""


def main(models: list[str], device: str, steps: int, peak_tflops: float | None) -> None:
    print(HEAD)
    for model in models:
        print(row(model, device, steps, peak_tflops), flush=True)


def row(model: str, device: str, steps: int, peak_tflops: float | None) -> str:
    """Measure one model; return its row of the table."""
    settings = settings_of(model, device, steps)
    data = create(settings.config, "data")
    data.setup("fit")
    cached = Cached(data, device)
    with_pipeline, with_cached = (measured(settings, source) for source in (data, cached))
    name = torch.cuda.get_device_name() if device == "cuda" else device
    peak = peak_of(name) if peak_tflops is None else peak_tflops
    seconds, tflops = with_pipeline.seconds, with_pipeline.flops / with_pipeline.seconds / 1e12
    share = "-" if peak is None else f"{tflops / peak:.1%}"
    shape = "x".join(map(str, cached.batch["clean"].shape))
    stall = 1 - with_cached.seconds / seconds
    return f"| {model}, {shape} | {with_pipeline.precision} | {1 / seconds:.2f} | {tflops:.2f} | {share} | {stall:.1%} | {name} |"


def peak_of(name: str) -> float | None:
    """Return the dense bf16 peak of a card in TFLOP/s; None if it is not known.

    >>> peak_of("NVIDIA H100 80GB HBM3"), peak_of("NVIDIA H100 PCIe"), peak_of("cpu")
    (989, 756, None)
    """
    return next((peak for part, peak in PEAK_TFLOPS.items() if part in name), None)


def settings_of(model: str, device: str, steps: int) -> TrainSettings:
    """Return the settings of a training of so many steps."""
    few = [f"trainer.max_steps={WARM_UP + steps}", "trainer.max_epochs=-1"]
    quiet = ["trainer.enable_progress_bar=false", "logger=csv", "run_name=benchmark", "run_dir=benchmark"]
    named = [f"choices.{name}={name}" for name in ("data", "corruption")] + [f"choices.model={model}"]
    place = ["data=synthetic", f"trainer.accelerator={'gpu' if device == 'cuda' else device}"]
    with initialize_config_module("conf"):
        return train_settings(
            compose("train", overrides=[f"model={model}", *place, *few, *quiet, *named, *EARLIER_STAGES.get(model, [])])
        )


class Measured(pl.Callback):
    """Count the operations of the first step, and time all that follow the warm-up together.

    Attributes:
        seconds: of a step.
        flops: of a step.
        precision: that was trained in.
    """

    def __init__(self, steps: int) -> None:
        self._steps, self._counter = steps, FlopCounterMode(display=False)
        self._done, self._started = 0, 0.0
        self.seconds, self.flops, self.precision = 0.0, 0, ""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *of_batch: Any) -> None:
        """Count in the first step."""
        if self._done == 0:
            self.precision = str(trainer.precision)
            self._counter.__enter__()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *of_batch: Any) -> None:
        """Begin to time after the warm-up, and end after the last step, when the device has done all."""
        self._done += 1
        if self._done == 1:
            self._counter.__exit__(None, None, None)
            self.flops = int(self._counter.get_total_flops())
        if self._done not in (WARM_UP, WARM_UP + self._steps):
            return
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        now = time.perf_counter()
        self.seconds, self._started = (now - self._started) / self._steps, now
        trainer.should_stop = self._done > WARM_UP


def measured(settings: TrainSettings, data: pl.LightningDataModule) -> Measured:
    """Train a fresh method on data for the steps of a measurement."""
    clock = Measured(int(settings.config["trainer"]["max_steps"]) - WARM_UP)
    torch.manual_seed(settings.seed)
    module = method_to_train(settings)
    module.prepare_training()
    bounds = {"limit_val_batches": 0, "num_sanity_val_steps": 0}
    trainer = make_trainer(
        {**settings.config, "trainer": {**settings.config["trainer"], **bounds}},
        logger=False,
        callbacks=[clock],
        enable_checkpointing=False,
    )
    trainer.fit(module, datamodule=data)
    return clock


class Cached(pl.LightningDataModule):
    """One training batch of other data, corrupted and on the device already, again and again."""

    def __init__(self, data: Any, device: str) -> None:
        super().__init__()
        self.sample_rate, self.cutoff_hz, self.seed = data.sample_rate, data.cutoff_hz, data.seed
        batch = data.on_before_batch_transfer(next(iter(data.train_dataloader())), 0)
        there = {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in batch.items()}
        self.batch = data.on_after_batch_transfer(there, 0)
        self._count = len(data.train_dataloader())

    def train_dataloader(self) -> DataLoader[Any]:
        """Return it as often as an epoch has batches."""
        return DataLoader([self.batch] * self._count, batch_size=None)  # type: ignore[arg-type]  # a list is a data set

    val_dataloader = train_dataloader


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["unet_published", "mugan_published"], metavar="model")
    parser.add_argument("--steps", type=int, default=50, help="that are timed")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--peak", type=float, help="of the card in dense bf16, TFLOP/s, where it is not known here")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.exit(2, "there is no GPU here; --device cpu tries the script out\n")
    main(options.models, options.device, options.steps, options.peak)
