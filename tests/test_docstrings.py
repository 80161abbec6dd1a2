"""What the linter of docstrings does not know: descriptions of arguments, attributes and errors start in lower case."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("conf", "datamodules", "lightning_modules", "machine", "models", "sweeps")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
SECTION = re.compile(r"^(?:Args|Attributes|Raises):\n((?:    .*(?:\n|$)|\n)+)", re.MULTILINE)
CAPITAL = re.compile(r"^    \*{0,2}\w+: (?!None\b)[A-Z][a-z]+\b.*", re.MULTILINE)


def docstrings(source: str) -> Iterator[str]:
    """Return the docstrings of a file's functions and classes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield ast.get_docstring(node) or ""


def capitals(text: str) -> list[str]:
    """Return the descriptions in the sections of a docstring that start with a capital."""
    return [line for section in SECTION.findall(text) for line in CAPITAL.findall(section)]


def test_a_capital_is_found_in_every_section_and_names_are_left_alone() -> None:
    assert capitals("Do.\n\nArgs:\n    a: Some.\n    b: D of A.\n\nRaises:\n    ValueError: If.") == [
        "    a: Some.",
        "    ValueError: If.",
    ]
    assert not capitals("Do: Well.\n\nArgs:\n    a: None of it.\n        b: More of the same.\n\nNote: Fine.")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_descriptions_start_in_lower_case(path: Path) -> None:
    assert not [line for text in docstrings(path.read_text(encoding="utf-8")) for line in capitals(text)]
