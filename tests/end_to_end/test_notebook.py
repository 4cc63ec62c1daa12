"""The notebook's cells, in one process and one namespace, on made data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "train_on_colab.ipynb"

pytestmark = pytest.mark.timeout(200)

# Runs cell after cell; after the one tagged "parameters", with the parameters of this test.
EXECUTE = """
import json, sys

cells, parameters = json.loads(sys.stdin.read())
namespace = {"__name__": "__main__"}
for number, cell in enumerate(cells):
    exec(compile("".join(cell["source"]), f"cell {number}", "exec"), namespace)
    if "parameters" in cell["metadata"].get("tags", []):
        assert parameters.keys() <= namespace.keys()
        namespace |= parameters
"""


def test_every_cell_but_the_installation_runs_on_made_data(own_recordings, tiny_training, tmp_path):
    notebook = json.loads(NOTEBOOK.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    install, *cells = code
    assert install["metadata"]["tags"] == ["install"]
    assert "%pip install" in "".join(install["source"])
    assert not any(line.startswith(("%", "!")) for cell in cells for line in cell["source"])
    run = tmp_path / "run"
    parameters = {
        "CORPUS": "manifest",
        "DATA": str(own_recordings),
        "SPLIT": "speakers",
        "CONFIG": str(tiny_training),
        "MODALITIES": "audio,video",
        "RUN": str(run),
    }
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE],
        input=json.dumps([cells, parameters]),
        cwd=ROOT,
        env=os.environ | {"MPLBACKEND": "agg", "FER_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert (run / "model" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    scores = json.loads((run / "metrics.json").read_text())
    lines = [line for line in done.stdout.splitlines() if line.startswith("manifest, speakers-0")]
    *_, again = lines
    assert f"UAR {scores[0]['uar']:.3f}" in again, "evaluate says what fit said"
    assert "# tiny" in done.stdout, "the model card"


def test_the_notebook_holds_no_results_and_is_short():
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"]) <= 12
    for cell in notebook["cells"]:
        assert cell["cell_type"] == "markdown" or not cell["outputs"]
