"""Kinds of files: those that are known, compressed, many at once, and a reader from outside."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from discovery import Trajectories
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


def block(runs=3, steps=5):
    return np.random.default_rng(0).normal(size=(runs, steps, 2))


def some():
    return Trajectories(states=block(), times=0.1 * np.arange(5), names=["x", "v"])


def assert_same(found, runs):
    np.testing.assert_allclose(found.rows, runs.rows, rtol=1e-12)
    np.testing.assert_allclose(found.row_times, runs.row_times, atol=1e-12)
    assert (found.names, found.n_runs) == (runs.names, runs.n_runs)


WRITTEN = (".txt", ".dat", ".json", ".feather", ".csv.bz2", ".tsv.xz", ".csv.zip", ".npz.gz")


@pytest.mark.parametrize("suffix", WRITTEN)
def test_round_trip(tmp_path, suffix):
    some().to_file(tmp_path / f"a{suffix}")
    assert_same(Trajectories.from_file(tmp_path / f"a{suffix}"), some())


def test_kinds_that_are_only_read(tmp_path):
    with pytest.raises(ValueError, match=r"read, not written. Write .npz"):
        some().to_file(tmp_path / "a.npy")


def test_excel(tmp_path):
    pytest.importorskip("openpyxl")
    some().to_file(tmp_path / "a.xlsx")
    assert_same(Trajectories.from_file(tmp_path / "a.xlsx"), some())


def test_a_sheet_a_run(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        for run, table in some().to_frame().groupby("run"):
            table.drop(columns="run").rename(columns={"x": "x (m)"}).to_excel(
                book, sheet_name=f"swing {run}", index=False
            )
        pd.DataFrame({"notes": ["by hand"]}).to_excel(book, sheet_name="notes", index=False)
    found = Trajectories.from_file(path)
    assert_same(found, some())
    assert list(found.run_ids) == ["swing 0", "swing 1", "swing 2"]


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    with pytest.raises(ValueError, match=r"need the package openpyxl.*pip install") as caught:
        Trajectories.from_file(tmp_path / "a.xlsx")
    assert isinstance(caught.value, ImportError)


def test_matlab(tmp_path):
    from scipy.io import savemat

    runs, column = some()[0], {"t": 0.1 * np.arange(5)[:, None]}
    x, v = block()[0].T
    savemat(tmp_path / "columns.mat", {**column, "x": x, "v": v, "g": 9.81})
    assert_same(Trajectories.from_file(tmp_path / "columns.mat"), runs)
    cell = np.empty(3, dtype=object)
    cell[:] = list(block())
    savemat(tmp_path / "cell.mat", {"runs": cell})
    found = Trajectories.from_file(tmp_path / "cell.mat", time="steps")
    np.testing.assert_allclose(found.states, block())
    savemat(tmp_path / "struct.mat", {"s": {"t": 1}})
    with pytest.raises(ValueError, match="structures"):
        Trajectories.from_file(tmp_path / "struct.mat")


def test_arrays_with_names_of_their_own(tmp_path):
    t, (x, v) = 0.1 * np.arange(5), np.moveaxis(block(), -1, 0)
    np.savez(tmp_path / "grid.npz", t=t, x=x, v=v)
    assert_same(Trajectories.from_file(tmp_path / "grid.npz"), some())


def test_an_array_of_numbers(tmp_path):
    np.save(tmp_path / "cube.npy", block())
    np.testing.assert_array_equal(Trajectories.from_file(tmp_path / "cube.npy").states, block())
    clock = np.tile(0.1 * np.arange(5)[:, None], (3, 1, 1))
    np.save(tmp_path / "timed.npy", np.concatenate([clock, block()], axis=-1))
    with pytest.raises(ValueError, match="as times do"):
        Trajectories.from_file(tmp_path / "timed.npy")
    np.save(tmp_path / "one.npy", np.c_[0.1 * np.arange(5), block()[0]])
    with pytest.raises(ValueError, match=r"no titles.*time='x0'"):
        Trajectories.from_file(tmp_path / "one.npy")
    found = Trajectories.from_file(tmp_path / "one.npy", time="x0")
    np.testing.assert_array_equal(found.rows, block()[0])


@pytest.mark.parametrize("name", ["a.npy", "a.mat"])
def test_nothing_is_unpickled(tmp_path, name):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "a.mat").write_bytes((tmp_path / "a.npy").read_bytes())
    with pytest.raises(ValueError, match="could not be read"):
        Trajectories.from_file(tmp_path / name)


def folder_of(tmp_path):
    for run, table in some().to_frame().groupby("run"):
        table.drop(columns="run").to_csv(tmp_path / f"orbit{9 + run}.csv", index=False)
    (tmp_path / "README.txt").write_text("masses of 1.2 kg")
    return tmp_path


@pytest.mark.parametrize("pattern", ["", "*.csv", "orbit[0-9]*.csv"])
def test_a_file_a_run(tmp_path, pattern):
    found = Trajectories.from_file(folder_of(tmp_path) / pattern)
    assert_same(found, some())
    assert list(found.run_ids) == ["orbit9", "orbit10", "orbit11"]


def test_files_with_several_runs(tmp_path):
    some().to_file(tmp_path / "a.csv")
    some()[:2].to_file(tmp_path / "b.csv")
    assert list(Trajectories.from_file(tmp_path).run_ids) == ["a/0", "a/1", "a/2", "b/0", "b/1"]


def test_folders_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no file of runs"):
        Trajectories.from_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="Check the pattern"):
        Trajectories.from_file(tmp_path / "*.csv")
    some().to_file(folder_of(tmp_path) / "all.npz")
    with pytest.raises(ValueError, match=r"several kinds \(csv, npz\)"):
        Trajectories.from_file(tmp_path)
    (tmp_path / "orbit12.csv").write_text("t,x,w\n0,1,2\n1,2,1\n")
    with pytest.raises(ValueError, match=r"orbit12 has the coordinates x, w, orbit9 has x, v"):
        Trajectories.from_file(tmp_path / "*.csv")


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npz", ".csv.gz", ".parquet"])
def test_standard_input(tmp_path, monkeypatch, suffix):
    some().to_file(tmp_path / f"a{suffix}")
    given = io.BytesIO((tmp_path / f"a{suffix}").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(given))
    assert_same(Trajectories.from_file("-"), some())


def test_a_unit_of_degrees_is_kept(tmp_path):
    """Temperatures have other degrees; runs in radians have none left."""
    (tmp_path / "a.csv").write_text("run,t,a (deg),w [°/s],h (deg C)\n0,0,10,1,20\n0,1,20,2,21\n")
    runs = Trajectories.from_file(tmp_path / "a.csv")
    assert runs.names == ("a", "w", "h") and runs.in_degrees == ("a", "w")
    assert runs[[0]].in_degrees == ("a", "w") and runs.of_columns([1, 2]).in_degrees == ("w",)
    assert runs.in_radians(["a", "w"]).in_degrees == ()
    frame = pd.DataFrame({"t": [0.0, 1.0], "b in degrees": [1.0, 2.0]})
    assert Trajectories.from_frame(frame).in_degrees == ("b in degrees",)


def test_units_of_titles_are_kept(tmp_path):
    """For the axes of pictures; a pure number has none, and radians are no degrees."""
    text = ",run,t / s,a (deg),x [m],n [-]\n0,0,0,10,1,20\n1,0,1,20,2,21\n"
    (tmp_path / "a.csv").write_text(text)
    runs = Trajectories.from_file(tmp_path / "a.csv")
    units = {"time": "s", "a": "deg", "x": "m"}
    assert runs.names == ("a", "x", "n") and runs.units == runs[[0]].units == units
    # The column that counts rows has no title, and shifts none of the others.
    assert runs.in_degrees == ("a",)
    assert runs.of_columns([1, 2]).units == {"time": "s", "x": "m"}
    assert runs.in_radians("a").units == {"time": "s", "x": "m"}
    assert Trajectories.joined({"one": runs, "two": runs}).units == units
    assert some().units == {}
