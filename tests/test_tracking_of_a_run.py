"""What a run tells Weights & Biases, read back from the offline file of the run."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import wandb
from hydra import compose, initialize_config_module
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

from conf.settings import evaluate_settings, train_settings
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


@pytest.fixture(scope="module")
def tracked(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any], Told]]:
    """Train once with W&B and TensorBoard; give the folder, the result and what W&B was told."""
    folder = tmp_path_factory.mktemp("tracked") / "run"
    names = ["run_name=r", f"run_dir={folder}", "choices.model=method", "choices.data=d", "choices.corruption=c"]
    quick = ["trainer=cpu", "trainer.max_epochs=2", "trainer.log_every_n_steps=1", "examples=2", "baselines=[wiener,sinc]"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DATA_DIR", "")
        patch.delenv("WANDB_DATA_DIR")
        with initialize_config_module("conf"):
            given = [*tiny, *TINY_NET, *names, *quick, "logger=[wandb,tensorboard]", "group=my_sweep"]
            settings = train_settings(compose("train", given))
        yield folder, train(settings), told(folder)


def test_offline_run_holds_names_and_config(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    folder, _, what = tracked
    assert list(what.run.tags) == ["method", "d", "c"]
    assert (what.run.run_group, what.run.job_type) == ("my_sweep", "train")
    assert what.run.run_id == json.loads((folder / "run.json").read_text(encoding="utf-8"))["id"]
    assert what.config["model"]["net"]["channels"] == [4, 8]
    assert what.config["seed"] == 0


def test_offline_run_holds_curves_with_each_rate_once(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    history = tracked[2].history
    assert {"train/loss", "val/si_sdr_db", "val/corrupted_si_sdr_db", "test/si_sdr_db"} <= set(history)
    assert [key for key in history if key.startswith("lr")] == ["lr"]


def test_summary_tells_result_cost_and_the_other_methods(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    _, result, what = tracked
    expected = result["metrics"] | {"verdict": result["verdict"], "params": result["params"]}
    expected |= {f"best_epoch/{name.removeprefix('val/')}": value for name, value in result["validation"].items()}
    expected |= {f"baseline/{name}/snr_db": result["methods"][name]["snr_db"] for name in ("wiener", "sinc")}
    expected |= {name: result[name] for name in ("training_seconds", "training_core_seconds", "real_time_factor")}
    for name, value in expected.items():
        assert what.summary[name] == pytest.approx(value, rel=1e-4) if isinstance(value, float) else value, name


def test_summary_and_test_row_stand_at_the_end_of_the_training(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    folder, result, what = tracked
    steps = 2 * 16 // 4
    assert (result["epochs"], result["global_step"]) == (2, steps)
    assert (what.summary["epoch"], what.summary["trainer/global_step"]) == (2, steps)
    rows = [{key_of(item): json.loads(item.value_json) for item in record.history.item} for record in records(folder)]
    (test,) = [row for row in rows if "test/snr_db" in row]
    assert (test["epoch"], test["trainer/global_step"]) == (2, steps)


def test_summary_keeps_the_best_of_every_validation_metric(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    folder, _, what = tracked
    lines = [json.loads(line) for line in (folder / "epochs.jsonl").read_text(encoding="utf-8").splitlines()]
    for name, best in (("si_sdr_db", max), ("lsd", min)):
        expected = best(line[f"val/{name}"] for line in lines)
        assert what.summary[f"val/{name}"] == {best.__name__: pytest.approx(expected, rel=1e-4)}


def test_offline_run_holds_every_medium_once_in_a_table(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    folder, _, what = tracked
    assert len([path for path in what.files if path.endswith((".flac", ".png"))]) == 8
    assert not list((folder / "wandb").glob("offline-run-*/files/media/audio/*"))
    table = json.loads(what.files["examples.table.json"].read_text(encoding="utf-8"))
    assert table["columns"] == ["pair", "seconds", "corrupted", "restored", "clean", "spectrograms"]
    kinds = [[cell["_type"] for cell in line[2:]] for line in table["data"]]
    assert kinds == [["audio-file"] * 3 + ["image-file"]] * 2
    assert [line[:2] for line in table["data"]] == [["08, 0.0 to 1.0 s", 1.0], ["09, 1.0 to 2.0 s", 1.0]]
    assert table["data"][0][3]["caption"] == "restored, 1.0 s"


def test_run_folder_holds_what_the_documentation_says(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    page = (Path(__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8").partition("## A run folder")[2]
    documented = {name.rstrip("/") for name in re.findall(r"^ {6}(\S+)", page, flags=re.MULTILINE)}
    assert {entry.name for entry in tracked[0].iterdir()} <= documented


def test_tensorboard_gets_scalars_scores_and_media(tracked: tuple[Path, dict[str, Any], Told]) -> None:
    folder, result, _ = tracked
    events = EventAccumulator(str(folder / "tensorboard" / "version_0")).Reload()
    scalars = {name: events.Scalars(name)[-1] for name in events.Tags()["scalars"]}
    assert {"train/loss", "val/si_sdr_db", "lr", "training_seconds", "baseline/wiener/snr_db"} <= set(scalars)
    assert scalars["test/snr_db"].value == pytest.approx(result["metrics"]["test/snr_db"], rel=1e-4)
    assert scalars["test/snr_db"].step == result["global_step"]
    assert "_hparams_/session_start_info" in events.summary_metadata
    assert {"verdict/text_summary", "methods/text_summary"} <= set(events.Tags()["tensors"])
    assert len(events.Tags()["images"]) == 2
    (restored,) = events.Audio("examples/0000_restored")
    assert (restored.sample_rate, restored.length_frames, restored.step) == (4000, 4000, result["global_step"])


def test_evaluation_can_be_logged_as_such(tiny: list[str], tmp_path: Path) -> None:
    names = ["run_name=e", f"run_dir={tmp_path / 'e'}", "choices.model=sinc", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        config = compose("evaluate", [*tiny, *names, "model=sinc", "logger=wandb", "baselines=[]", "trainer.accelerator=cpu"])
    result = evaluate(evaluate_settings(config))
    what = told(tmp_path / "e")
    assert (what.run.run_group, what.run.job_type) == ("sinc-c", "evaluate")
    assert what.config["choices"]["model"] == "sinc"
    assert list(what.run.tags) == ["sinc", "d", "c"]
    assert what.summary["test/snr_db"] == pytest.approx(result["metrics"]["test/snr_db"], rel=1e-4)
