"""Examples in docstrings hold, and none stands where it is not found."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("conf", "datamodules", "lightning_modules", "machine", "models", "sweeps")
FILES = [*ROOT.glob("*.py"), *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))]
PROMPT = re.compile(r"^\s*>>> ", re.MULTILINE)
WITH_EXAMPLES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): examples
    for path in sorted(FILES)
    if (examples := len(PROMPT.findall(path.read_text(encoding="utf-8"))))
}


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_of_a_module_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert (result.failed, result.attempted) == (0, WITH_EXAMPLES[module])
