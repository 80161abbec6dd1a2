"""The controls that stand in a table because of what its corruption is: methods that are made for one kind of damage."""

import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from conf.schema.heard import QUANTIZE, REVERB, whole

OWN = "own"
"""Stands in a list of baselines for the controls of the corruption."""
HELD = ("hold", "hold_causal")
OF_HELD = ("linear_hold", "cubic_hold", "band_limited_hold")
WPE, PACKAGE_OF_WPE = "wpe", "nara_wpe"

log = logging.getLogger(__name__)


def with_own(names: Sequence[str], corruption: Mapping[str, Any]) -> list[str]:
    """Return names of methods without training, those of the corruption in the place of `OWN`, each once.

    Args:
        names: as the configuration lists them.
        corruption: resolved.
    """
    return list(dict.fromkeys(each for name in names for each in (own_controls(corruption) if name == OWN else [name])))


def own_controls(corruption: Mapping[str, Any]) -> list[str]:
    """Name the methods without training that are made for a corruption; without its package one is left out in a line.

    >>> own_controls({"_target_": "datamodules.corruptions.quantization.Quantize", "modes": ["hold"]})
    ['linear_hold', 'cubic_hold', 'band_limited_hold']
    """
    if corruption["_target_"] == QUANTIZE:
        return [*OF_HELD] if set(whole(corruption)["modes"]) & set(HELD) else []
    if corruption["_target_"] != REVERB:
        return []
    if find_spec(PACKAGE_OF_WPE) is None:
        log.info("no row of %s, the control of reverberation, without its package: pip install '.[dereverb]'", WPE)
        return []
    return [WPE]
