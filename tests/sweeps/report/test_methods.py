"""Seeds of one method make one row, and nothing counts twice."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sweeps.report.methods import Method, build_methods
from sweeps.report.runs import ReportedRun, read_run

Make = Callable[..., Path]


def read(folder: Path) -> ReportedRun:
    return read_run(folder, folder.name)


def learned(methods: list[Method]) -> list[Method]:
    return [method for method in methods if method.kind == "learned"]


def test_rows_hold_mean_and_deviation_over_seeds(make_run: Make) -> None:
    runs = [read(make_run(f"{seed}", si_sdr_db=[6.0 + 2 * seed] * 6, seed=seed)) for seed in range(2)]
    methods, notes = build_methods(runs)
    row = learned(methods)[0]
    assert notes == []
    assert row.means["si_sdr_db"] == pytest.approx(7.0)
    assert row.deviations["si_sdr_db"] == pytest.approx(math.sqrt(2))
    assert row.pairs["si_sdr_db"].tolist() == [[6.0] * 6, [8.0] * 6]
    assert row.fact("params") == 1000
    assert math.isnan(row.fact("real_time_factor"))


def test_input_and_classical_methods_have_their_rows(make_run: Make) -> None:
    methods, _ = build_methods([read(make_run("a"))])
    assert [(row.label, row.kind) for row in methods] == [
        ("corrupted", "corrupted"),
        ("wiener", "classical"),
        ("unet", "learned"),
    ]
    assert methods[0].means["si_sdr_db"] == pytest.approx(5.0)
    assert methods[1].means == {"si_sdr_db": 6.5, "lsd": 2.2}
    assert not methods[1].pairs


def with_methods(**rows: dict[str, object]) -> dict[str, object]:
    corrupted = {"kind": "corrupted", "si_sdr_db": 5.0, "lsd": 2.5}
    return {"methods": {"corrupted": corrupted, **rows, "unet": {"kind": "learned", "si_sdr_db": 7.0, "lsd": 2.0}}}


def with_probes(noharm_db: float) -> dict[str, object]:
    values = {"corrupted": ("corrupted", 100.0), "wiener": ("classical", 20.0), "unet": ("learned", noharm_db)}
    rows = {name: {"kind": kind, "si_sdr_db": 5.0, "lsd": 2.0, "noharm_db": value} for name, (kind, value) in values.items()}
    return {"methods": rows}


def test_probes_have_a_value_for_every_row_and_none_for_a_pair(make_run: Make) -> None:
    runs = [read(make_run(f"{seed}", seed=seed, result=with_probes(30.0 + 2 * seed))) for seed in range(2)]
    rows = {row.kind: row for row in build_methods(runs)[0]}
    assert {kind: row.means["noharm_db"] for kind, row in rows.items()} == {
        "corrupted": 100.0,
        "classical": 20.0,
        "learned": 31.0,
    }
    assert rows["learned"].deviations["noharm_db"] == pytest.approx(math.sqrt(2))
    assert "noharm_db" not in rows["learned"].pairs


def test_runs_from_before_there_were_probes_leave_theirs_out(make_run: Make) -> None:
    old, new = read(make_run("old", seed=0)), read(make_run("new", seed=1, result=with_probes(30.0)))
    (row,) = learned(build_methods([old, new])[0])
    assert "noharm_db" not in row.means
    assert row.means["si_sdr_db"] == pytest.approx(7.0)


def test_classical_methods_that_are_no_use_as_a_control_are_left_out_and_named(make_run: Make) -> None:
    sinc = {"kind": "classical", "changed_share": 1.0, "si_sdr_db": 6.0, "lsd": 4.0}
    fill = {"kind": "classical", "changed_share": 1.0, "si_sdr_db": 4.0, "lsd": 1.2}
    wiener = {"kind": "classical", "changed_share": 1.0, "si_sdr_db": 5.5, "lsd": 2.6}
    idle = {"kind": "classical", "changed_share": 0.0, "si_sdr_db": 5.1, "lsd": 1.1}
    methods, notes = build_methods([read(make_run("a", result=with_methods(sinc=sinc, fill=fill, wiener=wiener, idle=idle)))])
    assert [row.label for row in methods] == ["corrupted", "sinc", "fill", "unet"]
    assert notes == ["left out: wiener (no column's best control); idle (less than 10% of the pairs changed)"]


def test_classical_method_with_a_run_of_its_own_stays_though_it_does_nothing(make_run: Make) -> None:
    own = {"methods": {"corrupted": {"kind": "corrupted"}, "idle": {"kind": "classical", "changed_share": 0.0}}}
    methods, notes = build_methods([read(make_run("i", result=own, config={"choices": {"model": "idle"}}))])
    assert [(row.label, row.changed_share) for row in methods if row.kind == "classical"] == [("idle", 0.0)]
    assert notes == []


def test_baseline_that_failed_is_named_unless_another_run_has_it(make_run: Make) -> None:
    failed, wiener = {"kind": "classical", "failure": "no memory"}, {"kind": "classical", "si_sdr_db": 6.5, "lsd": 2.2}
    runs = [read(make_run("a", result=with_methods(wiener=failed)))]
    methods, notes = build_methods(runs)
    assert "wiener" not in [row.label for row in methods]
    assert notes == ["wiener has no scores in a: no memory"]
    methods, notes = build_methods([*runs, read(make_run("b", seed=1, result=with_methods(wiener=wiener)))])
    assert "wiener" in [row.label for row in methods]
    assert notes == []


def test_classical_method_with_a_run_of_its_own_is_listed_once(make_run: Make) -> None:
    own = {"methods": {"corrupted": {"kind": "corrupted"}, "wiener": {"kind": "classical", "si_sdr_db": 6.5}}}
    runs = [read(make_run("a")), read(make_run("w", result=own, config={"choices": {"model": "wiener"}}))]
    methods, _ = build_methods(runs)
    assert [row.label for row in methods if row.kind == "classical"] == ["wiener"]
    assert next(row for row in methods if row.kind == "classical").pairs


def test_of_a_repeated_seed_the_newest_run_counts(make_run: Make) -> None:
    old, new = make_run("old", si_sdr_db=[1.0] * 6), make_run("new", si_sdr_db=[9.0] * 6)
    os.utime(old / "result.json", (1, 1))
    methods, notes = build_methods([read(new), read(old)])
    assert [row.means["si_sdr_db"] for row in learned(methods)] == [9.0]
    assert notes == ["old left out: new has the same settings and seed, and is newer"]


def test_repeated_seed_of_another_commit_is_another_row(make_run: Make) -> None:
    runs = [read(make_run("a")), read(make_run("b", result={"git_commit": "def5678"}))]
    methods, notes = build_methods(runs)
    assert notes == []
    assert {row.label for row in learned(methods)} == {"unet (a abc1234)", "unet (b def5678)"}
    assert len({row.id for row in learned(methods)}) == 2


def test_pairs_correspond_whatever_the_order_of_the_lines(make_run: Make) -> None:
    folder = make_run("a", si_sdr_db=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    head, *lines = (folder / "per_example.csv").read_text(encoding="utf-8").splitlines()
    (folder / "per_example.csv").write_text("\n".join([head, *reversed(lines)]) + "\n", encoding="utf-8")
    methods, _ = build_methods([read(folder)])
    assert np.array_equal(learned(methods)[0].pairs["si_sdr_db"], [[1, 2, 3, 4, 5, 6]])
