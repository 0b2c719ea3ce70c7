"""A library, a check, a reader and a data set are added from outside: one file and one row each."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

LIBRARY = """
from discovery import libraries

def build(columns):
    return [libraries.custom([f"cosh({name})" for name in columns.names], columns.names)]

libraries.register("hyperbolic", build)
"""
CHECK = """
from discovery.laws.judging import verdict

def few_terms(evidence, formula, criteria):
    count = len(formula.terms)
    return verdict.Check("", count, 1.0, count <= 1, unit="terms")

verdict.register("one term", few_terms)
"""
READER = """
import json
import pandas as pd
from discovery.data import files

def read(path):
    with open(path, encoding="utf-8") as file:
        return pd.DataFrame(json.load(file))

def write(frame, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(frame.to_dict("list"), file)

files.register(files.Format("mine", (".mine",), True, read, write))
"""
DATA_SET = """
import numpy as np
from discovery.datasets import System, register

register(System(
    name="free_fall", doc="A stone on a wire.", equations="x' = v, v' = 0", source="none",
    names=("x", "v"), roles=("position", "velocity"),
    flow=lambda x, v: (v, 0 * v), sample=lambda rng, n: rng.normal(size=(n, 2)), dt=0.1,
    laws={"velocity": lambda x, v: v}, count=1,
))
"""


def run(tmp_path, addition, use):
    (tmp_path / "mine.py").write_text(addition, encoding="utf-8")
    script = f"import mine\nfrom discovery import *\nfrom discovery import datasets\n{use}"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


FIT = """
runs = datasets.load("harmonic_oscillator", 20, 60, noise=0.01)
def fit(**options):
    finder = ConservedQuantityFinder(random_state=0, **options)
    return finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).report_
"""


def test_a_library(tmp_path):
    use = FIT + "report = fit(library='hyperbolic')\nprint(report.searched[0])"
    assert run(tmp_path, LIBRARY, use)[0] == "custom"


def test_a_check(tmp_path):
    """The energy x² + v² has two terms: with this check it is no law."""
    use = FIT + "print(fit(library='polynomial').n_conserved)"
    assert run(tmp_path, CHECK, use) == ["0"]
    assert run(tmp_path, "", use) == ["1"]


def test_a_reader(tmp_path):
    use = FIT + "runs.to_file('runs.mine')\nprint(Trajectories.from_file('runs.mine').n_runs)"
    assert run(tmp_path, READER, use) == ["20"]


def test_a_data_set(tmp_path):
    use = "print(datasets.load('free_fall', 5, 9).n_runs, datasets.info('free_fall').count)"
    assert run(tmp_path, DATA_SET, use) == ["5", "1"]
