"""What of a corruption is heard: without keys that change nothing beside the others, and the same always in the same words."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from conf.schema.constructors import constructor_defaults
from conf.schema.corruption import PACKAGE
from conf.schema.declaration import HYDRA_KEYS

NOISE, REVERB, QUANTIZE, CODEC = (
    f"{PACKAGE}.{name}" for name in ("noise.Noise", "reverb.Reverb", "quantization.Quantize", "codec.Codec")
)
BANDWIDTH, LOW_PASS, RANDOM_APPLY = (
    f"{PACKAGE}.{name}" for name in ("bandwidth.Bandwidth", "bandwidth.LowPass", "chain.RandomApply")
)
SPLITS = ("noise_split", "rir_split")
"""Keys that say which recordings of a folder are used, not what kind of damage is done."""
FOLDERS = ("noise_root", "rir_root")
SHARES = {QUANTIZE: ("dithered",), RANDOM_APPLY: ("probability",)}
"""Keys, by class, that say of how many examples something is done to; between none and all, some are with it and some without."""

Idle = Mapping[str, tuple[str, tuple[str, ...]]]
_COMPUTED_NOISE = ("white", "pink", "brown", "tpdf")
_OF_FILTERS: Idle = {
    "order": ("filters", ("brick_wall", "none")),
    "passes": ("filters", ("brick_wall", "none")),
    "ripple_db": ("filters", ("butterworth", "bessel", "windowed_sinc", "brick_wall", "none")),
    "stopband_db": ("filters", ("chebyshev1", "butterworth", "bessel", "windowed_sinc", "brick_wall", "none")),
}
IDLE_WITH: dict[str, Idle] = {
    NOISE: {"noise_root": ("colors", _COMPUTED_NOISE), "noise_split": ("colors", _COMPUTED_NOISE)},
    REVERB: {
        "t60_s": ("responses", ("recorded",)),
        "drr_db": ("responses", ("recorded",)),
        "rir_root": ("responses", ("simulated",)),
        "rir_split": ("responses", ("simulated",)),
    },
    QUANTIZE: {
        "hold_factor": ("modes", ("uniform", "mu_law")),
        "bits": ("modes", ("hold", "hold_causal", "mu_law")),
        "dithered": ("modes", ("hold", "hold_causal", "mu_law")),
        "mu_law_bits": ("modes", ("hold", "hold_causal", "uniform")),
    },
    CODEC: {
        "mp3_kbps": ("codecs", ("vorbis", "opus")),
        "vorbis_quality": ("codecs", ("mp3", "opus")),
        "opus_kbps": ("codecs", ("mp3", "vorbis")),
    },
    LOW_PASS: {**_OF_FILTERS, "cutoff_hz": ("filters", ("none",))},
    BANDWIDTH: {**_OF_FILTERS, "cutoff_ratio": ("filters", ("none",))},
}
"""By class and key: the key that names kinds of damage, and the kinds that are the same whatever the key says."""


def whole(corruption: Mapping[str, Any]) -> dict[str, Any]:
    """Return all keys of a corruption, defaults too, each written in one way.

    Args:
        corruption: resolved, with its `_target_`.
    """
    target = corruption["_target_"]
    given = {name: value for name, value in corruption.items() if name not in HYDRA_KEYS}
    values = {**constructor_defaults(target), **given}
    return _WRITTEN.get(target, dict)({name: _path(value) if name in FOLDERS else value for name, value in values.items()})


def heard(corruption: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a corruption that change what is heard, as `whole` writes them.

    >>> heard({"_target_": NOISE, "colors": "pink", "snr_db": 5, "noise_root": "/noises"})
    {'colors': ['pink'], 'snr_db': 5}
    """
    values, idle = whole(corruption), IDLE_WITH.get(corruption["_target_"], {})
    return {name: value for name, value in values.items() if not (name in idle and _is_idle(values, *idle[name]))}


def paths(folders: Any) -> set[str]:
    """Return the real paths of a folder, or of a list of them; of nothing none."""
    return {os.path.realpath(folder) for folder in ([folders] if isinstance(folders, str) else folders or [])}


def _is_idle(values: Mapping[str, Any], chooser: str, kinds: tuple[str, ...]) -> bool:
    return all(part in kinds for name in values[chooser] for part in name.split("+"))


def _path(value: Any) -> Any:
    return os.path.realpath(value) if isinstance(value, str) else value


def _noise(values: dict[str, Any]) -> dict[str, Any]:
    colors = [values["colors"]] if isinstance(values["colors"], str) else values["colors"]
    return {**values, "colors": ["+".join(sorted(part.strip() for part in color.split("+"))) for color in colors]}


def _bandwidth(values: dict[str, Any]) -> dict[str, Any]:
    """Write decimation without a filter as the filter `none`."""
    filtered, aliased = [] if values["aliased"] == 1 else [*values["filters"]], ["none"] if values["aliased"] else []
    return {**values, "filters": list(dict.fromkeys([*filtered, *aliased])), "aliased": 0}


_WRITTEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {NOISE: _noise, BANDWIDTH: _bandwidth}
