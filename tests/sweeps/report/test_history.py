"""Learning curves are read back from both loggers."""

import json
from pathlib import Path

import wandb
from wandb.proto import wandb_internal_pb2

from sweeps.report.history import LONGEST, read_curves, thin

STEPS = range(300)


def block_records(payloads: list[bytes]) -> bytes:
    """Write records as LevelDB's log format has them, independently of any reader: split at blocks of 32 KiB."""
    data = bytearray(7)
    for payload in payloads:
        first = True
        while True:
            room = 32768 - len(data) % 32768
            if room < 7:
                data += bytes(room)
                continue
            piece, payload = payload[: room - 7], payload[room - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[first, not payload]
            data += bytes(4) + len(piece).to_bytes(2, "little") + bytes([kind]) + piece
            first = False
            if not payload:
                break
    return bytes(data)


def history_record(values: dict[str, object]) -> bytes:
    record = wandb_internal_pb2.Record()
    for name, value in values.items():
        item = record.history.item.add()
        item.nested_key.append(name)
        item.value_json = json.dumps(value)
    return record.SerializeToString()


def test_csv_curves_are_by_step_and_a_resumed_run_continues_them(tmp_path: Path) -> None:
    for version, lines in enumerate(("0,5,1.0,\n0,5,,2.0\n1,11,0.5,\n", "1,11,0.4,\n2,17,0.3,\n")):
        folder = tmp_path / "csv" / f"version_{version}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text("epoch,step,train/loss,val/lsd\n" + lines, encoding="utf-8")
    assert read_curves(tmp_path) == {"train/loss": [(5.0, 1.0), (11.0, 0.4), (17.0, 0.3)], "val/lsd": [(5.0, 2.0)]}


def test_offline_file_of_wandb_gives_the_same_curves(tmp_path: Path) -> None:
    folder = tmp_path / "wandb" / "offline-run-1"
    folder.mkdir(parents=True)
    media = {"_type": "audio", "padding": "x" * 500}
    rows = [{"trainer/global_step": step, "train/loss": 1 / (step + 1), "examples/0": media, "lr": 0.1} for step in STEPS]
    content = block_records([history_record(row) for row in rows])
    assert len(content) > 2 * 32768
    (folder / "run-1.wandb").write_bytes(content)
    curves = read_curves(tmp_path)
    assert list(curves) == ["train/loss"]
    assert curves["train/loss"] == thin([(float(step), 1 / (step + 1)) for step in STEPS])


def test_file_of_a_killed_run_is_read_up_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "wandb" / "offline-run-1"
    folder.mkdir(parents=True)
    rows = [history_record({"trainer/global_step": step, "val/lsd": 1.0 * step}) for step in range(3)]
    (folder / "run-1.wandb").write_bytes(block_records(rows)[:-5])
    assert read_curves(tmp_path) == {"val/lsd": [(0.0, 0.0), (1.0, 1.0)]}


def test_epoch_that_the_logger_lost_is_in_the_curve(tmp_path: Path) -> None:
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "metrics.csv").write_text(
        "epoch,step,train/loss,val/lsd\n1,10,0.7,\n1,15,,2.0\n2,23,,1.5\n", encoding="utf-8"
    )
    lines = [json.dumps({"epoch": epoch, "val/lsd": value}) + "\n" for epoch, value in enumerate((3.0, 2.0, 1.5))]
    (tmp_path / "epochs.jsonl").write_text("".join(lines) + '{"epoch": 3, "val', encoding="utf-8")
    assert read_curves(tmp_path) == {"val/lsd": [(7.0, 3.0), (15.0, 2.0), (23.0, 1.5)], "train/loss": [(10.0, 0.7)]}


def test_run_without_a_logger_has_the_curves_of_its_epochs(tmp_path: Path) -> None:
    (tmp_path / "epochs.jsonl").write_text('{"epoch": 0, "val/lsd": 2.0}\n{"epoch": 1, "val/lsd": 1.0}\n', encoding="utf-8")
    (tmp_path / "result.json").write_text('{"epochs": 2, "global_step": 12}', encoding="utf-8")
    assert read_curves(tmp_path) == {"val/lsd": [(5, 2.0), (11, 1.0)]}


def test_run_without_a_history_has_no_curves(tmp_path: Path) -> None:
    assert read_curves(tmp_path) == {}
    assert wandb.run is None


def test_long_curves_are_thinned_evenly_with_both_ends() -> None:
    kept = thin([(float(step), 0.0) for step in range(10_000)])
    gaps = {kept[n + 1][0] - kept[n][0] for n in range(LONGEST - 1)}
    assert (len(kept), kept[0][0], kept[-1][0]) == (LONGEST, 0.0, 9999.0)
    assert max(gaps) - min(gaps) <= 1
