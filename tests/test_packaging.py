"""What an installation gets: locks that cover the dependencies, dependencies that cover the imports, files beside the code."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("conf", "datamodules", "lightning_modules", "machine", "models", "sweeps")
RUNNING, DEVELOPING = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
LEFT_OUT = ("nvidia-", "cuda-", "triton")
"""What torch fixes exactly by itself, and its CPU build lacks."""
EXTRAS = PROJECT["project"]["optional-dependencies"]


def pins(lock: Path) -> dict[str, Version]:
    """Return the versions that a lock fixes, by canonical name; a line of any other form is refused."""
    fixed: dict[str, Version] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or line.startswith("--requirement "):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.]*)(?: # .+)?", line)
        assert match, f"{lock.name} holds a line that is no exact pin: {line!r}"
        fixed[canonicalize_name(match[1])] = Version(match[2])
    return fixed


def needs(requirements: list[str]) -> Iterator[Requirement]:
    """Return requirements and what they in turn require in this environment."""
    waiting, seen = [Requirement(text) for text in requirements], set()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen or canonicalize_name(wanted.name).startswith(LEFT_OUT):
            continue
        seen.add(str(wanted))
        yield wanted
        extras = ["", *wanted.extras]
        further = [Requirement(text) for text in distribution(wanted.name).requires or []]
        waiting += [each for each in further if not each.marker or any(each.marker.evaluate({"extra": name}) for name in extras)]


def unmet(requirements: list[str], fixed: dict[str, Version]) -> list[str]:
    """Return the requirements that pins leave open or contradict."""
    found = [(wanted, fixed.get(canonicalize_name(wanted.name))) for wanted in needs(requirements)]
    return [
        str(wanted) for wanted, version in found if version is None or not wanted.specifier.contains(version, prereleases=True)
    ]


def test_lock_for_running_covers_the_dependencies_and_nothing_else() -> None:
    fixed = pins(RUNNING)
    assert unmet(PROJECT["project"]["dependencies"], fixed) == []
    assert set(fixed) == {canonicalize_name(wanted.name) for wanted in needs(PROJECT["project"]["dependencies"])}


def test_lock_for_developing_adds_the_rest() -> None:
    added = pins(DEVELOPING)
    assert not set(added) & set(pins(RUNNING))
    assert unmet(EXTRAS["dev"], pins(RUNNING) | added) == []
    assert DEVELOPING.read_text(encoding="utf-8").count(f"--requirement {RUNNING.name}\n") == 1


def test_package_that_no_lock_pins_is_seen() -> None:
    fixed = pins(RUNNING)
    assert unmet(["pytest>=8"], fixed) != []
    assert unmet(["torch>=99"], fixed)[0] == "torch>=99"


def imports(path: Path) -> set[str]:
    """Return the names of the packages that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {module.split(".")[0] for module in modules}


def test_every_import_is_of_a_declared_package() -> None:
    files = [*ROOT.glob("*.py"), *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))]
    own = {*PACKAGES, *PROJECT["tool"]["setuptools"]["py-modules"]}
    foreign = {name for path in files for name in imports(path)} - own - sys.stdlib_module_names
    texts = [*PROJECT["project"]["dependencies"], *(text for extra in EXTRAS.values() for text in extra)]
    declared = {canonicalize_name(Requirement(text).name) for text in texts}
    brought = {
        "google": "wandb",
        "lightning_fabric": "pytorch-lightning",
        "markupsafe": "jinja2",
        "starlette": "gradio",
    }  # required by those
    brought |= {"nara_wpe": "nara-wpe", "visqol": "visqol-python"}  # extras that need not be installed
    provided = packages_distributions()
    origin = {name: {canonicalize_name(each) for each in provided.get(name, [])} | {brought.get(name, name)} for name in foreign}
    assert {name for name in foreign if not origin[name] & declared} == set()


def requirement_lines() -> Iterator[tuple[str, str]]:
    """Return every requirement of the project's files, with the rest of its line."""
    for line in (RUNNING.read_text(encoding="utf-8") + DEVELOPING.read_text(encoding="utf-8")).splitlines():
        if "==" in line and not line.startswith("#"):
            yield line.partition(" #")[0], line.partition(" #")[2]
    for text, rest in re.findall(
        r'^    "([^"]+)",?(.*)$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), flags=re.MULTILINE
    ):
        if re.match(r"[a-z0-9-]+[<>=!]", text):
            yield text, rest.partition("#")[2]


def test_every_pin_of_a_pre_release_says_why() -> None:
    found = [(Requirement(text), reason) for text, reason in requirement_lines()]
    early = [
        (wanted.name, reason) for wanted, reason in found if any(Version(each.version).is_prerelease for each in wanted.specifier)
    ]
    assert {"hydra-core", "omegaconf", "cwevals", "hydra-ray-launcher"} <= {name for name, _ in early}
    assert [name for name, reason in early if not reason.strip()] == []


def test_exact_pin_of_a_pre_release_is_required_by_a_package_in_use() -> None:
    """W&B asks for one version of `cwevals`; once it no longer does, the pin and its reason go."""
    wanted = [Requirement(text) for text in distribution("wandb").requires or []]
    assert str(next(each.specifier for each in wanted if each.name == "cwevals")) == f"=={pins(RUNNING)['cwevals']}"


def test_nothing_imports_torchaudio_but_what_is_chosen_by_name() -> None:
    assert [Requirement(text).name for text in EXTRAS["torchaudio"]] == ["torchaudio"]
    files = [path for folder in (*PACKAGES, "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in [*files, *ROOT.glob("*.py")] if "torchaudio" in imports(path)] == []
    naming = [path.name for path in files if 'import_module("torchaudio' in path.read_text(encoding="utf-8")]
    assert naming == ["loading.py"] or sorted(naming) == ["loading.py", "test_packaging.py"]


@pytest.mark.parametrize("package", PACKAGES)
def test_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").read_text(encoding="utf-8") == ""
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"]["*"]


@pytest.mark.posix
def test_commit_hooks_run_what_make_lint_runs_and_fetch_nothing() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    lint = subprocess.run(["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [
        line.split("/")[-1].removesuffix(" .") for line in lint.splitlines() if "/bin/ruff" in line or "/bin/mypy" in line
    ]
    assert [hook["entry"].replace(" --force-exclude", "") for hook in hooks] == commands


def test_citation_has_the_fields_that_its_schema_requires() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["authors"] and all(
        {"name"} <= set(author) or {"family-names"} <= set(author) for author in citation["authors"]
    )
    project = PROJECT["project"]
    assert (str(citation["version"]), citation["license"]) == (project["version"], project["license"])


def test_changelog_begins_with_the_version_of_the_project() -> None:
    headings = re.findall(
        r"^## \[(.+)\] - (unreleased|\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert headings[0][0] == PROJECT["project"]["version"]


def test_machines_of_others_try_every_python_that_is_promised_and_run_the_fast_tests() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    promised = {each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if "Python :: 3." in each}
    tried = {each["python"] for each in jobs["make"]["strategy"]["matrix"]["include"] if each["system"].startswith("ubuntu")}
    assert tried == promised and PROJECT["project"]["requires-python"] == f">={min(promised)}"
    fast = jobs["windows"]["steps"][-1]["run"].partition("pytest ")[2]
    assert f"{fast.partition(' -m ')[2]}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {step["run"] for step in jobs["make"]["steps"] if "run" in step} == {"make test PYTHON=python"}
