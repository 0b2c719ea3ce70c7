"""The code of README, of the documentation's pages and of the notebooks runs as printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from discovery import datasets

ROOT = Path(__file__).parents[1]
# Written when the documentation is built: of data sets, of notebooks, of docstrings.
GENERATED = {ROOT / "docs" / name for name in ("_build", "gallery", "notebooks", "reference/api")}
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def code_blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if not GENERATED & set(page.parents) and code_blocks(page)
]


def run(code, folder):
    """Run a script in a process of its own, so that no page finds what another has left."""
    (folder / "page.py").write_text(code, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, "page.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture
def folder(tmp_path):
    """A folder with the table that pages read."""
    runs = datasets.load("harmonic_oscillator", 40, 80, noise=0.01)
    runs.to_frame(run="run", time="t").to_csv(tmp_path / "runs.csv", index=False)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_run(page, folder):
    run("\n".join(code_blocks(page)), folder)


@pytest.mark.slow
def test_start_ends_with_the_law(folder):
    """A reader of Start sees the law that the page names."""
    out = run("\n".join(code_blocks(ROOT / "docs" / "guide" / "start.md")), folder)
    assert out.count("u**2/2 + 2*x**2") >= 2


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    run("\n".join(code), tmp_path)


def test_there_is_code_to_run():
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert names >= {"README.md", "docs/guide/start.md", "docs/guide/geometry.md"}
    assert len(NOTEBOOKS) >= 3
