"""A checkpoint is the old one or the new one, whatever happens while it is written."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.robustness.run_folders import RESUMABLE
from lightning_modules.runs.checkpoint_io import AtomicCheckpointIO, why_not_resumable
from lightning_modules.runs.weights import CHECKSUM, checksum


def state(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "state_dict": {"net.weight": torch.tensor([1.0, 2.0])}}


@pytest.mark.parametrize(
    ("step", "error", "reason"),
    [
        ("os.fsync", OSError(28, "No space left on device"), "no space left on device"),
        ("os.replace", OSError(30, "Read-only file system"), "read-only file system"),
        ("torch.save", RuntimeError("[enforce fail at inline_container.cc:659] . unexpected pos"), r"\[enforce fail"),
    ],
)
def test_failure_while_writing_leaves_the_old_checkpoint_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception, reason: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    plugin, path = AtomicCheckpointIO(), tmp_path / "new" / "last.ckpt"
    plugin.save_checkpoint(state(1), path)
    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match=f"last.ckpt cannot be written: {reason}.*; make room there") as caught:
        plugin.save_checkpoint(state(2), path)
    assert "\n" not in str(caught.value)
    assert torch.load(path, weights_only=True)["epoch"] == 1
    assert [path.name for path in path.parent.iterdir()] == ["last.ckpt"]


def test_checkpoint_is_complete_on_disk_before_it_takes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    replace = os.replace

    def look(partial: Path, target: Path) -> None:
        seen.append((partial.name, target.exists(), torch.load(partial, weights_only=True)["epoch"]))
        replace(partial, target)

    monkeypatch.setattr(os, "replace", look)
    AtomicCheckpointIO().save_checkpoint(state(3), tmp_path / "best.ckpt")
    assert seen == [("best.ckpt.partial", False, 3)]


def test_checkpoint_knows_the_checksum_of_its_weights(tmp_path: Path) -> None:
    AtomicCheckpointIO().save_checkpoint(state(1), tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)[CHECKSUM] == checksum(state(1)["state_dict"])


def test_flipped_bit_is_no_state_to_go_on_from(tmp_path: Path) -> None:
    AtomicCheckpointIO().save_checkpoint(state(1), tmp_path / "last.ckpt")
    content = bytearray((tmp_path / "last.ckpt").read_bytes())
    content[content.index(torch.tensor([1.0, 2.0]).numpy().tobytes())] ^= 1
    (tmp_path / "last.ckpt").write_bytes(content)
    assert why_not_resumable(tmp_path / "last.ckpt") == "is damaged: its checksums do not fit"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state_dict", []),
        ("optimizer_states", []),
        ("optimizer_states", [{}]),
        ("optimizer_states", [5]),
        ("lr_schedulers", [1]),
        ("callbacks", 5),
        ("loops", {}),
        ("loops", {"fit_loop": {}}),
        ("loops", {"fit_loop": RESUMABLE["loops"]["fit_loop"] | {"epoch_progress": {"total": {"ready": "x"}, "current": {}}}}),
        ("epoch", "x"),
        ("epoch", -1),
        ("global_step", None),
    ],
)
def test_field_of_another_form_is_no_state_to_go_on_from(tmp_path: Path, field: str, value: object) -> None:
    AtomicCheckpointIO().save_checkpoint(dict(RESUMABLE), tmp_path / "sound.ckpt")
    assert why_not_resumable(tmp_path / "sound.ckpt") is None
    torch.save(RESUMABLE | {field: value}, tmp_path / "last.ckpt")
    assert why_not_resumable(tmp_path / "last.ckpt") == f"is damaged: its {field} cannot be gone on from"
