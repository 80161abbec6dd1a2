"""What the tests of run folders share: runs, and processes that hold them."""

import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.robustness.run_folders import RESUMABLE

CONFIG: dict[str, Any] = {
    "seed": 0,
    "run_name": "a",
    "run_dir": "x",
    "resume": None,
    "model": {"depth": 4, "scheduler": {"T_max": 20}},
    "trainer": {"max_epochs": 20, "enable_progress_bar": True},
    "data": {"num_workers": 0, "cache_dir": "c", "batch_size": 16},
    "examples": 4,
    "baselines": ["wiener"],
}


def finished_epoch(folder: Path, status: str | None = None) -> Path:
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    torch.save(RESUMABLE, folder / "checkpoints" / "last.ckpt")
    if status is not None:
        (folder / "result.json").write_text(json.dumps({"status": status}), encoding="utf-8")
    return folder
