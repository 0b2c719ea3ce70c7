"""Trajectories: what goes in comes out, whole runs stay whole, bad input is named."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from discovery.data.readiness import check_for_analysis
from discovery.data.trajectories import Trajectories


def block(runs=5, steps=7, dim=2, seed=0):
    return np.random.default_rng(seed).standard_normal((runs, steps, dim))


def uneven():
    states = block()
    return Trajectories(
        states=[states[0], states[1][:4], states[2]],
        times=[np.arange(7.0), [0.0, 0.1, 0.5, 2.0], np.arange(7.0) - 3],
        names=["q", "p"],
        roles=["position", None],
        run_ids=["b", "a", "c"],
    )


def even():
    return Trajectories(states=block(), times=0.1 * np.arange(7), names=["q", "p"])


def assert_same(one, other, roles=True):
    # Some pandas releases read decimals to within one unit in the last place.
    np.testing.assert_allclose(one.rows, other.rows, rtol=4e-16, atol=0)
    np.testing.assert_allclose(one.row_times, other.row_times, rtol=4e-16, atol=0)
    np.testing.assert_array_equal(one.offsets, other.offsets)
    np.testing.assert_array_equal(one.run_ids, other.run_ids)
    assert one.names == other.names
    if roles:
        assert one.roles == other.roles


def test_equal_runs_are_a_block():
    runs = Trajectories(states=block())
    np.testing.assert_array_equal(runs.states, block())
    np.testing.assert_array_equal(runs.times, np.tile(np.arange(7), (5, 1)))
    assert (runs.n_runs, runs.dim, len(runs)) == (5, 2, 5)
    assert runs.names == ("x0", "x1")
    assert runs.roles is None
    assert runs.truth == {}
    np.testing.assert_array_equal(runs.groups, np.repeat(np.arange(5), 7))
    assert runs.summary() == "5 runs × 7 samples, coordinates x0, x1"
    assert repr(runs) == f"Trajectories({runs.summary()})"


def test_unequal_runs_are_a_list():
    runs = uneven()
    assert [len(run) for run in runs.states] == [7, 4, 7]
    np.testing.assert_array_equal(runs.lengths, [7, 4, 7])
    np.testing.assert_array_equal(runs.times[1], [0.0, 0.1, 0.5, 2.0])
    np.testing.assert_array_equal(runs.states[1], block()[1][:4])
    assert "4 to 7 samples" in repr(runs)


def test_its_rows_are_its_own():
    states = block()
    runs = Trajectories(states=states)
    states[:] = 0
    assert np.abs(runs.rows).min() > 0


@pytest.mark.parametrize(
    ("which", "ids"),
    [
        (1, [1]),
        (-1, [4]),
        (slice(1, 4, 2), [1, 3]),
        ([3, 0], [3, 0]),
        (np.array([True, False, False, True, True]), [0, 3, 4]),
    ],
)
def test_slicing_by_run(which, ids):
    runs = Trajectories(states=block(), roles=["position", "momentum"])
    runs.truth, runs.name = {"E": lambda s: s[..., 0]}, "toy"
    part = runs[which]
    np.testing.assert_array_equal(part.states, block()[ids])
    np.testing.assert_array_equal(part.run_ids, ids)
    assert (part.roles, part.name, list(part.truth)) == (runs.roles, "toy", ["E"])
    assert part.summary().startswith("toy: ")


def test_split_parts_the_runs():
    runs = Trajectories(states=block(runs=10))
    first, second = runs.split(0.7, random_state=3)
    assert (first.n_runs, second.n_runs) == (7, 3)
    assert sorted([*first.run_ids, *second.run_ids]) == list(range(10))
    np.testing.assert_array_equal(first.run_ids, runs.split(0.7, random_state=3)[0].run_ids)
    assert runs.split(0.999)[1].n_runs == 1


@pytest.mark.parametrize("make", [even, uneven])
def test_frame_round_trip(make):
    runs = make()
    frame = runs.to_frame()
    assert list(frame.columns) == ["run", "t", "q", "p"]
    assert_same(runs, Trajectories.from_frame(frame, roles=runs.roles))


def test_frame_keeps_interleaved_runs_apart():
    frame = uneven().to_frame()
    mixed = frame.sort_values("t", kind="stable")
    runs = Trajectories.from_frame(mixed, run="run", time="t", roles={"q": "position"})
    assert sorted(runs.run_ids) == ["a", "b", "c"]
    for i, name in enumerate(runs.run_ids):
        np.testing.assert_array_equal(
            np.atleast_2d(runs.states[i]), frame.loc[frame.run == name, ["q", "p"]]
        )


def test_frame_takes_whole_numbers_and_booleans():
    frame = pd.DataFrame({"ID": [1, 1, 2, 2], "Time": [0, 1, 0, 1], "n": [3, 4, 5, 6]})
    frame["on"] = [True, False, True, False]
    runs = Trajectories.from_frame(frame)
    assert runs.names == ("n", "on")
    np.testing.assert_array_equal(runs.rows[:, 1], [1, 0, 1, 0])


def test_frame_with_dates_counts_seconds():
    frame = even().to_frame()
    start = pd.Timestamp("2026-01-01", tz="UTC")
    dated = frame.assign(t=start + pd.to_timedelta(frame.t, unit="min"))
    runs = Trajectories.from_frame(dated)
    np.testing.assert_allclose(runs.row_times, 60 * frame.t, atol=1e-9)


def test_csv_written_with_its_index(tmp_path):
    even().to_frame().to_csv(tmp_path / "a.csv")
    assert Trajectories.from_file(tmp_path / "a.csv").names == ("q", "p")


@pytest.mark.parametrize("make", [even, uneven])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet", ".npz", ".h5", ".hdf5"])
def test_file_round_trip(tmp_path, make, suffix):
    runs = make()
    path = tmp_path / f"runs{suffix}"
    runs.to_file(path)
    assert_same(runs, Trajectories.from_file(path, roles=runs.roles))
    if suffix in (".npz", ".h5"):
        assert Trajectories.from_file(path).roles == runs.roles


@pytest.mark.parametrize("make", [even, uneven])
def test_arrays_round_trip(make):
    runs = make()
    assert_same(runs, Trajectories.from_arrays(runs.to_arrays()))
    other = Trajectories.from_arrays(runs.to_arrays(), names=["a", "b"], roles=["angle", None])
    assert (other.names, other.roles) == (("a", "b"), ("angle", None))


def test_array_file_of_rows_with_its_own_keys(tmp_path):
    np.savez(tmp_path / "a.npz", X=block()[0], cell=[1, 1, 1, 2, 2, 2, 2], clock=np.arange(7))
    runs = Trajectories.from_file(tmp_path / "a.npz", run="cell", time="clock", names=["q", "p"])
    np.testing.assert_array_equal(runs.lengths, [3, 4])
    assert runs.names == ("q", "p")


def test_check_for_analysis_accepts_good_runs():
    check_for_analysis(Trajectories(states=block()))


def test_import_loads_no_backend():
    code = (
        "import sys, discovery; assert not {'tensorflow', 'keras', 'jax', 'pandas', 'sympy'}"
        " & set(sys.modules); discovery.Trajectories; discovery.datasets.names();"
        " assert not {'tensorflow', 'keras', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rows_without_run_ids():
    """One run; where time goes back another one starts."""
    rows, times = np.arange(14.0).reshape(7, 2), np.array([0, 1, 2, 3, 0, 1, 2])
    assert Trajectories.from_rows(rows).lengths.tolist() == [7]
    assert Trajectories.from_rows(rows, times=times).lengths.tolist() == [4, 3]
    table = pd.DataFrame({"time": times, "x": rows[:, 0]})
    assert Trajectories.from_frame(table).lengths.tolist() == [4, 3]
    assert Trajectories.from_frame(table[:4]).names == ("x",)
    assert Trajectories.from_arrays({"X": rows, "t": times}).lengths.tolist() == [4, 3]


@pytest.mark.parametrize("ids", [[("a", 1), ("a", 2), ("b", 1)], [["a", 1], ["a", 2], ["b", 1]]])
def test_ids_of_several_parts(ids):
    states = np.random.default_rng(0).normal(size=(3, 6, 2))
    runs = Trajectories(states, run_ids=ids)
    assert runs.run_ids.tolist() == ["a/1", "a/2", "b/1"]
    groups = [one for one in ids for _ in range(6)]
    assert Trajectories.from_rows(states.reshape(-1, 2), groups).run_ids.tolist() == [
        "a/1",
        "a/2",
        "b/1",
    ]
    frame = runs.to_frame()
    frame["run"] = groups
    assert Trajectories.from_frame(frame).run_ids.tolist() == ["a/1", "a/2", "b/1"]
