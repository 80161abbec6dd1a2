"""Values of models of hearing share a column only where these were asked about the same pairs as the same kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweeps.report.methods import build_methods
from sweeps.report.runs import read_run

Make = Callable[..., Path]
KINDS = {"corrupted": "corrupted", "wiener": "classical", "unet": "learned"}


def heard(pairs: int, kind: str = "music") -> dict[str, Any]:
    rows = {name: {"kind": of, "si_sdr_db": 5.0, "lsd": 2.0, "visqol": 3.5} for name, of in KINDS.items()}
    return {"methods": rows, "perceptual": {"kind": kind, "pairs": pairs, "pairs_without_value": {}}}


def test_values_over_the_same_pairs_make_a_column(make_run: Make) -> None:
    runs = [read_run(make_run(f"{seed}", seed=seed, result=heard(16)), "a") for seed in range(2)]
    rows, notes = build_methods(runs)
    assert notes == [] and [row.means["visqol"] for row in rows] == [3.5] * 3


@pytest.mark.parametrize("other", [heard(8), heard(16, "speech")])
def test_values_over_other_pairs_are_left_out_and_named(make_run: Make, other: dict[str, Any]) -> None:
    results = (heard(16), other)
    rows, notes = build_methods([read_run(make_run(f"{s}", seed=s, result=result), "a") for s, result in enumerate(results)])
    assert not any("visqol" in row.means for row in rows) and rows[0].means["si_sdr_db"] == pytest.approx(5.0)
    panel = other["perceptual"]
    told = sorted(["16 pairs heard as music", f"{panel['pairs']} pairs heard as {panel['kind']}"])
    assert notes == [f"visqol left out: {'; '.join(told)} cannot be compared"]


@pytest.mark.parametrize(("judges", "shared"), [(("a", "a"), True), (("a", "b"), False), (("a", None), True)])
def test_distances_of_features_are_those_of_one_classifier(make_run: Make, judges: tuple[Any, Any], shared: bool) -> None:
    results = []
    for judge in judges:
        judged = {} if judge is None else {"mel_features": 0.2}
        methods = {name: {"kind": kind, "si_sdr_db": 5.0} | judged for name, kind in KINDS.items()}
        results.append({"methods": methods} | ({} if judge is None else {"deep_features": judge}))
    rows, notes = build_methods([read_run(make_run(f"{s}", seed=s, result=result), "a") for s, result in enumerate(results)])
    assert any("mel_features" in row.means for row in rows) == shared
    told = "mel_features left out: features of the classifier a; features of the classifier b cannot be compared"
    assert notes[:1] == ([] if shared else [told])
