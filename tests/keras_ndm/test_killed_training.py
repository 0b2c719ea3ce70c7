"""Training that is killed goes on from its backup as if nothing had been."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "natural"])
def test_killed_training(optimizer):
    options = ["--kills", "2", "--epochs", "40", "--optimizer", optimizer]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "soak.py", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *_, kills, difference = done.stdout.split()
    assert int(kills) == 2 and float(difference) < 1e-6
