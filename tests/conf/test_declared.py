"""What is read of a class without importing it is what the class says."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import get_class

from conf.compose import FOLDER
from conf.declared import _values, declared

NAMES = sorted(file.stem for file in (FOLDER / "model").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_class_says_the_same_when_it_is_imported(name: str) -> None:
    with initialize_config_module("conf"):
        target = compose("train", overrides=[f"model={name}"]).model._target_
    for attribute in ("needs_training", "is_oracle"):
        assert declared(target, attribute) is getattr(get_class(target), attribute)


@pytest.mark.parametrize("target", ["None", "os.getcwd", "lightning_modules.base.Nothing", "lightning_modules.nothing.Nothing"])
def test_what_is_no_class_of_the_project_declares_nothing(target: str) -> None:
    assert declared(target, "needs_training") is None


def test_methods_without_training_are_known_without_torch() -> None:
    program = "import sys; from conf.compose import methods_without_training as names; print(names() and 'torch' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_annotated_attributes_are_declared_too() -> None:
    body = ast.parse("class A:\n    steps: int | None = 3\n    other: int\n    plain = 4\n").body[0]
    assert isinstance(body, ast.ClassDef)
    found = {name: [ast.literal_eval(value) for value in _values(body, name)] for name in ("steps", "other", "plain", "none")}
    assert found == {"steps": [3], "other": [], "plain": [4], "none": []}
