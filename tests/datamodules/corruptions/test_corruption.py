"""A corruption has to be able to corrupt; to everything else it can be asked, it has an answer of its own or the default."""

import pkgutil
from importlib import import_module

import pytest
import torch
from torch import Tensor

from datamodules import corruptions
from datamodules.corruptions import Corruption


class Plain(Corruption):
    """A corruption that limits nothing, holds no files and works on everything."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean


class Particular(Plain):
    """One for two channels at most."""

    def check(self, sample_rate: int, channels: int) -> None:
        if channels > 2:
            raise ValueError(f"kinds=[stereo] at {sample_rate} Hz: two channels at most")


def test_plain_corruption_limits_nothing_serves_every_split_and_skips_nothing() -> None:
    plain = Plain()
    assert plain.cutoff_hz(16000) == 8000
    assert plain.for_split("val") is plain
    assert plain.skipped == []
    plain.check(16000, 99)
    plain.check_under("corruption", 16000, 99)


def test_what_a_corruption_refuses_is_told_by_the_whole_key() -> None:
    Particular().check_under("corruption", 16000, 2)
    with pytest.raises(ValueError, match=r"^corruption\.steps\.1\.kinds=\[stereo\] at 16000 Hz: two channels at most$"):
        Particular().check_under("corruption.steps.1", 16000, 3)


def test_a_class_that_cannot_corrupt_is_not_built() -> None:
    class Idle(Corruption):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Idle()  # type: ignore[abstract]


def test_every_class_that_corrupts_derives_from_the_base() -> None:
    modules = [import_module(f"{corruptions.__name__}.{module.name}") for module in pkgutil.iter_modules(corruptions.__path__)]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    own = [value for value in classes if value.__module__.startswith(corruptions.__name__)]
    corrupting = {value.__name__: value for value in own if "__call__" in vars(value)}
    assert {"Noise", "Chain", "Pipeline", "AtLevel"} <= set(corrupting)
    assert [name for name, value in corrupting.items() if not issubclass(value, Corruption)] == []
