"""Train an adversarial method in two processes and save what each ends with: FOLDER OVERRIDES... (run by test_train_mugan.py)."""

import sys
from pathlib import Path

import torch
from hydra import compose, initialize_config_module

from conf.compose import instantiate, plain, quiet_lightning
from lightning_modules.callbacks import EpochSeed
from lightning_modules.checkpoint import build_restorer
from train import make_trainer


def main(folder: Path, overrides: list[str]) -> None:
    """Train for as long as the overrides say; every process writes its parameters and metrics to FOLDER/RANK.pt."""
    quiet_lightning()
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=overrides)
    data, module = instantiate(cfg.data), build_restorer(plain(cfg.model))
    torch.manual_seed(cfg.seed)
    trainer = make_trainer(cfg, logger=False, enable_checkpointing=False, callbacks=[EpochSeed(cfg.seed)])
    trainer.fit(module, datamodule=data)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
    weights = {name: parameter.detach() for name, parameter in module.named_parameters()}
    torch.save({"weights": weights, "metrics": metrics}, folder / f"{trainer.global_rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
