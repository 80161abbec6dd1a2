"""Seconds per training step: the whole pipeline against one cached batch, and bf16 against a plain float32 loop.

    python benchmarks/training_step.py [unet_small|unet ...]

Ours is what train.py runs: windows cut from cached recordings, corrupted as a batch, the step in the precision picked
for this machine. "cached batch" is the same step on one batch made beforehand; "plain float32" is forward, backward and Adam
without autocast. The three take turns, step by step, so that a change of the machine's speed hits all alike; medians.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from hydra import compose, initialize_config_module

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conf.compose import instantiate, plain
from lightning_modules.losses.reconstruction import weighted_sum
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.training.hardware import pick_precision

STEPS = {"unet_small": 40, "unet": 6}
WARM_UP = 3
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def main(models: list[str]) -> None:
    print(
        f"{'model':12} {'ours s':>8} {'cached s':>9} {'ratio':>6} {'plain fp32 s':>13} {'ratio':>6}   batch x samples, {DEVICE}"
    )
    for model in models:
        ours, cached, fp32, shape = measure(model)
        print(f"{model:12} {ours:8.3f} {cached:9.3f} {ours / cached:6.3f} {fp32:13.3f} {fp32 / ours:6.2f}   {shape}")


def measure(model: str) -> tuple[float, float, float, str]:
    """Return the median seconds of the three kinds of step, and the batch's shape."""
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=[f"model={model}", "run_name=benchmark", "run_dir=benchmark"])
    data = instantiate(cfg.data)
    data.setup("fit")
    batches = batch_stream(data)
    fixed = next(batches)
    mixed = pick_precision("auto") == "bf16-mixed"
    ours, plain_step = make_step(cfg, mixed), make_step(cfg, False)
    kinds: dict[str, Callable[[], None]] = {
        "ours": lambda: ours(next(batches)),
        "cached": lambda: ours(fixed),
        "fp32": lambda: plain_step(fixed),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(WARM_UP + STEPS.get(model, 10)):
        for kind, step in kinds.items():
            started = time.perf_counter()
            step()
            if DEVICE == "cuda":
                torch.cuda.synchronize()
            seconds[kind].append(time.perf_counter() - started)
    shape = "x".join(str(size) for size in fixed["clean"].shape)
    return *(statistics.median(values[WARM_UP:]) for values in seconds.values()), shape  # type: ignore[return-value]


def batch_stream(data):
    """Yield training batches as the trainer receives them."""
    while True:
        for batch in data.train_dataloader():
            batch = data.on_before_batch_transfer(batch, 0)
            batch = {key: value.to(DEVICE) if isinstance(value, torch.Tensor) else value for key, value in batch.items()}
            yield data.on_after_batch_transfer(batch, 0)


def make_step(cfg, mixed: bool) -> Callable[[dict], None]:
    """Return forward, loss, backward and update of a fresh model."""
    module = build_restorer(plain(cfg.model)).to(DEVICE).train()
    optimizer = module.optimizer(module.net.parameters())

    def step(batch: dict) -> None:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=mixed):
            restored = module.restore(batch["corrupted"])
        loss = weighted_sum(module.loss.terms(restored, batch["clean"]), module.loss.weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["unet_small", "unet"], metavar="model")
    options = parser.parse_args()
    main(options.models)
