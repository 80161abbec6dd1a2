"""Which version of the project this is."""

import tomllib
from importlib.metadata import version
from pathlib import Path

DECLARED = Path(__file__).parents[2] / "pyproject.toml"


def project_version() -> str:
    """Return the version that a clone declares, else that of the installed package."""
    if DECLARED.is_file():
        declared = tomllib.loads(DECLARED.read_text(encoding="utf-8"))["project"]
        if declared["name"] == "clarion":
            return str(declared["version"])
    return version("clarion")
