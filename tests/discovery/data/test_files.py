"""A reader from outside: one format, known to everything that reads or writes runs."""

import subprocess
import sys

import pytest

from discovery.data import files

READER = """
import json, sys
import numpy as np
from discovery import Trajectories
from discovery.data import files

def read(path):
    with open(path) as file:
        return {key: np.array(values) for key, values in json.load(file).items()}

def write(arrays, path):
    with open(path, "w") as file:
        json.dump({key: values.tolist() for key, values in arrays.items()}, file)

files.register(files.Format("mine", (".mine",), False, read, write))

runs = Trajectories(states=np.random.default_rng(0).standard_normal((5, 7, 2)), names=["q", "p"])
runs.to_file(sys.argv[1])
again = Trajectories.from_file(sys.argv[1])
assert again.names == runs.names
np.testing.assert_array_equal(again.states, runs.states)

from discovery import cli
assert cli.main([sys.argv[1], "--no-model", "--quiet"]) == 0
"""


def test_a_format_from_outside(tmp_path):
    command = [sys.executable, "-c", READER, str(tmp_path / "runs.mine")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_suffix_belongs_to_one_format():
    with pytest.raises(ValueError, match=r"\.npz stands for npz already"):
        files.register(files.Format("mine", (".mine", ".npz"), False, dict, print))
    assert ".mine" not in files.suffixes()
