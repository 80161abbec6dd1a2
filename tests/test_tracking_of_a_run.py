"""What a run tells Weights & Biases, read back from the offline file of the run."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from omegaconf import DictConfig
from wandb.proto import wandb_internal_pb2

from train import train

TINY_NET = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]


HEADER_BYTES, BLOCK_BYTES, RECORD_HEADER_BYTES = 7, 32768, 7


def payloads(data: bytes) -> Iterator[bytes]:
    """Split a file in LevelDB's log format: blocks of records (checksum 4, length 2, type 1) that may be whole or in parts."""
    position, whole = HEADER_BYTES, b""
    while position + RECORD_HEADER_BYTES <= len(data):
        if BLOCK_BYTES - position % BLOCK_BYTES < RECORD_HEADER_BYTES:
            position += BLOCK_BYTES - position % BLOCK_BYTES
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        position += RECORD_HEADER_BYTES
        whole += data[position : position + length]
        position += length
        if kind in (1, 4):  # whole, last part
            yield whole
            whole = b""


def records(folder: Path) -> Iterator[wandb_internal_pb2.Record]:
    for payload in payloads(next(folder.glob("wandb/offline-run-*/*.wandb")).read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(payload)
        yield record


def key_of(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


def test_offline_run_holds_names_config_metrics_and_media(train_config: Callable[..., DictConfig], tmp_path: Path) -> None:
    result = train(train_config(*TINY_NET, "logger=wandb", "examples=1", "trainer.log_every_n_steps=1"))
    wandb.teardown()  # wandb.finish does not wait for the process that writes the file; this does, as the end of a program does
    history: dict[str, Any] = {}
    config: dict[str, Any] = {}
    run = None
    for record in records(tmp_path / "run"):
        history |= {key_of(item): json.loads(item.value_json) for item in record.history.item}
        config |= {key_of(item): json.loads(item.value_json) for item in record.config.update}
        if record.HasField("run"):
            run = record.run
            config |= {key_of(item): json.loads(item.value_json) for item in record.run.config.update}
    assert run is not None
    assert list(run.tags) == ["method", "d", "c"]
    assert run.run_id == json.loads((tmp_path / "run" / "run.json").read_text())["id"]
    assert config["model"]["net"]["channels"] == [4, 8]
    assert config["seed"] == 0
    for name, value in result["metrics"].items():
        assert history[name] == pytest.approx(value, rel=1e-4), name
    assert {"train/loss", "val/si_sdr_db", "val/corrupted_si_sdr_db"} <= set(history)
    assert history["examples/0/_type"] == "audio"
    assert history["examples/0/captions"] == ["corrupted", "restored", "clean"]
    assert history["examples/0_spectrogram/_type"] == "images/separated"
