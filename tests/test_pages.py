"""What README and docs/ point to exists, and every command on them is of a kind that some test runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted((ROOT / "docs").glob("*.md"))]
NOT_YET: set[str] = set()
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{FENCED.pattern}|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)]+)\)")
TEST_FILE = re.compile(r"`(?:tests/)?((?:\w+/)*test_\w+\.py)`")


def test_every_command_is_of_a_kind_that_a_test_runs() -> None:
    scripts = "train|evaluate|restore|compare|prepare|export|demo"
    elsewhere = ["python benchmarks/rebuild_recordings.py CHECKOUTS -o DIR"]  # tests/test_recordings.py
    examples = {"restore": "noisy.wav restored.wav", "stream": "noisy.wav restored.wav"}  # commands/test_export.py
    elsewhere += [f"python docs/examples/{name}_onnx.py model.onnx {files}" for name, files in examples.items()]
    lines = [
        line
        for page in PAGES
        for line in re.findall(r"^    (\S.*)$", FENCED.sub("", page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    ]
    commands = [line for line in lines if re.match(r"(python|make|pip|clarion-\w+|wandb|git|ruff) ", line)]
    known = re.compile(rf"python ({scripts})\.py\b|python sweeps/wandb_sweep\.py |make \w")
    assert [line for line in commands if not known.match(line) and line not in elsewhere] == []


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists() or file.name in NOT_YET, f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(file), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """Return the names under which the headings of a page are found."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_tests_that_pages_name_exist() -> None:
    named = {name for page in PAGES for name in TEST_FILE.findall(page.read_text(encoding="utf-8"))}
    files = [str(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(named) > 20
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []
