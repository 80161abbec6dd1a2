"""Classes that are not declared, of a package that plugins names: their constructor's annotations are checked."""

import sys
from pathlib import Path
from typing import Any

import pytest

from conf.schema.check import check_train
from conf.schema.constructors import constructor_keys, kind_of
from conf.schema.sentences import SchemaError

PACKAGE = """
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Required, TypedDict, Unpack

from torch import nn

from lightning_modules.regression import RegressionModule


class Net(nn.Module):
    def __init__(self, width: int, share: float = 0.5, kind: Literal["a", "b"] = "a", sizes: Sequence[int] = (1,),
                 pair: tuple[float, float] = (0.0, 1.0), deep: bool = False, title: str | None = None,
                 inner: nn.Module | None = None):
        super().__init__()


class Settings(TypedDict, total=False):
    size: Required[int]
    names: list[str]


class Callback:
    def __init__(self, **settings: Unpack[Settings]) -> None: ...


class Open:
    def __init__(self, size: int = 1, **others): ...


def unannotated(size, other=3): ...
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "strange_plugin.py").write_text(PACKAGE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("strange_plugin", None)
    return "strange_plugin"


def with_net(config: dict[str, Any], plugin: str, **keys: Any) -> dict[str, Any]:
    net = {"_target_": f"{plugin}.Net", "width": 3, **keys}
    return {**config, "plugins": [plugin], "model": {**config["model"], "net": net}}


def test_keys_that_fit_the_annotations_pass(composed: dict[str, Any], plugin: str) -> None:
    fitting = {"share": 1, "kind": "b", "sizes": [1, 2], "pair": [1, 2.5], "deep": True, "title": "x"}
    check_train(with_net(composed["model=unet_small"], plugin, **fitting, inner={"_target_": "models.unet.UNet", "depth": 2}))
    check_train(with_net(composed["model=unet_small"], plugin, title=None, inner=None))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"width": "wide"}, "model.net.width=wide must be a whole number$"),
        ({"width": True}, "model.net.width=true must be a whole number"),
        ({"width": 1.5}, "model.net.width=1.5 must be"),
        ({"width": None}, "model.net.width=null must be"),
        ({"share": "half"}, "model.net.share=half must be a number$"),
        ({"share": float("nan")}, "model.net.share=nan must be a number"),
        ({"kind": "c"}, "model.net.kind=c must be a or b"),
        ({"sizes": 3}, "model.net.sizes=3 must be a list"),
        ({"sizes": [1, "x"]}, r"model.net.sizes=\[1, x\] must be a list"),
        ({"pair": [1]}, r"model.net.pair=\[1\] must be a list of 2"),
        ({"deep": 1}, "model.net.deep=1 must be true or false"),
        ({"title": 3}, "model.net.title=3 must be text, or null"),
        ({"wide": 3}, r"model.net.wide=3 is no key; model.net \(strange_plugin.Net\) has width.*did you mean width"),
        ({"inner": {"_target_": "models.unet.UNet", "depth": 0}}, "model.net.inner.depth=0 must be a whole number from 1"),
        ({"inner": {"_target_": "os.getcwd"}}, r"model.net.inner._target_=os.getcwd must be .*plugins=\[os\]"),
    ],
)
def test_key_that_does_not_is_refused(composed: dict[str, Any], plugin: str, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        check_train(with_net(composed["model=unet_small"], plugin, **keys))


def test_key_that_is_missing_is_named(composed: dict[str, Any], plugin: str) -> None:
    config = with_net(composed["model=unet_small"], plugin)
    del config["model"]["net"]["width"]
    with pytest.raises(SchemaError, match="model.net.width is missing; it must be a whole number"):
        check_train(config)


def test_package_that_plugins_does_not_name_is_refused(composed: dict[str, Any], plugin: str) -> None:
    config = {**with_net(composed["model=unet_small"], plugin), "plugins": []}
    with pytest.raises(SchemaError, match=r"model.net._target_=strange_plugin.Net must be .*: plugins=\[strange_plugin\]"):
        check_train(config)


def test_class_that_cannot_be_imported_is_named(composed: dict[str, Any], plugin: str) -> None:
    config = with_net(composed["model=unet_small"], plugin)
    config["model"]["net"]["_target_"] = f"{plugin}.Nothing"
    with pytest.raises(SchemaError, match="model.net._target_=strange_plugin.Nothing cannot be imported"):
        check_train(config)


def test_callbacks_are_named_and_checked(composed: dict[str, Any], plugin: str) -> None:
    config = {**composed["model=unet_small"], "plugins": [plugin]}
    own = {"_target_": f"{plugin}.Callback", "size": 3}
    statistics = {"_target_": "pytorch_lightning.callbacks.DeviceStatsMonitor", "cpu_stats": True}
    check_train({**config, "callbacks": {"own": own, "statistics": statistics}})
    check_train({**config, "callbacks": {"open": {"_target_": f"{plugin}.Open", "whatever": 3}}})
    for key, value in {"size": "x", "names": [1], "odd": 1}.items():
        with pytest.raises(SchemaError, match=f"callbacks.own.{key}="):
            check_train({**config, "callbacks": {"own": {**own, key: value}}})
    with pytest.raises(SchemaError, match="callbacks.statistics.cpu_stats=3 must be true or false, or null"):
        check_train({**config, "callbacks": {"statistics": {**statistics, "cpu_stats": 3}}})


def test_own_class_without_a_declaration_is_checked_by_its_constructor(composed: dict[str, Any]) -> None:
    config = composed["model=unet_small"]
    sgd = {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1, "momentum": 0.9}
    check_train({**config, "model": {**config["model"], "optimizer": sgd}})
    for key, value in {"momentum": "fast", "nesterov": 1, "moment": 1}.items():
        with pytest.raises(SchemaError, match=f"model.optimizer.{key}={value}"):
            check_train({**config, "model": {**config["model"], "optimizer": {**sgd, key: value}}})


def test_annotation_that_says_nothing_allows_anything() -> None:
    assert kind_of(Any).fits("x") and kind_of(object).fits([1])


def test_class_without_a_signature_takes_any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    class Written:
        """As a class that is written in C."""

    def without(target: object) -> None:
        raise ValueError("no signature found")

    monkeypatch.setattr("conf.schema.constructors.inspect.signature", without)
    assert "drive_db" in constructor_keys(Written, partial=False)
