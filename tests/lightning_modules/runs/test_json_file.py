"""A JSON file is whole, and valid JSON whatever the numbers."""

import json
import math
from pathlib import Path

from lightning_modules.runs.json_file import write_json


def test_json_holds_null_for_what_is_not_a_number(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"pesq": math.nan, "nested": {"values": [1.0, math.inf]}})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"pesq": None, "nested": {"values": [1.0, None]}}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
