"""What is read of a class without importing it is what the class says."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import get_class

from conf.compose import FOLDER
from conf.declared import declared

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
