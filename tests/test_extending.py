"""Whoever follows docs/extending.md to the letter has something that runs and keeps its contract."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from tests.conftest import tone

ROOT = Path(__file__).parent.parent
PACKAGES = ("benchmarks", "conf", "datamodules", "lightning_modules", "machine", "models", "sweeps", "tests")
BLOCK = re.compile(r"^```(python|yaml|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = re.split(r"^## ", (ROOT / "docs" / "extending.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
BY_TITLE = {section.splitlines()[0]: BLOCK.findall(section) for section in SECTIONS}
QUICK = ["logger=csv", "baselines=[]", "examples=1"]
SYNTHETIC = ["data.recordings=4", "data.seconds=5"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what a newcomer would have cloned."""
    folder = tmp_path / "checkout"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*ROOT.glob("*.py"), ROOT / "pyproject.toml"):
        shutil.copy(file, folder)
    return folder


def follow(checkout: Path, block: str) -> Path:
    """Write a block where its first line says: into a new file, or at the end of a table or of the imports of an old one."""
    first, rest = block.split("\n", 1)
    name, _, place = first.removeprefix("# ").partition(", at the end of ")
    file = checkout / name
    if not place:
        assert not file.exists(), f"{name} is there already"
        file.write_text(rest, encoding="utf-8")
        return file
    table = r"^(?:from|import) .*\n(?![\s\S]*^(?:from|import) )" if place == "the imports" else rf"^{place}\b.*\n(?:    .*\n)*"
    found = re.search(table, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert found, f"{name} has no {place}"
    file.write_text(
        file.read_text(encoding="utf-8")[: found.end()] + rest + file.read_text(encoding="utf-8")[found.end() :], encoding="utf-8"
    )
    return file


def run(checkout: Path, line: str, data: Path) -> None:
    """Run a command of the page, a training or an evaluation on few data."""
    line = line.replace("=DIR", f"={data}")
    if ".py " in line and "pytest" not in line:
        line = shlex.join([*shlex.split(line), *QUICK, *([] if "data=" in line else SYNTHETIC)])
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "CLARION_CACHE": str(data / "cache"), "PYTHONPATH": str(checkout)}
    line = line.replace("python", shlex.quote(sys.executable), 1) if line.startswith("python ") else line
    ended = subprocess.run(line, shell=True, cwd=checkout, capture_output=True, text=True, env=variables)
    assert ended.returncode == 0, f"{line}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}"


@pytest.fixture(scope="session")
def speakers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of four speakers, each with two microphones; the second one's files are damaged."""
    root = tmp_path_factory.mktemp("speakers")
    for number, speaker in enumerate(("anna", "boris", "carla", "dora")):
        (root / speaker).mkdir()
        soundfile.write(root / speaker / "1_mic1.wav", tone(number, 3.0, 16000), 16000)
        (root / speaker / "1_mic2.wav").write_bytes(b"")
    return root


def test_page_has_a_section_for_everything_that_can_be_added() -> None:
    assert list(BY_TITLE) == ["A method", "A recipe", "A corruption", "A callable", "A data set", "A metric", "A probe"]


@pytest.mark.pages
@pytest.mark.parametrize("title", BY_TITLE)
def test_section_followed_to_the_letter_works(title: str, checkout: Path, speakers: Path) -> None:
    blocks = BY_TITLE[title]
    written = [follow(checkout, text) for kind, text in blocks if kind != "sh"]
    code = [str(path) for path in written if path.suffix == ".py"]
    for style in (["check", "--fix", "--select=I"], ["check"], ["format", "--check"]):
        checked = subprocess.run([sys.executable, "-m", "ruff", *style, *code], cwd=checkout, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout
    commands = [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    assert len(commands) >= 2
    for line in commands:
        run(checkout, line, speakers)


Break = Callable[[str], str]
BROKEN: dict[str, tuple[str, Break]] = {
    "A method": ("models/conv_stack.py", lambda text: text.replace("level_free = True", "level_free = False")),
    "A corruption": ("datamodules/corruptions/whistle.py", lambda text: text.replace("return clean +", "return 0.9 * clean +")),
    "A data set": ("datamodules/sources/speakers.py", lambda text: text.replace("], path.parent.name)", '], "all")')),
    "A metric": ("lightning_modules/metrics/registry.py", lambda text: text.replace('"envelope_error_db"', '"envelope_db"')),
    "A probe": ("lightning_modules/metrics/probes/polarity.py", lambda text: text.replace("mean(values)", "sum(values)")),
}


@pytest.mark.slow
@pytest.mark.parametrize("title", BROKEN)
def test_contract_named_by_the_page_sees_a_mistake(title: str, checkout: Path, speakers: Path) -> None:
    name, change = BROKEN[title]
    for kind, text in BY_TITLE[title]:
        if kind != "sh":
            follow(checkout, text)
    before = (checkout / name).read_text(encoding="utf-8")
    (checkout / name).write_text(change(before), encoding="utf-8")
    assert (checkout / name).read_text(encoding="utf-8") != before
    contract = next(line for kind, text in BY_TITLE[title] if kind == "sh" for line in text.splitlines() if "pytest" in line)
    with pytest.raises(AssertionError, match="failed|error"):
        run(checkout, contract, speakers)
