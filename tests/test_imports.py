"""The direction of imports: scripts use both halves, methods never use the data side, networks use neither framework."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "models": {"pytorch_lightning", "lightning", "hydra", "omegaconf", "lightning_modules", "datamodules", "conf", "sweeps"},
    "lightning_modules": {"datamodules", "conf", "omegaconf", "sweeps"},
    "datamodules": {"lightning_modules", "models", "conf", "hydra", "omegaconf", "sweeps"},
    "machine": {"lightning_modules", "models", "datamodules", "conf", "hydra", "omegaconf", "sweeps", "torch", "rich"},
}
SCRIPTS = ["train", "evaluate", "restore", "compare", "prepare", "export", "demo"]
COMMANDS = ROOT / "lightning_modules" / "commands"
"""May use every room, configured by values as all others."""
FILES = [(package, path) for package in FORBIDDEN for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize(("package", "path"), FILES, ids=lambda value: str(getattr(value, "name", value)))
def test_imports_point_one_way(package: str, path: Path) -> None:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    forbidden = {"omegaconf"} if path.is_relative_to(COMMANDS) else FORBIDDEN[package]
    assert names & forbidden == set()


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_short_and_none_uses_another(script: str) -> None:
    text = (ROOT / f"{script}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 100
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)]
        assert not {*SCRIPTS} & {*names}


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_does_not_wait_for_torch(script: str) -> None:
    program = f"""
import sys
sys.argv = ["{script}.py", "--help"]
try:
    import {script}
    {script}.main()
except SystemExit:
    pass
print(sorted({{"torch", "pytorch_lightning"}} & set(sys.modules)))
"""
    output = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert output.stdout.strip().splitlines()[-1] == "[]"


def module_of(path: Path) -> str:
    """Return the dotted name of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for package in (*FORBIDDEN, "conf", "sweeps") for path in (ROOT / package).rglob("*.py")}


def imported(path: Path) -> set[str]:
    """Return the modules of this project that a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    left_out = {inner for node in for_types for inner in ast.walk(node)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in left_out:
            found |= {name if (name := f"{node.module}.{alias.name}") in MODULES else str(node.module) for alias in node.names}
    return found & set(MODULES)


def room_of(module: str) -> str:
    """Return the room that a module stands in; those at the top of a package stand alone."""
    room = module.rpartition(".")[0]
    return room if "." in room and MODULES[module].name != "__init__.py" else module


def test_no_circle_between_files() -> None:
    graph = {module: imported(path) - {module} for module, path in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())


def test_no_circle_between_rooms() -> None:
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        graph.setdefault(room_of(module), set()).update(room_of(other) for other in imported(path))
    assert list(TopologicalSorter({room: others - {room} for room, others in graph.items()}).static_order())
