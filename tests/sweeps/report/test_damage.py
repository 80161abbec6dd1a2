"""One damaged run never costs the report on the others: it is named, in whole or in the part that is damaged."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import compare
from sweeps.report.runs import Damage, find_runs

Make = Callable[..., Path]
WHOLE_RUN = ["result.json", "config.yaml", "per_example.csv"]
PARTS = ["epochs.jsonl", "csv/metrics.csv", "examples/0000_clean.flac", "examples/0000_restored.flac"]
CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 20,
    "zeros": bytes(1000),
    "text": b"half a sen",
    "list": b"[]\n",
    "open brackets": b"[" * 50_000,
    "one cell": b'a,"b\n',
    "alias bomb": b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n, n, b", ".join([b"*%c" % (n - 1)] * 10)) for n in range(98, 106)),
    "circle": b"a: &a [*a]\n",
    "code": b"!!python/object/apply:os.system [exit]\n",
}
SPECIAL = ["folder", "pipe", "huge"]
LEFT_OUT = [(name, form) for name in WHOLE_RUN for form in (*CONTENTS, *SPECIAL)]
LEFT_OUT += [("result.json", "half"), ("per_example.csv", "half")]
LEFT_OUT += [(name, form) for name in ("config.yaml", "per_example.csv") for form in ("dangling link", "missing")]
LEFT_OUT += [("result.json", "dangling link")]


@pytest.fixture
def damaged(make_run: Make) -> Path:
    """Return the folder of one of three whole runs, with all that a report reads."""
    make_run("good", lr=0.01, examples=1)
    make_run("fine", lr=0.0001, examples=1)
    folder = make_run("bad", lr=0.001, examples=1)
    (folder / "csv").mkdir()
    (folder / "csv" / "metrics.csv").write_text(
        "epoch,step,train/loss,val/lsd\n0,5,0.7,\n0,7,,3.0\n1,15,,2.0\n", encoding="utf-8"
    )
    (folder / "epochs.jsonl").write_text('{"epoch": 0, "val/lsd": 3.0}\n{"epoch": 1, "val/lsd": 2.0}\n', encoding="utf-8")
    return folder


def replace(path: Path, form: str) -> None:
    """Put something else in place of a file."""
    if form == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("pipes are files on POSIX systems")
    content = path.read_bytes()
    path.unlink()
    if form == "folder":
        path.mkdir()
    elif form == "pipe":
        os.mkfifo(path)
    elif form == "dangling link":
        path.symlink_to("nowhere")
    elif form == "missing":
        return
    elif form == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 32)
    else:
        path.write_bytes(content[: len(content) // 2] if form == "half" else CONTENTS[form])


def report(damaged: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Report all runs; return the exit code, the names of the rows and what was noted."""
    folder = damaged.parent.parent / "report"
    code = compare.main([str(damaged.parent), "-o", str(folder)])
    out, err = capsys.readouterr()
    assert (folder / "index.html").is_file()
    assert "unet lr=0.01 " in out and "unet lr=0.0001 " in out
    told = [line for line in err.splitlines() if not line.startswith("note: wiener: known by the means")]
    return code, out, "\n".join(told)


@pytest.mark.parametrize(("name", "form"), LEFT_OUT)
def test_run_without_its_scores_or_settings_is_named_and_left_out(
    damaged: Path, capsys: pytest.CaptureFixture[str], name: str, form: str
) -> None:
    replace(damaged / name, form)
    code, out, err = report(damaged, capsys)
    assert (code, len(err.splitlines())) == (1, 1)
    assert err.startswith("note: bad") and name in err
    assert "lr=0.001 " not in out


@pytest.mark.parametrize("form", [*CONTENTS, *SPECIAL, "half", "dangling link"])
@pytest.mark.parametrize("name", PARTS)
def test_run_keeps_its_row_when_only_a_part_is_damaged(
    damaged: Path, capsys: pytest.CaptureFixture[str], name: str, form: str
) -> None:
    replace(damaged / name, form)
    code, out, err = report(damaged, capsys)
    assert code == 0
    assert "unet lr=0.001 " in out
    assert f"bad/{name}" in err or form == "half"


