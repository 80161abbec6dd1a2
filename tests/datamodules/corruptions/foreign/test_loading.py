"""torchaudio is used where it loads; elsewhere one sentence says what lacks, and nothing else notices."""

import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import torch

from datamodules.corruptions.foreign.loading import torchaudio_functions

ROOT = Path(__file__).parents[4]
REMEDY = r"a CUDA build of torch, with or without a GPU, .* pip install torch '\.\[torchaudio\]'$"


def put(monkeypatch: pytest.MonkeyPatch, **attributes: object) -> ModuleType:
    """Put a make-believe torchaudio in place of any that there is."""
    package, functions = ModuleType("torchaudio"), ModuleType("torchaudio.functional")
    package.__spec__ = ModuleSpec("torchaudio", None)
    vars(package).update(attributes)
    monkeypatch.setitem(sys.modules, "torchaudio", package)
    monkeypatch.setitem(sys.modules, "torchaudio.functional", functions)
    return functions


def damaged(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package of this program where torchaudio is looked for, and take it away with all that it left."""
    (folder / "torchaudio.py").write_text(program, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(sys.modules, "torchaudio", ModuleType("torchaudio"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
        monkeypatch.delitem(sys.modules, name)


def test_new_enough_package_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = put(monkeypatch, __version__="2.11.0+cu130")
    assert torchaudio_functions() is functions


def test_package_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datamodules.corruptions.foreign.loading.find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=f"^corruption=torchaudio needs the package torchaudio, which is not installed; .*{REMEDY}"
    ):
        torchaudio_functions()


def test_package_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, __version__="2.9.1")
    with pytest.raises(ValueError, match=f"needs torchaudio 2.11 or newer, and 2.9.1 is installed; .*{REMEDY}"):
        torchaudio_functions()


def test_package_that_does_not_load_is_told_with_the_first_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["try:", "    raise OSError('libc10_cuda.so: cannot open')", "except OSError as error:"]
    damaged("\n".join([*lines, "    raise OSError('no library') from error"]), tmp_path, monkeypatch)
    told = rf"cannot be loaded beside torch {torch.__version__} \(libc10_cuda.so: cannot open\); .*{REMEDY}".replace("+", r"\+")
    with pytest.raises(ValueError, match=told):
        torchaudio_functions()


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("def", r"SyntaxError: invalid syntax \(torchaudio\.py, line 1\)"),
        ("{}['level']", "KeyError: 'level'"),
        ("raise TypeError('no type')", "TypeError: no type"),
        ("assert False", "AssertionError"),
        ("raise RuntimeError('other build')", "other build"),
        ("", r"AttributeError: module 'torchaudio' has no attribute '__version__'"),
    ],
)
def test_whatever_a_damaged_package_raises_is_told(
    line: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged(line, tmp_path, monkeypatch)
    with pytest.raises(
        ValueError, match=rf"^corruption=torchaudio needs .* cannot be loaded beside torch \S+ \({cause}\); .*{REMEDY}"
    ):
        torchaudio_functions()


@pytest.mark.slow
def test_nothing_else_imports_it() -> None:
    program = """
import sys
sys.modules["torchaudio"] = None
import clarion, lightning_modules.commands.train, lightning_modules.commands.evaluate, lightning_modules.commands.restore
import datamodules.corruptions.torchaudio_effects, datamodules.corruptions.callables
print("whole")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "whole"
