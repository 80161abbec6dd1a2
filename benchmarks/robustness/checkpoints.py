"""Damaged and hostile checkpoints: each opens with the weights that were written, or is refused in one sentence."""

import math
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.robustness.damage import FORMS, Form
from benchmarks.robustness.run_folders import MODEL, write_checkpoint
from benchmarks.robustness.tally import BrokenError, Case, Tally, count_held
from lightning_modules.runs.checkpoint import CheckpointError, load_restorer
from lightning_modules.runs.checkpoint_io import why_not_resumable
from lightning_modules.runs.weights import checksum

CASES = 200
RATES = ("x", None, 10**30, math.nan, math.inf, -1, 0, True, 16000.5, [], {}, "16000")
SETTINGS: tuple[Any, ...] = (None, "x", [], 1, [1, 2], {1: 2}, {"_target_": "os.system"}, {"net": {}}, MODEL | {"net": None})
NETS: tuple[dict[str, Any], ...] = (
    {"depth": 10**9},
    {"channels": [10**7]},
    {"channels": [10**30]},
    {"kernels": [10**9 + 1]},
    {"dropout": math.nan},
    {"depth": -1},
    {"channels": []},
    {"channels": "x"},
)
STATES: tuple[Any, ...] = (None, [], "x", {1: torch.zeros(1)}, {"net": 1}, {"\x1b[31m\n" * 50: torch.zeros(1)}, {})


def run(count: int, seed: int, folder: Path) -> Iterator[Tally]:
    """Damage that many checkpoints, and open each."""
    write_checkpoint(folder / "whole.ckpt")
    normal = partial(try_one, folder, lambda path, rng: write_checkpoint(path), random.Random(seed))
    yield count_held("checkpoints", cases(count, seed, folder), folder, normal)


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by name, all entries first, then damage to the file."""
    forms = [*entries(), *((name, partial(_damaged, form)) for name, form in FORMS.items())]
    for number in range(count):
        name, form = forms[number % len(forms)]
        yield f"{number} {name}", partial(try_one, folder, form, random.Random(f"{seed} {number}"))


def entries() -> Iterator[tuple[str, Form]]:
    """Give ways to write a checkpoint with a wrong entry, or sizes that are not there."""
    for number, rate in enumerate(RATES):
        yield f"rate {number}", partial(_changed, model_config=MODEL | {"sample_rate": rate})
    for number, settings in enumerate(SETTINGS):
        yield f"settings {number}", partial(_changed, model_config=settings)
    for number, change in enumerate(NETS):
        yield f"net {number}", partial(_changed, model_config=MODEL | {"net": MODEL["net"] | change})  # type: ignore[operator]
    for number, state in enumerate(STATES):
        yield f"state {number}", partial(_raw, state_dict=state)
    yield "circle", lambda path, rng: _raw(path, rng, model_config=_circle())
    yield "compressed", _compressed
    yield "larger storage", _larger
    yield "repeated storage", lambda path, rng: _raw(path, rng, state_dict={"net": torch.zeros(1).expand(1 << 32)})
    yield "bytearray", _bytearray
    yield "memo", _memo


def _damaged(form: Form, path: Path, rng: random.Random) -> None:
    write_checkpoint(path)
    form(path, rng)


def _changed(path: Path, rng: random.Random, **changes: Any) -> None:
    write_checkpoint(path, **changes)


def _raw(path: Path, rng: random.Random, **changes: Any) -> None:
    torch.save({"model_config": MODEL, "state_dict": {}} | changes, path)


def _circle() -> dict[str, Any]:
    circle: dict[str, Any] = dict(MODEL)
    circle["net"] = [circle, circle]
    return circle


def _compressed(path: Path, rng: random.Random) -> None:
    """Write a small file whose record of half a GB of zeros is compressed."""
    torch.save({"model_config": MODEL, "state_dict": {"net": torch.zeros(4)}}, path)
    content = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, record in content.items():
            if name.endswith("data/0"):
                with archive.open(name, "w", force_zip64=True) as file:
                    for _ in range(1 << 9):
                        file.write(bytes(1 << 20))
            else:
                archive.writestr(name, record)


def _rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Write a checkpoint whose description is changed."""
    torch.save({"model_config": MODEL, "state_dict": OrderedDict(net=torch.zeros(300))}, path)
    content = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, record in content.items():
            archive.writestr(name, change(record) if name.endswith("data.pkl") else record)


def _larger(path: Path, rng: random.Random) -> None:
    _rewritten(path, lambda description: description.replace(b"M\x2c\x01", b"J\x00\x00\x00\x60"))  # 300 values: 1.6e9 of them


def _bytearray(path: Path, rng: random.Random) -> None:
    _rewritten(path, lambda description: b"\x80\x02cbuiltins\nbytearray\nJ\x00\x00\x00\x7f\x85R.")


def _memo(path: Path, rng: random.Random) -> None:
    _rewritten(path, lambda description: b"\x80\x02}r\xff\xff\xff\x7f.")


def try_one(folder: Path, form: Form, rng: random.Random) -> None:
    """Write a checkpoint and open it to restore and to go on from.

    Raises:
        BrokenError: if it opens with other weights, or the refusal is not one printable sentence with the path.
    """
    path = folder / "damaged.ckpt"
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    form(path, rng)
    why_not_resumable(path)
    try:
        module = load_restorer(path)
    except CheckpointError as error:
        told = str(error)
        if not (told.startswith(str(path)) and told.isprintable() and len(told) < 1000):
            raise BrokenError(f"says {told[:300]!r}") from error
        return
    if checksum(module.state_dict()) != checksum(load_restorer(folder / "whole.ckpt").state_dict()):
        raise BrokenError("opens with other weights")
