"""Controls that a corruption brings along: for its own kind of damage, once each, and none for the others."""

import logging
from collections.abc import Callable

import pytest

from conf.schema import own_controls
from conf.schema.own_controls import with_own
from conf.settings import EvaluateSettings

Config = Callable[..., EvaluateSettings]
GENERAL = ["wiener", "sinc", "cubic_spline", "spline_white", "noise_fill", "ar_declick", "consistent_declip"]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_controls, "find_spec", lambda name: object())


@pytest.mark.parametrize(
    ("given", "own"),
    [
        (["corruption=noise"], []),
        (["corruption=super_resolution", "corruption.low_rate_hz=2000"], []),
        (["corruption=dereverb"], ["wpe"]),
        (["corruption=dequantize"], ["linear_hold", "cubic_hold", "band_limited_hold"]),
        (["corruption=dequantize", "corruption.modes=[uniform]"], []),
        (["corruption=dequantize", "corruption.modes=[hold_causal]"], ["linear_hold", "cubic_hold", "band_limited_hold"]),
    ],
)
def test_default_list_has_the_controls_of_the_corruption(evaluate_config: Config, given: list[str], own: list[str]) -> None:
    assert evaluate_config("model=sinc", *given).baselines == [*GENERAL, *own]


def test_list_without_it_stays_and_each_control_comes_once(evaluate_config: Config) -> None:
    reverberant = ("model=sinc", "corruption=dereverb")
    assert evaluate_config(*reverberant, "baselines=[]").baselines == []
    assert evaluate_config(*reverberant, "baselines=[own,wpe,sinc]").baselines == ["wpe", "sinc"]


def test_control_without_its_package_is_left_out_in_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(own_controls, "find_spec", lambda name: None)
    with caplog.at_level(logging.INFO):
        assert with_own(["sinc", "own"], {"_target_": "datamodules.corruptions.reverb.Reverb"}) == ["sinc"]
    assert "pip install '.[dereverb]'" in caplog.text
