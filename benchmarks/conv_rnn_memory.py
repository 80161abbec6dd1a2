"""Measure the memory of training the recurrent denoiser with 10 and with 100 steps, states recomputed and states kept.

    python benchmarks/conv_rnn_memory.py [conv_rnn_literal|conv_rnn ...] [--seconds 2] [--batch 1]

Each row is a process of its own that makes one training step in float32 (forward, backward, AdamW), all steps compared; the
figure is the growth of its peak resident memory over what it used before the network was made. On a GPU it is the peak that
torch allocated.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATE_HZ = 16000
KINDS = [(10, True), (100, True), (10, False), (100, False)]
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
"""Makes the C library return at once what is freed: else the peak counts the holes in its heap too, which vary."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(",")[0] + ".")
    parser.add_argument("models", nargs="*", default=["conv_rnn_literal"])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        steps, recompute = options.row
        print(peak_megabytes(options.models[0], int(steps), recompute == "True", options.batch, options.seconds))
        return
    print("| model | steps | states | MB | of 10 steps |\n|---|---|---|---|---|")
    for model in options.models:
        base: dict[bool, float] = {}
        for steps, recompute in KINDS:
            arguments = [model, "--seconds", options.seconds, "--batch", options.batch, "--row", steps, recompute]
            megabytes = float(in_a_process(arguments).split()[-1])
            base.setdefault(recompute, megabytes)
            kept = "recomputed" if recompute else "kept"
            print(f"| {model} | {steps} | {kept} | {megabytes:.0f} | {megabytes / base[recompute]:.2f} |", flush=True)


def in_a_process(arguments: list[object]) -> str:
    command, environment = [sys.executable, __file__, *map(str, arguments)], os.environ | GIVE_BACK
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout


def peak_megabytes(model: str, steps: int, recompute: bool, batch: int, seconds: float) -> float:
    """Return the memory that one training step takes."""
    import torch
    from hydra import compose, initialize_config_dir

    from conf.compose import plain
    from lightning_modules.runs.checkpoint import build_restorer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    changes = [f"model.net.steps={steps}", f"model.recompute={recompute}", "model.compared_steps=null"]
    with initialize_config_dir(str(ROOT / "conf")):
        config = plain(compose("train", [f"model={model}", "data.sample_rate=16000", *changes]).model)
    clean, noise = torch.randn(2, batch, 1, int(seconds * RATE_HZ), device=device)
    before = used_megabytes(device)
    module = build_restorer(config).to(device)
    optimizer = module.optimizer(module.parameters())  # type: ignore[operator]
    terms = module.terms(clean, clean + noise, module.plan(torch.arange(batch)))  # type: ignore[operator]
    torch.stack(list(terms.values())).sum().backward()
    optimizer.step()
    return used_megabytes(device) - before


def used_megabytes(device: str) -> float:
    import torch

    from machine.system import peak_memory_mib

    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return peak_memory_mib()


if __name__ == "__main__":
    main()
