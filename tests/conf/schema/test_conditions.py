"""Conditions are the product of listed values, checked like the corruption's own, and seen if a training spans them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conf.schema.conditions import are_known, is_seen
from conf.schema.sentences import SchemaError
from conf.settings import EvaluateSettings

Config = Callable[..., EvaluateSettings]
NOISE = {"_target_": "datamodules.corruptions.noise.Noise", "colors": ["white", "pink"], "snr_db": [0, 15]}
BANDWIDTH = {
    "_target_": "datamodules.corruptions.bandwidth.Bandwidth",
    "low_rate_hz": 4000,
    "filters": ["bessel"],
    "order": [2, 12],
}


def test_conditions_are_every_combination_in_its_place(evaluate_config: Config) -> None:
    settings = evaluate_config("model=sinc", "conditions={snr_db:[0,5],colors:[white,pink]}")
    assert [condition.label for condition in settings.conditions] == [
        "snr_db=0 dB, colors=white",
        "snr_db=0 dB, colors=pink",
        "snr_db=5 dB, colors=white",
        "snr_db=5 dB, colors=pink",
    ]
    last = settings.conditions[-1].corruption
    assert (last["snr_db"], last["colors"]) == (5, "pink")
    assert last["noise_split"] == settings.config["corruption"]["noise_split"]
    assert settings.config["corruption"]["snr_db"] == [0, 15]


def test_name_stands_for_the_list_of_it_alone_and_a_range_is_a_value(evaluate_config: Config) -> None:
    given = ["model=sinc", "corruption=super_resolution", "conditions={filters:[bessel],order:[[2,4],8],low_rate_hz:[1000]}"]
    found = [condition.corruption for condition in evaluate_config(*given).conditions]
    assert [(one["filters"], one["order"], one["low_rate_hz"]) for one in found] == [
        (["bessel"], [2, 4], 1000),
        (["bessel"], 8, 1000),
    ]


def test_other_recordings_are_a_condition_beside_the_corruption(evaluate_config: Config, tmp_path: Path) -> None:
    folders = [str(tmp_path / "a b"), str(tmp_path / "c")]
    given = [f"conditions={{data.root:['{folders[0]}','{folders[1]}'],snr_db:[0]}}", "data=folder", "model=sinc"]
    found = evaluate_config(*given).conditions
    assert [condition.data for condition in found] == [{"root": folder} for folder in folders]
    assert [condition.label for condition in found] == [f"data.root={folder}, snr_db=0 dB" for folder in folders]
    assert all("data.root" not in condition.corruption and condition.corruption["snr_db"] == 0 for condition in found)
    with pytest.raises(SchemaError, match=re.escape("conditions.data.sample_rate=[8000] is no key")):
        evaluate_config("model=sinc", "data=folder", "conditions={data.sample_rate:[8000]}")


def test_recordings_are_known_by_their_folders_and_their_choice() -> None:
    trained = {"root": ["/a", "/b"], "pattern": "piano_*"}
    known = [
        {"root": "/a/"},
        {"root": ["/b", "/x/../a"]},
        {"root": "/c"},
        {"root": ["/a", "/c"]},
        {"pattern": "piano_*"},
        {"pattern": "*"},
    ]
    assert [are_known(data, trained) for data in known] == [True, True, False, False, True, False]


def test_without_a_list_there_is_no_condition(evaluate_config: Config) -> None:
    assert evaluate_config("model=sinc").conditions == []
    assert evaluate_config("model=sinc", "conditions={}").conditions == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{snr:[0]}", "conditions.snr=[0] is no key; the corruption (datamodules.corruptions.noise.Noise) has colors, snr_db"),
        ("{filters:[bessel]}", "conditions.filters=[bessel] is no key"),
        ("{snr_db:[0,-1000]}", "conditions.snr_db[1]=-1000 must be a number from -100 to 200 (dB)"),
        ("{colors:[white,purple]}", "conditions.colors[1]=purple must be"),
        ("{snr_db:5}", "conditions.snr_db=5 must be a list of different values, each a number from -100 to 200 (dB)"),
        ("{snr_db:[]}", "conditions.snr_db=[] must be a list of different values"),
        ("{snr_db:[5,5]}", "conditions.snr_db=[5, 5] must be a list of different values"),
        ("[snr_db]", "conditions=[snr_db] must be"),
    ],
)
def test_wrong_condition_is_told_by_its_key(evaluate_config: Config, given: str, sentence: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(sentence)):
        evaluate_config("model=sinc", f"conditions={given}")


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"snr_db": 0}, True),
        ({"snr_db": 15}, True),
        ({"snr_db": 15.1}, False),
        ({"snr_db": [5, 10]}, True),
        ({"snr_db": [5, 20]}, False),
        ({"colors": "pink"}, True),
        ({"colors": ["pink"]}, True),
        ({"colors": "brown"}, False),
        ({"colors": ["white", "brown"]}, False),
        ({"colors": "white+pink"}, False),
        ({"noise_root": "/elsewhere"}, True),  # neither color is recorded
        ({"noise_split": None}, True),
        ({"_target_": "datamodules.corruptions.impulses.Impulses"}, False),
    ],
)
def test_condition_is_seen_if_the_training_spans_it(changes: dict[str, Any], seen: bool) -> None:
    assert is_seen(NOISE | changes, NOISE) is seen


def test_condition_is_seen_in_a_step_of_a_chain_and_defaults_count() -> None:
    apply = {"_target_": "datamodules.corruptions.chain.RandomApply", "probability": 0.5, "corruption": BANDWIDTH}
    chain = {"_target_": "datamodules.corruptions.chain.Chain", "steps": [NOISE, apply]}
    assert is_seen({**BANDWIDTH, "order": 4, "passes": 1}, chain)
    assert not is_seen({**BANDWIDTH, "passes": 2}, chain)
    assert not is_seen({**BANDWIDTH, "low_rate_hz": 2000}, chain)
    assert is_seen(chain, chain)
    assert not is_seen(NOISE, None)
