"""The benchmarks start as printed, and their names hide no module of that name."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))
SCRIPTS = [path for path in FILES if "__main__" in path.read_text()]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_help(path):
    command = [sys.executable, str(path), "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("usage")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_name_hides_no_module(path):
    # A script's folder comes first where Python looks for modules.
    assert find_spec(path.stem) is None
