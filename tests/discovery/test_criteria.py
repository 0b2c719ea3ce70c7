"""Every limit is documented, and guarded by a test that fails when the limit is taken away."""

import ast
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from discovery import criteria

HERE = Path(__file__).parent
LIMITS = {f"{group}.{f.name}": f for group, limits in criteria.ALL.items() for f in fields(limits)}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_says_what_it_is(name):
    record = LIMITS[name].metadata
    assert record["statistic"] and record["unit"] and record["off"] != LIMITS[name].default
    # A null distribution has a level; a tolerance has none.
    assert record["reason"].startswith("tolerance: ") == (record["level"] is None)
    path, function = record["test"].split("::")
    tree = ast.parse((HERE / path).read_text(encoding="utf-8"))
    assert function.split("[")[0] in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


@pytest.mark.slow
@pytest.mark.parametrize("name", LIMITS)
def test_its_test_fails_without_it(name):
    test = str(HERE / LIMITS[name].metadata["test"])
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "", test]
    without = subprocess.run([*command, "--without", name], capture_output=True, check=False)
    assert without.returncode == 1, f"{test} passes without {name}"
