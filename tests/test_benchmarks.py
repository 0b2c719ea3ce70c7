"""The benchmarks start as printed, from a folder that holds a discovery.py of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


NAMES = ("controls", "discovery", "fields", "mechanics", "published_generators", "scaling")


@pytest.mark.parametrize("name", [*NAMES, "symmetries"])
def test_help(name):
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("usage")