def changed_json(path: Path, key: str, value: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    content.pop(key, None)
    path.write_text(json.dumps(content if value is KeyError else content | {key: value}), encoding="utf-8")


@pytest.mark.parametrize("value", [KeyError, None, "x", 1.5, [], {}, {"unet": 1}, float("nan"), 10**400], ids=str)
@pytest.mark.parametrize("key", ["methods", "manifest_hash", "monitor", "seed"])
def test_result_with_a_wrong_value_is_left_out(
    damaged: Path, capsys: pytest.CaptureFixture[str], key: str, value: object
) -> None:
    changed_json(damaged / "result.json", key, value)
    code, out, err = report(damaged, capsys)
    assert (code, "lr=0.001 " in out) == (1, False)
    assert "note: bad/result.json " in err and key in err


@pytest.mark.parametrize("value", [None, "x", {}, [3], [{"name": "peak"}], [{"name": 3, "title": "", "unit": ""}]], ids=str)
def test_result_that_describes_its_metrics_wrongly_is_left_out(
    damaged: Path, capsys: pytest.CaptureFixture[str], value: object
) -> None:
    changed_json(damaged / "result.json", "added_metrics", value)
    code, out, err = report(damaged, capsys)
    assert (code, "lr=0.001 " in out) == (1, False)
    assert "note: bad/result.json " in err and "added_metrics" in err


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "fast", 10**400, [1]], ids=str)
@pytest.mark.parametrize("key", ["params", "training_seconds", "real_time_factor"])
def test_fact_that_is_no_number_costs_only_itself(
    damaged: Path, capsys: pytest.CaptureFixture[str], key: str, value: object
) -> None:
    changed_json(damaged / "result.json", key, value)
    code, out, _ = report(damaged, capsys)
    assert (code, "unet lr=0.001 " in out) == (0, True)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, b"\xff", {1: {2: None}}, "\ud800"], ids=repr)
