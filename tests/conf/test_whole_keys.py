"""What a constructor finds wrong is told with the whole key, as users write it."""

import re
from typing import Any

import pytest

from conf.compose import create

NOISE = {"_target_": "datamodules.corruptions.noise.Noise", "snr_db": [5, 1]}
CHAIN = {"_target_": "datamodules.corruptions.chain.Chain", "corruptions": [{**NOISE, "snr_db": 5}, NOISE]}
DATA = "datamodules.restoration.RestorationDataModule"


@pytest.mark.parametrize(
    ("config", "begins"),
    [
        ({"corruption": NOISE}, "corruption.snr_db="),
        ({"corruption": CHAIN}, "corruption.corruptions[1].snr_db="),
        ({"data": {"_target_": DATA, "corruption": NOISE}}, "corruption.snr_db="),
        ({"data": {"_target_": DATA, "corruption": CHAIN}}, "corruption.corruptions[1].snr_db="),
        ({"corruption": {**NOISE, "colors": ["white", "teal"], "snr_db": 5}}, "unknown noise 'teal'"),
    ],
)
def test_a_message_that_begins_with_an_argument_gets_the_place_of_its_node(config: dict[str, Any], begins: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(begins)}"):
        create(config, next(iter(config)))
