"""The benchmarks start as printed, and their names hide no module of that name."""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from discovery import datasets

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))
SCRIPTS = [path for path in FILES if "__main__" in path.read_text()]


HELP = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
for path in sys.argv[2:]:
    sys.argv = [path, "--help"]
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        assert not end.code, path
"""


@pytest.mark.slow
def test_help():
    """In one process: what they import takes seconds."""
    command = [sys.executable, "-c", HELP, str(FILES[0].parent), *map(str, SCRIPTS)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    for path in SCRIPTS:
        assert f"usage: {path.name}" in answer.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_name_hides_no_module(path):
    # A script's folder comes first where Python looks for modules.
    assert find_spec(path.stem) is None


@pytest.fixture
def beside(monkeypatch):
    """Let benchmarks' modules be imported as the scripts beside them do."""
    monkeypatch.syspath_prepend(FILES[0].parent)


@pytest.mark.usefixtures("beside")
def test_controls_beside_the_data_sets():
    law_free = importlib.import_module("law_free")
    for name in law_free.CONTROLS:
        clean, noisy, again = (law_free.load(name, n, 3, 6, 12)[0] for n in (0.0, 0.1, 0.1))
        np.testing.assert_array_equal(noisy.rows, again.rows)
        # Their noise is as asked: 72 samples a column give a standard deviation to a third.
        share = (noisy.rows - clean.rows).std(axis=0) / clean.rows.std(axis=0)
        assert (np.abs(share - 0.1) < 0.035).all(), name


@pytest.mark.usefixtures("beside")
def test_limits_of_a_rate():
    trials = importlib.import_module("trials")
    # With no hit in n tries the 95 % limit solves (1 - p)ⁿ = .05.
    assert trials.upper_limit(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert trials.lower_limit(100, 100) == pytest.approx(0.05 ** (1 / 100))
    assert trials.upper_limit(5, 100) == pytest.approx(0.1022, abs=1e-4)


@pytest.mark.usefixtures("beside")
def test_motion_on_clean_runs():
    trials = importlib.import_module("trials")
    clean = datasets.load("harmonic_oscillator", 20, 42)
    assert trials.motion(clean.truth["E"], clean) < 1e-9
    # A coordinate has its mean square along each run, and no more between them.
    assert trials.motion(lambda states: states[..., 0], clean) > 0.95
    assert trials.motion(lambda states: 0 * states[..., 0], clean) == np.inf
    # Runs with velocities that were formed differ in length.
    formed = datasets.load("kepler", 12, 60).of_columns([0, 1]).with_velocities()
    assert len(set(formed.lengths)) > 1
    assert trials.motion(lambda states: states[..., 0] * 0 + len(states), formed) < 1e-9
    assert trials.motion(lambda states: states[..., 0], formed) > 0.5


@pytest.mark.usefixtures("beside")
def test_objective_of_genetic_programming():
    law_rivals = importlib.import_module("law_rivals")
    runs = datasets.load("harmonic_oscillator", 30, 40)
    energy = runs.truth["E"]
    objective = law_rivals.Objective(np.stack(runs.states), [])
    assert objective(energy(runs.rows)) < -20
    assert objective(runs.rows[:, 0]) > 1
    for nothing in (0.3, np.nan, np.inf):
        assert objective(np.full(len(runs.rows), nothing)) == law_rivals.WORST
    # What is found anew is no gain.
    again = law_rivals.Objective(np.stack(runs.states), [energy])
    assert again((3 - energy(runs.rows)) ** 2) == law_rivals.WORST
    assert again(runs.rows[:, 0]) == pytest.approx(objective(runs.rows[:, 0]), abs=1)


@pytest.mark.usefixtures("beside")
def test_laws_among_functions():
    law_rivals = importlib.import_module("law_rivals")
    clean = datasets.load("kepler", 300, 20)
    momentum, energy = (clean.truth[key] for key in "LE")
    some = [momentum, lambda s: np.exp(energy(s)), lambda s: energy(s) + momentum(s) ** 2]
    others = [lambda s: s[..., 0], lambda s: momentum(s) + 0.3 * s[..., 0]]
    assert law_rivals.laws_among([*some, *others], clean) == [0, 1, 2]
    assert law_rivals.independent(some, clean, 0) == 2