def test_setting_that_json_cannot_hold_loses_nothing(damaged: Path, capsys: pytest.CaptureFixture[str], value: object) -> None:
    config = yaml.safe_load((damaged / "config.yaml").read_text(encoding="utf-8"))
    config["model"]["gradient_clip_norm"] = value
    (damaged / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    code, out, err = report(damaged, capsys)
    assert (code, err) == (0, "")
    assert "unet lr=0.001 " in out or "gradient_clip_norm" in out


def test_infinite_setting_is_shown_by_its_name(damaged: Path) -> None:
    with (damaged / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("clip: .inf\nlow: -.inf\nnone: .nan\n")
    (run,) = find_runs([damaged])[0]
    assert [run.config[key] for key in ("clip", "low", "none")] == ["inf", "-inf", "nan"]


@pytest.mark.parametrize("value", ["folder", [], 1])
@pytest.mark.parametrize("key", ["choices", "data", "corruption", "model"])
def test_settings_of_another_form_are_named(damaged: Path, capsys: pytest.CaptureFixture[str], key: str, value: object) -> None:
    config = yaml.safe_load((damaged / "config.yaml").read_text(encoding="utf-8"))
    (damaged / "config.yaml").write_text(yaml.safe_dump(config | {key: value}), encoding="utf-8")
    code, _, err = report(damaged, capsys)
    assert (code, f"note: bad/config.yaml is damaged: {key} is " in err) == (1, True)


def test_half_written_line_of_the_epochs_loses_only_that_line(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (damaged / "epochs.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"epoch": 2, "val/ls')
    code, _, err = report(damaged, capsys)
    assert (code, err) == (0, "note: bad/epochs.jsonl is damaged in 1 line(s), which are left out")
    page = (damaged.parent.parent / "report" / "index.html").read_text(encoding="utf-8")
    assert '"val/lsd":[[7.0,3.0],[15.0,2.0]]' in page


@pytest.mark.parametrize(
    ("line", "change"), [(-1, "2.flac,100"), (2, "x"), (1, "0.flac,0,c0ffee,1,1,1,1,1"), (3, "0.flac,0,c0ffee,3,a,1,1,1")]
)
def test_table_with_a_damaged_line_is_left_out(damaged: Path, capsys: pytest.CaptureFixture[str], line: int, change: str) -> None:
    lines = (damaged / "per_example.csv").read_text(encoding="utf-8").splitlines()
    lines[line] = change
    (damaged / "per_example.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, _, err = report(damaged, capsys)
    assert (code, "note: bad/per_example.csv is damaged" in err) == (1, True)


def test_table_that_ends_early_is_left_out(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed_json(damaged / "result.json", "pairs", 6)
    lines = (damaged / "per_example.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (damaged / "per_example.csv").write_text("".join(lines[:-2]), encoding="utf-8")
    code, _, err = report(damaged, capsys)
    assert (code, err) == (1, "note: bad/per_example.csv is damaged: it has 4 of 6 test pairs")


def test_damaged_version_of_an_example_takes_no_other_with_it(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run, name in (("bad", "clean"), ("good", "restored")):
        (damaged.parent / run / "examples" / f"0000_{name}.flac").write_bytes(b"no sound")
    code, _, err = report(damaged, capsys)
    assert code == 0
    assert sorted(line.split("/examples/")[1].split(": ")[0] for line in err.splitlines()) == [
        "0000_clean.flac",
        "0000_restored.flac",
    ]
    assert (damaged.parent.parent / "report" / "index.html").read_text(encoding="utf-8").count(
        '"clip":'
    ) == 4  # corrupted, fine, clean, anchor


def test_missing_examples_are_no_damage(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(damaged / "examples")
    assert report(damaged, capsys)[0] == 0


@pytest.mark.parametrize("form", [*CONTENTS, "folder", "pipe", "half"])
def test_damaged_record_of_an_unfinished_job_is_named(damaged: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    (damaged / "result.json").unlink()
    (damaged / "job.json").write_text('{"identity": "a", "status": "failed"}', encoding="utf-8")
    replace(damaged / "job.json", form)
    code, _, err = report(damaged, capsys)
    assert code == 0
    assert err.startswith("note: bad has no result.json")


def test_damage_is_told_apart_from_what_is_not_finished(damaged: Path) -> None:
    (damaged / "result.json").write_text("{", encoding="utf-8")
    (damaged.parent / "late").mkdir()
    (damaged.parent / "late" / "run.json").write_text("{}", encoding="utf-8")
    skipped = find_runs([damaged.parent])[1]
    assert [isinstance(sentence, Damage) for sentence in skipped] == [True, False]


@pytest.mark.parametrize("value", [1e308, -1e308, 1e9])
def test_score_that_no_metric_takes_is_none(damaged: Path, capsys: pytest.CaptureFixture[str], value: float) -> None:
    table = damaged / "per_example.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",7.2,", f",{value:g},"), encoding="utf-8")
    code, out, err = report(damaged, capsys)
    assert (code, "unet lr=0.001 " in out) == (0, True)
    assert "has no finite scale-invariant signal-to-distortion ratio (dB) on 1 of 6 pairs" in err


def test_merge_keys_of_yaml_are_refused_before_they_multiply(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["m0: &m0 {x: 1, y: 2}", *(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}" for n in range(1, 12))]
    (damaged / "config.yaml").write_text("\n".join(lines), encoding="utf-8")
    code, _, err = report(damaged, capsys)
    assert (code, err) == (1, "note: bad/config.yaml is damaged: it uses merge keys (<<)")


def test_name_of_a_run_with_control_characters_is_printed_escaped(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged.rename(damaged.parent / "b\x1b[31m\na\u202ed")
    (damaged.parent / "b\x1b[31m\na\u202ed" / "result.json").write_text("{", encoding="utf-8")
    _, out, err = report(damaged, capsys)
    assert r"note: b\x1b[31m\na\u202ed/result.json is damaged" in err
    assert all(line.isprintable() for line in [*out.splitlines(), *err.splitlines()])


def test_tables_and_pages_are_written_whole_or_not_at_all(
    damaged: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(damaged, capsys)
    folder = damaged.parent.parent / "report"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    monkeypatch.setattr(os, "replace", replace_sounds_only(os.replace))
    assert compare.main([str(damaged.parent), "-o", str(folder)]) == 1
    assert capsys.readouterr().err == f"error: {folder / 'leaderboard.md'} cannot be written: no space left on device\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def replace_sounds_only(whole: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    def put(source: Path, target: Path) -> None:
        if Path(target).suffix != ".flac":
            raise OSError(28, "No space left on device")
        whole(source, target)

    return put


def test_full_disk_of_temporary_files_is_one_sentence(
    damaged: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", put)
    assert compare.main([str(damaged.parent), "-o", str(damaged.parent.parent / "report")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and "no space left on device" in err
