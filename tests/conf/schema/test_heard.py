"""Keys that are said to change nothing beside others change no sample; all others do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from conf.schema.conditions import is_seen
from conf.schema.constructors import target_named
from conf.schema.heard import BANDWIDTH, CODEC, IDLE_WITH, LOW_PASS, NOISE, QUANTIZE, RANDOM_APPLY, REVERB, heard
from conf.schema.kinds import Place

RATE_HZ = 16_000
OTHER_VALUES: dict[str, tuple[Any, Any]] = {
    "order": (2, 9),
    "passes": (1, 2),
    "ripple_db": (0.1, 3.0),
    "stopband_db": (40, 70),
    "cutoff_hz": (1000, 3000),
    "cutoff_ratio": (0.5, 0.9),
    "t60_s": (0.2, 1.0),
    "drr_db": (-5, 10),
    "hold_factor": (2, 5),
    "bits": (3, 8),
    "dithered": (0, 1),
    "mu_law_bits": (3, 7),
    "mp3_kbps": (16, 96),
    "vorbis_quality": (0, 1),
    "opus_kbps": (8, 48),
}
KINDS = {
    NOISE: ("white", "pink", "brown", "tpdf", "recorded"),
    REVERB: ("simulated", "recorded"),
    QUANTIZE: ("hold", "hold_causal", "uniform", "mu_law"),
    CODEC: ("mp3", "vorbis", "opus"),
    LOW_PASS: ("chebyshev1", "butterworth", "elliptic", "bessel", "windowed_sinc", "brick_wall", "none"),
    BANDWIDTH: ("chebyshev1", "butterworth", "elliptic", "bessel", "windowed_sinc", "brick_wall", "none"),
}
CASES = [
    (target, key, chooser, kind)
    for target, idle in IDLE_WITH.items()
    for key, (chooser, _) in idle.items()
    if key in OTHER_VALUES
    for kind in KINDS[target]
]


def damaged(target: str, **keys: Any) -> Tensor:
    clean = 0.3 * torch.randn(1, 1, RATE_HZ // 2, generator=torch.Generator().manual_seed(1))
    corruption = target_named(target, Place(target))(**keys)
    return corruption(clean, RATE_HZ, torch.Generator().manual_seed(0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording that serves as noise and as response."""
    response = np.exp(-np.arange(RATE_HZ) / 800) * np.random.default_rng(0).standard_normal(RATE_HZ)
    response[0] = 5.0
    soundfile.write(tmp_path / "recording.wav", 0.1 * response, RATE_HZ)
    return tmp_path


@pytest.mark.parametrize(("target", "key", "chooser", "kind"), CASES)
def test_key_changes_the_sound_exactly_where_it_is_heard(target: str, key: str, chooser: str, kind: str, folder: Path) -> None:
    keys: dict[str, Any] = {chooser: [kind]} | ({"rir_root": str(folder)} if target == REVERB else {})
    one, other = (damaged(target, **keys, **{key: value}) for value in OTHER_VALUES[key])
    assert torch.allclose(one, other, atol=1e-5) is (key not in heard({"_target_": target, **keys}))


def test_folder_is_heard_exactly_where_recordings_are(folder: Path) -> None:
    for mixture in ("white", "pink+brown", "recorded", "white+recorded"):
        colors = {"_target_": NOISE, "colors": [mixture], "noise_root": str(folder)}
        assert ("noise_root" in heard(colors)) is ("recorded" in mixture)
    assert torch.equal(damaged(NOISE, colors=["white"]), damaged(NOISE, colors=["white"], noise_root=str(folder)))


def test_every_idle_key_is_tried() -> None:
    folders = {"noise_root", "noise_split", "rir_root", "rir_split"}
    assert {key for idle in IDLE_WITH.values() for key in idle} == {*OTHER_VALUES, *folders}


TRAINED_NOISE = {"_target_": NOISE, "colors": ["white", "white+recorded"], "snr_db": [0, 10], "noise_root": "/noises"}
TRAINED_FILTER = {"_target_": BANDWIDTH, "low_rate_hz": 4000, "filters": ["chebyshev1"], "order": 8}
TRAINED_ROOMS = {"_target_": REVERB, "responses": ["recorded"], "rir_root": "/rooms", "rir_split": "matching"}


@pytest.mark.parametrize(
    ("trained", "changes", "seen"),
    [
        (TRAINED_NOISE, {"colors": "white", "noise_root": None}, True),
        (TRAINED_NOISE, {"colors": "recorded+white"}, True),
        (TRAINED_NOISE, {"noise_root": "/noises/"}, True),
        (TRAINED_NOISE, {"noise_root": "/others"}, False),
        (TRAINED_FILTER, {"aliased": 1}, False),
        (TRAINED_FILTER | {"aliased": 0.5}, {"aliased": 1}, True),
        (TRAINED_FILTER | {"aliased": 0.5}, {"aliased": 0}, True),
        (TRAINED_FILTER | {"aliased": 0.5}, {"aliased": 0, "filters": ["none"]}, True),
        (TRAINED_FILTER | {"aliased": 1}, {"aliased": 0, "filters": ["none"]}, True),
        (TRAINED_FILTER | {"aliased": 1}, {"aliased": 0}, False),
        (TRAINED_FILTER, {"stopband_db": [20, 30]}, True),
        (TRAINED_FILTER, {"order": 4}, False),
        (TRAINED_ROOMS, {"t60_s": [0.2, 3]}, True),
        (TRAINED_ROOMS, {"responses": ["simulated"]}, False),
    ],
)
def test_only_what_is_heard_decides_what_is_seen(trained: dict[str, Any], changes: dict[str, Any], seen: bool) -> None:
    assert is_seen(trained | changes, trained) is seen


def test_step_that_is_never_applied_is_not_seen() -> None:
    applied = {"_target_": RANDOM_APPLY, "corruption": TRAINED_FILTER}
    assert is_seen(TRAINED_FILTER, {**applied, "probability": 0.1})
    assert not is_seen(TRAINED_FILTER, {**applied, "probability": 0})


@pytest.mark.parametrize(
    ("trained", "seen"), [("matching", ["train"]), (None, ["train", "test", "matching", None]), ("test", ["test", "matching"])]
)
def test_recordings_of_a_folder_count_where_conditions_differ_in_them(trained: str | None, seen: list[str | None]) -> None:
    training = TRAINED_ROOMS | {"rir_split": trained}
    for split in ("train", "test", "matching", None):
        condition = TRAINED_ROOMS | {"rir_split": split}
        assert is_seen(condition, training)
        assert is_seen(condition, training, ["rir_split"]) is (split in seen)
