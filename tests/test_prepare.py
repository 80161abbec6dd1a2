"""The command that unpacks data sets, from the command line to a training's list of recordings."""

import csv
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import prepare
from datamodules.archives.listing import CORPORA
from datamodules.sources.folder import FolderSource
from tests.datamodules.sources import layouts

ROOT = Path(__file__).parent.parent


def pack(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as content:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                content.write(path, path.relative_to(folder).as_posix())
    return archive


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "MANIFEST.csv", newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_names_are_those_that_can_be_listed() -> None:
    assert set(prepare.NAMES) == set(CORPORA)


@pytest.mark.parametrize("name", ["voicebank", "vctk", "beethoven", "magnatagatune", "spear"])
def test_data_set_is_unpacked_and_listed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    getattr(layouts, name)(tmp_path / "files")
    archive, out = pack(tmp_path / "files", tmp_path / f"{name}.zip"), tmp_path / "out"
    assert prepare.main([name, "--from", str(archive), "-o", str(out)]) == 0
    listed = CORPORA[name].source(str(out)).recordings()
    table = rows(out)
    assert [row["file"] for row in table] == [Path(item.path).relative_to(out).as_posix() for item in listed]
    assert [(row["split"], row["group"]) for row in table] == [(item.split, item.group) for item in listed]
    assert {row["license_id"] for row in table} == {CORPORA[name].license_id}
    assert [row["corrupted"] for row in table] == [str(item.corrupted or "").removeprefix(f"{out}/") for item in listed]
    assert f"use them by data={name} data.root={out}" in capsys.readouterr().out


def test_commands_of_the_pages_run(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in page.splitlines() if line.startswith("    python prepare.py ")]
    assert commands
    for number, (_, _, name, *rest) in enumerate(commands):
        getattr(layouts, name)(tmp_path / f"files{number}")
        archive = pack(tmp_path / f"files{number}", tmp_path / f"{number}.zip")
        places = {"ARCHIVE": str(archive), "DIR": str(tmp_path / f"out{number}")}
        assert prepare.main([name, *(places.get(word, word) for word in rest)]) == 0


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    layouts.beethoven(tmp_path / "files")
    command = ["beethoven", "--from", str(pack(tmp_path / "files", tmp_path / "b.zip")), "-o", str(tmp_path / "out")]
    assert prepare.main(command) == 0
    before = {path: path.stat().st_ino for path in (tmp_path / "out").glob("*.wav")}, rows(tmp_path / "out")
    assert prepare.main(command) == 0
    assert ({path: path.stat().st_ino for path in (tmp_path / "out").glob("*.wav")}, rows(tmp_path / "out")) == before


def test_manifest_of_the_archive_is_kept(tmp_path: Path) -> None:
    layouts.aurora(tmp_path / "files")
    archive = pack(tmp_path / "files" / "speech", tmp_path / "s.zip")
    assert prepare.main(["folder", "--from", str(archive), "-o", str(tmp_path / "out")]) == 0
    assert [item.split for item in FolderSource(str(tmp_path / "out")).recordings()] == ["train", "val", "test"]
    assert set(rows(tmp_path / "out")[0]) == {"file", "split"}


def test_damaged_audio_is_named_and_the_exit_code_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.magnatagatune(tmp_path / "files")
    (tmp_path / "files" / "0" / "artist-album-02-empty-0-29.wav").write_bytes(b"")
    archive = pack(tmp_path / "files", tmp_path / "m.zip")
    assert prepare.main(["magnatagatune", "--from", str(archive), "-o", str(tmp_path / "out")]) == 1
    assert len(rows(tmp_path / "out")) == 32


@pytest.mark.parametrize("problem", ["gone", "empty", "checksum"])
def test_what_cannot_be_used_is_one_sentence(problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "files").mkdir()
    archive = pack(tmp_path / "files", tmp_path / "e.zip")
    checksum = ["--checksum", "0" * 32] if problem == "checksum" else []
    given = tmp_path / "gone.zip" if problem == "gone" else archive
    assert prepare.main(["vctk", "--from", str(given), "-o", str(tmp_path / "out"), *checksum]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert {"gone": "gone.zip is not there", "empty": "no VCTK corpus found", "checksum": "has md5"}[problem] in line


def test_module_runs_by_its_name(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "prepare", "vctk", "--from", str(tmp_path / "gone.zip"), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "gone.zip is not there" in done.stderr) == (1, True)


def test_more_checksums_than_archives_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        prepare.main(["vctk", "--from", "a.zip", "-o", "x", "--checksum", "1", "2"])
    assert "--checksum has 2 values for 1 archives" in capsys.readouterr().err


STOPPED = """
import signal, sys
from lightning_modules.commands import prepare as command
def stopped(*given):
    signal.raise_signal(signal.{name})
    raise AssertionError("not heeded")
command.prepare = stopped
import prepare
sys.exit(prepare.main(["vctk", "--from", "a.zip", "-o", "x"]))
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_signals_end_it_as_they_end_the_other_scripts(name: str, code: int) -> None:
    command = [sys.executable, "-c", STOPPED.format(name=name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stderr == f"interrupted by {name}; the same command goes on where it stopped\n"


def test_streams_are_steadied_before_anything_is_told() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys, prepare; prepare.main(['vctk', '--from', 'gone-é–.zip', '-o', 'x']); print('–')",
    ]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (0, "-\n")
    assert "gone-\\xe9-.zip is not there" in done.stderr
