"""The direction of imports: scripts use both halves, methods never use the data side, networks use neither framework."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "models": {"pytorch_lightning", "lightning", "hydra", "omegaconf", "lightning_modules", "datamodules", "conf", "sweeps"},
    "lightning_modules": {"datamodules", "conf", "omegaconf", "sweeps"},
    "datamodules": {"lightning_modules", "models", "conf", "hydra", "omegaconf", "sweeps"},
}
FILES = [(package, path) for package in FORBIDDEN for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize(("package", "path"), FILES, ids=lambda value: str(getattr(value, "name", value)))
def test_imports_point_one_way(package: str, path: Path) -> None:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names & FORBIDDEN[package] == set()


@pytest.mark.parametrize("script", ["train", "evaluate", "restore", "compare"])
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
