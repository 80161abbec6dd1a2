"""Train an adversarial method in two processes, at once and in two parts: FOLDER OVERRIDES... (run by test_train_mugan.py)."""

import sys
from pathlib import Path

import torch
from hydra import compose, initialize_config_module

from conf.compose import instantiate, plain, quiet_lightning
from lightning_modules.callbacks.best_and_last import LastEpoch
from lightning_modules.callbacks.common import BatchSeed
from lightning_modules.commands.train import make_trainer
from lightning_modules.runs.checkpoint import build_restorer


def fit(folder: Path, overrides: list[str], epochs: int, checkpoint: Path | None = None) -> None:
    """Train up to a number of epochs; every process writes its state and metrics to FOLDER/RANK.pt."""
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=[*overrides, f"trainer.max_epochs={epochs}"])
    torch.manual_seed(cfg.seed)
    data, module = instantiate(cfg.data), build_restorer(plain(cfg.model))
    trainer = make_trainer(plain(cfg), logger=False, callbacks=[BatchSeed(cfg.seed), LastEpoch(folder)])
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
    state = {name: value for name, value in module.state_dict().items() if not name.startswith("scores")}
    torch.save({"state": state, "metrics": metrics}, folder / f"{trainer.global_rank}.pt")


def main(folder: Path, overrides: list[str]) -> None:
    """Train for two epochs in FOLDER/whole, and for one and then another in FOLDER/parts."""
    quiet_lightning()
    for run in ("whole", "parts"):
        (folder / run).mkdir(exist_ok=True)
    fit(folder / "whole", overrides, epochs=2)
    fit(folder / "parts", overrides, epochs=1)
    fit(folder / "parts", overrides, epochs=2, checkpoint=folder / "parts" / "last.ckpt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
