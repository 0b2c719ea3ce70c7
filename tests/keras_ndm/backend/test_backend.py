import ast
import importlib
import os
import pathlib
import subprocess
import sys

import keras
import pytest

import keras_ndm
from keras_ndm import backend

ROOT = pathlib.Path(__file__).parents[3]


@pytest.mark.parametrize("package", [backend, backend.training], ids=["backend", "training"])
def test_the_backend_in_use_provides_every_name(package):
    module = importlib.import_module(f"{package.__name__}.{keras.config.backend()}")
    assert sorted(module.__all__) == sorted(package.NAMES) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.NAMES)


@pytest.mark.parametrize("folder", ["", "training"])
def test_both_backends_list_the_same_names(folder):
    lists = []
    for name in ("tensorflow", "jax"):
        tree = ast.parse((ROOT / "keras_ndm" / "backend" / folder / f"{name}.py").read_text())
        (value,) = (
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        )
        lists.append(ast.literal_eval(value))
    assert lists[0] == lists[1]


def test_public_names():
    assert all(hasattr(keras_ndm, name) for name in keras_ndm.__all__)


@pytest.mark.parametrize(
    ("blocked", "backend_name"),
    [
        ("tensorflow", "tensorflow"),
        ("tensorflow_probability", None),
        ("jax", "jax"),
        (None, "torch"),
    ],
)
def test_missing_packages_are_named_in_one_sentence(blocked, backend_name):
    name = backend_name or keras.config.backend()
    # A finder that refuses the package, as if it were not installed.
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
if {blocked is None}:
    import types, keras.config
    keras.config.backend = lambda: "torch"
try:
    import keras_ndm
except ImportError as error:
    print(error)
"""
    if blocked is None:
        name = keras.config.backend()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": name}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert "pip install 'keras-ndm[tensorflow]'" in run.stdout, run.stderr
    assert run.stdout.strip().count("\n") == 0
    assert (blocked or "torch") in run.stdout
