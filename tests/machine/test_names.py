"""Windows can store the names of this project's files, and those that it gives by itself."""

import re
import string
from pathlib import Path, PurePosixPath

import pytest
import yaml

from machine import names

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "conf", "datamodules", "docs", "lightning_modules", "machine", "models", "sweeps", "tests")
FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]|[ .]$')
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def unstorable(path: str) -> list[str]:
    """Return the parts of a path that Windows cannot store."""
    return [part for part in PurePosixPath(path).parts if FORBIDDEN.search(part) or DEVICES.fullmatch(part)]


@pytest.mark.parametrize("name", ["a:b", "a?", "aux", "NUL.txt", "com1.yaml", "ends.", "ends ", 'say "no"', "a|b", "1*2"])
def test_names_that_windows_refuses_are_seen(name: str) -> None:
    assert unstorable(f"runs/{name}/x") == [name]


def test_files_of_the_project_can_be_stored() -> None:
    files = [path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    assert len(files) > 500
    assert {name: bad for name in files if (bad := unstorable(name))} == {}
    lower = [name.lower() for name in files]
    assert len(set(lower)) == len(lower)  # two names that differ in case only are one


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_folders_of_runs_and_sweeps_can_be_stored(name: str) -> None:
    config = yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text(encoding="utf-8"))
    folders = [config["run_name"], config["hydra"]["run"]["dir"], config["hydra"]["sweep"]["dir"]]
    filled = [re.sub(r"\$\{(?:now:([^}]*)|[^}]*)\}", lambda found: found[1] or "name", folder) for folder in folders]
    assert [bad for folder in filled for bad in unstorable(folder.replace("%", ""))] == []


REFUSED = [
    "a:b",
    "a?",
    "aux",
    "NUL.txt",
    "com1.yaml",
    "ends.",
    "ends ",
    'say "no"',
    "a|b",
    "1*2",
    "a/b",
    "a\\b",
    "a<b",
    "\x07",
    "..",
]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_names_have_a_reason_and_a_substitute_without_one(name: str) -> None:
    assert names.unstorable(name)
    assert names.unstorable(names.storable(name)) == ""
    assert len(names.storable(name)) <= len(name) + 1


@pytest.mark.parametrize(
    "name", ["a", "lr=0.1 seed=0", "console", "nulls", "com", "com10", ".hidden", "déšť", "a.b", string.ascii_letters]
)
def test_other_names_are_left_as_they_are(name: str) -> None:
    assert names.unstorable(name) == ""
    assert names.storable(name) == name
