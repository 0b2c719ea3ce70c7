"""A data set from outside: one file that registers one record; laws pickled by name."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from discovery import datasets

FILE = """
from discovery import datasets

decay = datasets.System(
    name="decay",
    doc="A becomes B.",
    equations="a' = -a, b' = a",
    source="a test",
    names=("a", "b"),
    roles=("amount", "amount"),
    flow=lambda a, b: (-a, a),
    sample=lambda rng, n: rng.uniform(0.5, 2.0, (n, 2)),
    dt=0.1,
    laws={"total": lambda a, b: a + b},
    count=1,
)
datasets.register(decay)
"""

USE = """
import numpy as np
from discovery import datasets
from discovery.datasets import names

before = names()
import my_decay

assert names() == [*before, "decay"]
assert datasets.info("decay") is my_decay.decay
runs = datasets.load("decay", 5, 20)
total = runs.truth["total"](runs.states)
np.testing.assert_allclose(total, np.repeat(total[:, :1], 20, axis=1), rtol=1e-9)
"""


def run(code, folder):
    """Run code in a process of its own, where nothing is imported yet."""
    path = os.pathsep.join([str(folder), os.getcwd()])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_system_from_outside_is_known(tmp_path):
    (tmp_path / "my_decay.py").write_text(FILE)
    run(USE, tmp_path)


def test_a_law_is_unpickled_in_a_new_process(tmp_path):
    runs = datasets.load("kepler", 3, 10)
    energy = runs.truth["E"]
    path = tmp_path / "law.pickle"
    path.write_bytes(pickle.dumps((energy, runs.states, energy(runs.states))))
    run(
        f"import pickle; law, states, values = pickle.load(open({str(path)!r}, 'rb'));"
        " assert (law(states) == values).all()",
        tmp_path,
    )


def test_a_law_of_a_system_that_is_not_there():
    from discovery.datasets.system import Law

    with pytest.raises(ValueError, match=r"'decay'.*Import the module"):
        Law("decay", "total")(np.zeros(2))


def test_a_name_belongs_to_one_system():
    with pytest.raises(ValueError, match="'kepler' already"):
        datasets.register(datasets.info("kepler"))


def test_names_keep_the_order_of_the_families():
    names = datasets.names()
    kinds = ("harmonic_oscillator", "pendulum", "rigid_body", "fput", "kepler", "kdv", "lorenz")
    assert sorted(kinds, key=names.index) == list(kinds)
