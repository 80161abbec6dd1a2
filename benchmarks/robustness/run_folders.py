"""A small run folder with everything that a training leaves for others to read, and its checkpoint."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from datamodules.audio import io as audio_io
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.runs.checkpoint_io import AtomicCheckpointIO
from lightning_modules.runs.folder import fingerprint

RATE_HZ = 8000
MODEL = {
    "_target_": "lightning_modules.regression.RegressionModule",
    "sample_rate": RATE_HZ,
    "loss_weights": {"l1": 1.0},
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 1e-3},
    "net": {"_target_": "models.unet.UNet", "depth": 1, "channels": [4], "kernels": [3], "dropout": 0.0},
}
PARTS = (
    *("result.json", "config.yaml", "per_example.csv", "epochs.jsonl", "csv/metrics.csv", "run.json", "job.json"),
    *("examples/0000_restored.flac", "examples/0000_clean.flac", "checkpoints/last.ckpt"),
)
"""Files of a run, of which any may be damaged."""


def write_run(folder: Path, config: dict[str, Any], finished: bool = True) -> None:
    """Write a run as train.py leaves it.

    Args:
        folder: is created.
        config: from `configuration`.
        finished: whether it has its results.
    """
    (folder / "csv").mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps({"id": "0123abcd", "fingerprint": fingerprint(config)}), encoding="utf-8")
    (folder / "epochs.jsonl").write_text('{"epoch": 0, "val/lsd": 3.0}\n{"epoch": 1, "val/lsd": 2.0}\n', encoding="utf-8")
    (folder / "csv" / "metrics.csv").write_text(
        "epoch,step,train/loss,val/lsd\n0,5,0.7,\n0,7,,3.0\n1,15,,2.0\n", encoding="utf-8"
    )
    job = {"identity": "a", "overrides": ["seed=1"], "command": ["python", "train.py"], "status": "failed", "exit_code": 1}
    (folder / "job.json").write_text(
        json.dumps(job | {"seconds": 2.0, "objectives": {}, "last_lines": ["error: no data"]}), encoding="utf-8"
    )
    write_checkpoint(folder / "checkpoints" / "last.ckpt")
    if finished:
        _write_results(folder)


_COUNTED = {"total": {"ready": 16, "completed": 16}, "current": {"ready": 8, "completed": 8}}
_PROGRESS = ("epoch_progress", "epoch_loop.batch_progress", "epoch_loop.scheduler_progress")
RESUMABLE: dict[str, Any] = {
    "state_dict": {},
    "optimizer_states": [{"state": {}, "param_groups": []}],
    "lr_schedulers": [],
    "callbacks": {},
    "loops": {"fit_loop": dict.fromkeys(_PROGRESS, _COUNTED)},
    "epoch": 0,
    "global_step": 0,
}
"""The least of a checkpoint from which a training may go on."""


def configuration(lr: float) -> dict[str, Any]:
    """Return a resolved configuration."""
    choices = {"model": "unet", "data": "folder", "corruption": "noise"}
    model = MODEL | {"optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": lr}, "gradient_clip_norm": 1.0}
    data = {"eval_seconds": 1, "sample_rate": RATE_HZ, "seed": 0}
    return {"seed": 0, "monitor": "val/lsd", "choices": choices, "model": model, "corruption": {"snr_db": 5}, "data": data}


def write_checkpoint(path: Path, **changes: Any) -> None:
    """Write a checkpoint that opens and that a training could go on from, but for changes of its entries."""
    torch.manual_seed(0)
    state = RESUMABLE | {"epoch": 1, "global_step": 16, "model_config": MODEL}
    AtomicCheckpointIO().save_checkpoint(state | {"state_dict": build_restorer(MODEL).state_dict()} | changes, path)


def _write_results(folder: Path) -> None:
    means, corrupted = {"si_sdr_db": 7.0, "lsd": 2.0}, {"si_sdr_db": 5.0, "lsd": 2.5}
    methods = {
        "corrupted": {"kind": "corrupted"} | corrupted,
        "wiener": {"kind": "classical", "changed_share": 1.0, "si_sdr_db": 6.5, "lsd": 2.2},
    }
    result: dict[str, Any] = {"status": "finished", "monitor": "val/lsd", "params": 1000, "training_seconds": 3.0, "pairs": 4}
    result |= {"metrics": {}, "manifest_hash": "f00d", "seed": 0, "sample_rate_hz": RATE_HZ, "git_commit": "abc1234"}
    (folder / "result.json").write_text(
        json.dumps(result | {"methods": methods | {"unet": {"kind": "learned"} | means}}), encoding="utf-8"
    )
    with (folder / "per_example.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["file", "offset_samples", "checksum", "index", "si_sdr_db", "lsd", "corrupted_si_sdr_db", "corrupted_lsd"]
        )
        writer.writerows([f"{index // 2}.flac", 0, "c0ffee", index, 7 + index / 10, 2.0, 5.0, 2.5] for index in range(4))
    time_s = np.arange(RATE_HZ // 4) / RATE_HZ
    clean = 0.4 * np.sin(2 * np.pi * 440 * time_s)[None].astype(np.float32)
    for name, gain in (("clean", 1.0), ("corrupted", 0.8), ("restored", 0.9)):
        audio_io.write(folder / "examples" / f"0000_{name}.flac", gain * clean, RATE_HZ)
