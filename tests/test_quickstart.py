"""The notebook runs, and is kept without outputs."""

import base64
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"


def test_notebook_is_kept_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@pytest.mark.filterwarnings("default")  # of the packages that start the kernel
def test_notebook_runs_and_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    table = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    rows = {line.split()[0]: [float(word) for word in line.split()[2::2]] for line in table.splitlines()}
    assert rows["snr_db"][1] > rows["snr_db"][0] + 2
    assert rows["lsd"][1] < rows["lsd"][0]
    (picture,) = (output.data["image/png"] for output in outputs if output.output_type == "display_data")
    assert base64.b64decode(picture).startswith(b"\x89PNG")
