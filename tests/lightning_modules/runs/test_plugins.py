"""Which packages may be trusted, and what is said of the others."""

from pathlib import Path

import pytest

from conf.compose import group_files, method_config, methods_without_training
from conf.declared import declared
from conf.search_path import with_plugins
from lightning_modules.runs.checkpoint import CheckpointError, build_restorer
from lightning_modules.runs.plugins import advice, import_plugins

METHODS = """
import lightning_modules.base as base
from lightning_modules.base import OracleModule as Told, RestorationModule
from lightning_modules.regression import RegressionModule
from subprocess import Popen
from .inner.deep import Deep

class Plain(base.RestorationModule): ...
class Trained(RegressionModule): ...
class Oracle(Told): ...
class FromBelow(Deep): ...
class Own(RestorationModule):
    needs_training = True
"""
DEEP = "from ..methods import RestorationModule\n\nclass Deep(RestorationModule):\n    is_oracle: bool = True\n"
SHIPPED = "_target_: smallpackage.methods.Plain\nsample_rate: ${data.sample_rate}\nnet: {_target_: models.unet.UNet, depth: 2}\n"


@pytest.fixture
def small_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a package that Python finds."""
    files = {"__init__.py": "", "methods.py": METHODS, "inner/__init__.py": "", "inner/deep.py": DEEP, "conf/__init__.py": ""}
    for name, code in {**files, "conf/model/shipped.yaml": SHIPPED}.items():
        path = tmp_path / "smallpackage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "smallpackage"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("mypackage", "plugins=mypackage must be a list of packages"),
        (3, "plugins=3 must be a list of packages"),
        (["my-package"], "plugins: 'my-package' is not the name of a package"),
        (["a.b"], "'a.b' is not the name"),
        (["models"], "models is part of this project"),
        (["torch"], "torch is part of"),
        (["os"], "os is part of"),
        (["no_such_package"], "no package no_such_package is installed"),
    ],
)
def test_what_is_no_plugin_is_told(names: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        import_plugins(names)


def test_plugin_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brokenpackage.py").write_text("import no_such_module", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"^--trust: importing brokenpackage failed: ModuleNotFoundError: No module named"):
        import_plugins(["brokenpackage"], "--trust")


@pytest.mark.parametrize(("target", "told"), [("mypackage.nets.Net", True), ("os.system", False), ("torch.hub.load", False)])
def test_only_what_could_be_trusted_is_advised(target: str, told: bool) -> None:
    assert ("plugins=[mypackage]" in advice(target)) is told


@pytest.mark.parametrize(
    ("name", "needs_training", "is_oracle"),
    [
        ("Plain", False, False),
        ("Trained", True, False),
        ("Oracle", False, True),
        ("FromBelow", False, True),
        ("Own", True, False),
        ("Missing", None, None),
    ],
)
def test_declarations_of_a_plugin_are_read(
    small_package: str, name: str, needs_training: bool | None, is_oracle: bool | None
) -> None:
    target, attributes = f"{small_package}.methods.{name}", ("needs_training", "is_oracle")
    assert [declared(target, attribute, [small_package]) for attribute in attributes] == [needs_training, is_oracle]
    assert [declared(target, attribute) for attribute in attributes] == [None, None]


def test_method_of_a_plugin_that_needs_no_training_has_a_name(small_package: str) -> None:
    assert "shipped" in methods_without_training([small_package])
    assert "shipped" not in methods_without_training()
    assert "shipped" not in group_files("model")
    described = method_config("shipped", 8000, [small_package])
    assert build_restorer(described, [small_package]).sample_rate == 8000
    with pytest.raises(
        CheckpointError, match=r"is refused; .*if you trust the package smallpackage, add plugins=\[smallpackage\]"
    ):
        build_restorer(described)


@pytest.mark.parametrize("target", ["smallpackage.methods.base.torch.load", "smallpackage.methods.Popen", "smallpackage.Missing"])
def test_trust_ends_at_what_the_package_defines(small_package: str, target: str) -> None:
    description = method_config("shipped", 8000, [small_package]) | {"net": {"_target_": target}}
    with pytest.raises(CheckpointError, match="is refused"):
        build_restorer(description, [small_package])


def test_command_line_finds_the_configurations_of_a_plugin(small_package: str) -> None:
    place = "hydra.searchpath=[pkg://sweeps,pkg://smallpackage.conf]"
    assert with_plugins(["seed=1"]) == ["seed=1"]
    assert with_plugins([f"plugins=[{small_package}]"]) == [f"plugins=[{small_package}]", place]
    own = [f"plugins=[{small_package}]", "hydra.searchpath=[pkg://sweeps]"]
    assert with_plugins(own) == own
    with pytest.raises(ValueError, match="plugins: no package nothing_here is installed"):
        with_plugins(["plugins=[nothing_here]"])


def test_folder_of_configurations_has_to_be_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare" / "conf").mkdir(parents=True)
    (tmp_path / "bare" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="the folder conf of bare has no __init__.py"):
        with_plugins(["plugins=[bare]"])
