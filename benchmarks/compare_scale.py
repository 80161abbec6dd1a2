"""Seconds and memory that compare.py takes over a sweep of many runs.

    python benchmarks/compare_scale.py [--runs 2000] [--pairs 20] [--examples 2]

The run folders are made up, as a sweep of `mugan_small` leaves them: a whole configuration, every metric of a test for each pair,
twenty validations, the curves of the CSV logger, and examples to hear. No two have the same settings.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from datamodules.audio import io as audio_io
from lightning_modules.metrics.registry import METRICS
from machine.system import wait_for_peak_memory_mib

RATE_HZ, EPOCHS, STEPS_A_LINE, SECONDS = 16000, 20, 10, 4
VALIDATED = ("val/si_sdr_db", "val/snr_db", "val/lsd", "val/mse")
TERMS = ("total", "l1", "mr_stft", "adversarial", "feature", "discriminator")


def main(runs: int, pairs: int, examples: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_runs(folder / "multirun", runs, pairs, examples)
        command = [sys.executable, "compare.py", str(folder / "multirun"), "-o", str(folder / "report")]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        peak_mib = wait_for_peak_memory_mib(process)
        wall = time.perf_counter() - started
        page = (folder / "report" / "index.html").stat().st_size / 1e6
    used = os.times()  # of processes that have ended; Windows does not tell
    cpu = used.children_user + used.children_system
    print(f"{runs} runs, {pairs} pairs, {examples} examples each; index.html {page:.1f} MB, exit code {process.returncode}")
    print(f"{wall:.1f} s, {cpu:.1f} s of processors, {peak_mib:.0f} MiB at most")


def make_runs(sweep: Path, runs: int, pairs: int, examples: int) -> None:
    """Write run folders that differ in their weights and rates."""
    draw = np.random.default_rng(0)
    with initialize_config_module("conf"):
        names = ["run_name=r", "run_dir=r", "choices.model=mugan_small", "choices.data=folder", "choices.corruption=noise"]
        config = OmegaConf.to_yaml(compose("train", ["model=mugan_small", "data=folder", "trainer=cpu", *names]), resolve=True)
    places = [{"file": f"{n // 2}.flac", "offset_samples": n, "length_samples": 64000} for n in range(pairs)]
    clean = {index: 0.1 * draw.standard_normal((1, SECONDS * RATE_HZ)) for index in range(examples)}
    for number in range(runs):
        folder = sweep / str(number)
        folder.mkdir(parents=True)
        text = config.replace("lr: 0.002\n", f"lr: {0.002 + 1e-5 * (number // 100)}\n")
        text = text.replace("feature: 1.0\n", f"feature: {1 + number % 10}\n")
        text = text.replace("adversarial: 0.001\n", f"adversarial: {0.001 * (1 + number // 10 % 10)}\n")
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        write_results(folder, places, draw)
        write_curves(folder, draw)
        for index, signal in clean.items():
            write_example(folder / "examples", index, signal, draw)


def write_results(folder: Path, places: list[dict[str, Any]], draw: np.random.Generator) -> None:
    """Write result.json and per_example.csv."""
    names = [name for name in METRICS if not METRICS[name].is_of_method]
    inputs = np.random.default_rng(1).standard_normal((len(names), len(places)))  # of every run the same
    scores = inputs + 1 + 0.1 * draw.standard_normal(inputs.shape)
    rows = {"corrupted": ("corrupted", inputs), "mugan_small": ("learned", scores)}
    methods = {
        name: {"kind": kind, **dict(zip(names, values.mean(axis=1), strict=True))} for name, (kind, values) in rows.items()
    }
    result = {"status": "finished", "monitor": "val/si_sdr_db", "metrics": {}, "manifest_hash": "f00d", "seed": 0}
    result |= {"sample_rate_hz": RATE_HZ, "pairs": len(places), "params": 690_000, "training_seconds": 60.0, "methods": methods}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    with (folder / "per_example.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*places[0], "index", *names, *(f"corrupted_{name}" for name in names)])
        for index, place in enumerate(places):
            writer.writerow([*place.values(), index, *scores[:, index], *inputs[:, index]])


def write_curves(folder: Path, draw: np.random.Generator) -> None:
    """Write epochs.jsonl and the table of the CSV logger."""
    rows = draw.standard_normal((EPOCHS, len(VALIDATED))).tolist()
    lines = [
        {"epoch": epoch, "step": 128 * (epoch + 1), **dict(zip(VALIDATED, row, strict=True))} for epoch, row in enumerate(rows)
    ]
    (folder / "epochs.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    (folder / "csv").mkdir()
    with (folder / "csv" / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "step", *(f"train/{term}" for term in TERMS)])
        for step in range(0, EPOCHS * 128, STEPS_A_LINE):
            writer.writerow([step // 128, step, *draw.standard_normal(len(TERMS))])


def write_example(folder: Path, index: int, clean: np.ndarray, draw: np.random.Generator) -> None:
    """Write a pair and what a run made of it."""
    noise = 0.02 * draw.standard_normal(clean.shape)
    for name, signal in {"clean": clean, "corrupted": 0.9 * clean, "restored": clean + noise}.items():
        audio_io.write(folder / f"{index:04d}_{name}.flac", signal.astype(np.float32), RATE_HZ)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--examples", type=int, default=2)
    options = parser.parse_args()
    main(options.runs, options.pairs, options.examples)
