"""What a run tells Weights & Biases, read back from the offline file of the run."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import wandb
from hydra import compose, initialize_config_module
from wandb.proto import wandb_internal_pb2

from conf.settings import TrainSettings, evaluate_settings
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.train import train

TINY_NET = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]


pytestmark = pytest.mark.usefixtures("own_data_folder")

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


@pytest.fixture
def own_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget where an earlier run of this process kept its files."""
    monkeypatch.setenv("WANDB_DATA_DIR", "")
    monkeypatch.delenv("WANDB_DATA_DIR")


def key_of(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


@dataclass
class Told:
    """What an offline file says: the run itself, and the last value of every key."""

    run: Any = None
    history: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


def told(folder: Path) -> Told:
    wandb.teardown()  # wandb.finish does not wait for the process that writes the file; this does, as the end of a program does
    what = Told()
    for record in records(folder):
        what.history |= {key_of(item): json.loads(item.value_json) for item in record.history.item}
        what.summary |= {key_of(item): json.loads(item.value_json) for item in record.summary.update}
        what.config |= {key_of(item): json.loads(item.value_json) for item in record.config.update}
        what.files |= {entry.path: Path(entry.local_path) for entry in record.artifact.manifest.contents}
        if record.HasField("run"):
            what.run = record.run
            what.config |= {key_of(item): json.loads(item.value_json) for item in record.run.config.update}
    return what


def test_offline_run_holds_names_config_metrics_and_media(train_config: Callable[..., TrainSettings], tmp_path: Path) -> None:
    result = train(train_config(*TINY_NET, "logger=wandb", "examples=2", "trainer.log_every_n_steps=1", "group=my_sweep"))
    what = told(tmp_path / "run")
    assert list(what.run.tags) == ["method", "d", "c"]
    assert (what.run.run_group, what.run.job_type) == ("my_sweep", "train")
    assert what.run.run_id == json.loads((tmp_path / "run" / "run.json").read_text())["id"]
    assert what.config["model"]["net"]["channels"] == [4, 8]
    assert what.config["seed"] == 0
    for name, value in (result["metrics"] | result["validation"]).items():
        assert what.summary[name] == pytest.approx(value, rel=1e-4), name
    assert {"test/snr_db", "test/corrupted_snr_db", "val/lsd"} <= set(what.summary)
    assert what.summary["verdict"] == result["verdict"]
    assert {"train/loss", "val/si_sdr_db", "val/corrupted_si_sdr_db", "test/si_sdr_db"} <= set(what.history)
    assert what.history["examples/0/captions"] == ["corrupted", "restored", "clean"]
    assert what.history["examples/1_spectrogram/_type"] == "images/separated"


def test_offline_run_holds_a_table_to_listen_to(train_config: Callable[..., TrainSettings], tmp_path: Path) -> None:
    train(train_config(*TINY_NET, "logger=wandb", "examples=2", "trainer.max_epochs=1"))
    files = told(tmp_path / "run").files
    assert len([path for path in files if path.endswith((".flac", ".png"))]) == 8
    table = json.loads(files["examples.table.json"].read_text())
    assert table["columns"] == ["pair", "corrupted", "restored", "clean", "spectrograms"]
    kinds = [[cell["_type"] for cell in line[1:]] for line in table["data"]]
    assert kinds == [["audio-file"] * 3 + ["image-file"]] * 2
    assert files["examples.table.json"].is_relative_to(tmp_path / "run")


def test_evaluation_can_be_logged_as_such(tiny: list[str], tmp_path: Path) -> None:
    names = ["run_name=e", f"run_dir={tmp_path / 'e'}", "choices.model=sinc", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        config = compose("evaluate", [*tiny, *names, "model=sinc", "logger=wandb", "baselines=[]", "trainer.accelerator=cpu"])
    result = evaluate(evaluate_settings(config))
    what = told(tmp_path / "e")
    assert (what.run.run_group, what.run.job_type) == ("sinc-c", "evaluate")
    assert list(what.run.tags) == ["sinc", "d", "c"]
    assert what.summary["test/snr_db"] == pytest.approx(result["metrics"]["test/snr_db"], rel=1e-4)
