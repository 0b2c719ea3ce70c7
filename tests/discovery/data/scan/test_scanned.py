"""Runs in Parquet files: found wherever their rows are, read when needed, refused clearly."""

import pickle

import numpy as np
import pandas as pd
import pytest

from discovery import Trajectories
from discovery.data.row_limit import drawn_from

RUNS, STEPS = 12, 30


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(RUNS, STEPS, 2)).cumsum(axis=1)
    return Trajectories(states=states, times=0.1 * np.arange(STEPS), names=["x", "v"])


def read(scan, max_rows=10**6, runs=None):
    """All pieces, as one."""
    parts = [piece.read() for piece in scan.pieces(max_rows, runs)]
    rows = np.concatenate([part.rows for part in parts])
    return rows, np.concatenate([part.run_ids for part in parts]), parts


def by_run(frame, folder):
    for run, own in frame.groupby("run"):
        own.drop(columns="run").to_parquet(folder / f"orbit{run}.parquet", row_group_size=7)


def by_time(frame, folder):
    """Each file holds a stretch of time of all runs."""
    frame = frame.sort_values("t", kind="stable")
    for k, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_parquet(folder / f"part{k}.parquet", row_group_size=50)


def own_numbers(frame, folder):
    """Each file counts its runs from 0."""
    for k in range(3):
        own = frame[frame.run // 4 == k]
        own.assign(run=own.run % 4).to_parquet(folder / f"part{k}.parquet", row_group_size=40)


def one_file(frame, folder):
    frame.drop(columns="run").to_parquet(folder / "all.parquet", row_group_size=77)


def partitioned(frame, folder):
    frame.to_parquet(folder, partition_cols=["run"])


def as_text(frame, folder):
    frame.assign(run=frame.run.astype(str).astype("category")).to_parquet(folder / "a.parquet")


@pytest.mark.parametrize(
    "write",
    [by_run, by_time, own_numbers, one_file, partitioned, as_text],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("max_rows", [100, 10**6])
def test_runs_are_found_wherever_their_rows_are(write, max_rows, runs, tmp_path):
    write(runs.to_frame(), tmp_path)
    scan = Trajectories.scan(tmp_path)
    assert (scan.n_runs, scan.n_rows, scan.names) == (RUNS, RUNS * STEPS, ("x", "v"))
    rows, ids, parts = read(scan, max_rows)
    np.testing.assert_array_equal(rows, runs.rows)
    np.testing.assert_array_equal(ids, scan.run_ids)
    assert len(parts) == (4 if max_rows == 100 else 1)
    assert all(len(part.rows) <= max_rows for part in parts)


def test_ids_tell_the_file(runs, tmp_path):
    own_numbers(runs.to_frame(), tmp_path)
    assert Trajectories.scan(tmp_path).run_ids[5] == "part1/1"
    (tmp_path / "x").mkdir()
    by_run(runs.to_frame(), tmp_path / "x")
    # In the order of numbers, not of letters.
    assert Trajectories.scan(tmp_path / "x").run_ids[10] == "orbit10"


def test_files_without_rows_and_folders_above(runs, tmp_path):
    # A folder's name tells of the runs in it only within what is scanned.
    folder = tmp_path / "a=1"
    folder.mkdir()
    frame = runs.to_frame()
    frame[:0].to_parquet(folder / "0.parquet")
    frame[frame.run < 6].to_parquet(folder / "1.parquet")
    frame[frame.run >= 6].assign(w=1.0).to_parquet(folder / "2.parquet")
    scan = Trajectories.scan(folder / "[01].parquet")
    assert (scan.names, scan.n_rows, scan.n_runs) == (("x", "v"), RUNS * STEPS // 2, RUNS // 2)
    scan = Trajectories.scan(folder, names=["x", "v"])
    assert len(read(scan)[0]) == RUNS * STEPS


def test_nothing_but_titles_is_read_at_first(runs, tmp_path):
    frame = runs.to_frame().assign(x="no number")
    frame.to_parquet(tmp_path / "a.parquet")
    scan = Trajectories.scan(tmp_path)
    assert scan.n_rows == RUNS * STEPS
    with pytest.raises(ValueError, match=r"a\.parquet: column 'x' is not numbers"):
        read(scan)


def test_a_piece_can_be_sent(runs, tmp_path):
    by_time(runs.to_frame(), tmp_path)
    piece = pickle.loads(pickle.dumps(Trajectories.scan(tmp_path).pieces(100)[1]))
    np.testing.assert_array_equal(piece.read().rows, runs[3:6].rows)


def test_the_sample_is_drawn_from_all_files(runs, tmp_path):
    states = np.arange(1000 * 20 * 2, dtype=float).reshape(1000, 20, 2)
    many = Trajectories(states=states, names=["x", "v"])
    for k in range(4):
        many[250 * k : 250 * (k + 1)].to_file(tmp_path / f"p{k}.parquet")
    scan = Trajectories.scan(tmp_path)
    some = drawn_from(scan, 10_000, np.random.default_rng(0))
    assert len(some.rows) == 10_000 and set(some.lengths) == {20}
    np.testing.assert_array_equal(some.states, states[some.run_ids])
    assert np.bincount(some.run_ids // 250).min() > 90
    again = drawn_from(scan, 10_000, np.random.default_rng(0))
    np.testing.assert_array_equal(some.run_ids, again.run_ids)
    # Of few and long runs stretches.
    few = drawn_from(Trajectories.scan(tmp_path / "p0.parquet"), 1000, np.random.default_rng(0))
    assert few.n_runs == 200 and set(few.lengths) == {5}


def mixed_kinds(frame, folder):
    frame[frame.run < 6].to_parquet(folder / "a.parquet")
    frame[frame.run >= 6].assign(v="0.1").to_parquet(folder / "b.parquet")


def other_columns(frame, folder):
    frame[frame.run < 6].to_parquet(folder / "a.parquet")
    frame[frame.run >= 6].rename(columns={"v": "w"}).to_parquet(folder / "b.parquet")


def unsorted(frame, folder):
    frame[::-1].to_parquet(folder / "a.parquet")


def without_id(frame, folder):
    frame.assign(run=frame.run.where(frame.index != 40)).to_parquet(folder / "a.parquet")


def without_value(frame, folder):
    frame.assign(x=frame.x.where(frame.index != 40)).to_parquet(folder / "a.parquet")


def short(frame, folder):
    frame[(frame.run > 0) | (frame.t < 0.15)].to_parquet(folder / "a.parquet")


def half_going_on(frame, folder):
    late = (frame.run % 2 == 0) & (frame.t > 1)
    frame[~late].to_parquet(folder / "a.parquet")
    frame[late | (frame.run == 1)].to_parquet(folder / "b.parquet")


def damaged(frame, folder):
    (folder / "a.parquet").write_bytes(b"PAR1 nothing")


def cut_off(frame, folder):
    for k in range(3):
        frame[frame.run % 3 == k].to_parquet(folder / f"{k}.parquet")
    whole = (folder / "1.parquet").read_bytes()
    (folder / "1.parquet").write_bytes(whole[: len(whole) // 2])


def garbled(frame, folder):
    for k in range(3):
        frame[frame.run % 3 == k].to_parquet(folder / f"{k}.parquet")
    whole = (folder / "1.parquet").read_bytes()
    (folder / "1.parquet").write_bytes(whole[:10] + bytes(300) + whole[310:])


def one_more_column(frame, folder):
    frame[frame.run < 6].to_parquet(folder / "a.parquet")
    frame[frame.run >= 6].assign(w=1.0).to_parquet(folder / "b.parquet")


def empty(frame, folder):
    frame[:0].to_parquet(folder / "a.parquet")


def nothing(frame, folder):
    (folder / "a.csv").write_text("x,v\n1,2\n")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (mixed_kinds, "column 'v' holds text in .*b.parquet and numbers"),
        (other_columns, "b.parquet has the columns run, t, x, w, and no 'v'"),
        (unsorted, "time goes back .*sort them"),
        (without_id, "no run id at row 40"),
        (without_value, "a.parquet: states hold NaN at run 1, row 10, coordinate 'x'"),
        (short, "run 0 has 2 samples"),
        (half_going_on, "run 0 goes on in another file, and run 1 starts anew"),
        (damaged, "could not be read as parquet"),
        (cut_off, "1.parquet could not be read as parquet: .*leave it out"),
        (garbled, "1.parquet could not be read as parquet"),
        (one_more_column, "b.parquet has the columns w, which the first file has not"),
        (empty, "no rows"),
        (nothing, "holds no Parquet file"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_wrong_is_said(write, message, runs, tmp_path):
    write(runs.to_frame(), tmp_path)
    with pytest.raises(ValueError, match=message):
        read(Trajectories.scan(tmp_path))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"run": "orbit"}, "run='orbit' is no column"),
        ({"time": "clock"}, "time='clock' is no column"),
        ({"names": ["q"]}, "names='q' is no column"),
        ({"missing": "ignore"}, "missing"),
    ],
)
def test_columns_that_are_not_there(given, message, runs, tmp_path):
    runs.to_file(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=message):
        Trajectories.scan(tmp_path, **given)


def test_no_such_place(tmp_path):
    for path in (tmp_path / "none", tmp_path / "*.parquet"):
        with pytest.raises(FileNotFoundError, match=r"no such file|no file is called so"):
            Trajectories.scan(path)
    pd.DataFrame({"x": [1.0]}).to_csv(tmp_path / "a.csv")
    with pytest.raises(ValueError, match="no Parquet file"):
        Trajectories.scan(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.h5", "a.zarr"])
def test_arrays_are_written_anew(name, runs, tmp_path):
    """The message says how, and that gives the runs, in pieces."""
    (tmp_path / "a.zarr").mkdir()
    runs.to_file(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=r"HDF5, Zarr.* Trajectories\(states\[a:b\], times"):
        Trajectories.scan(tmp_path / name)


def test_labelled_arrays_some_runs_at_a_time(runs, tmp_path):
    xarray = pytest.importorskip("xarray")
    states, times = np.stack(runs.states), runs.times[0]
    data = xarray.Dataset(
        {name: (("run", "t"), states[..., k]) for k, name in enumerate(runs.names)}, {"t": times}
    )
    for a in range(0, runs.n_runs, 2):
        some = Trajectories.from_xarray(data.isel(run=slice(a, a + 2)))
        some.to_file(tmp_path / f"part{a}.parquet")
    rows, ids, _ = read(Trajectories.scan(tmp_path))
    np.testing.assert_array_equal(rows, states.reshape(len(rows), -1))
    assert len(set(ids)) == runs.n_runs


def test_samples_without_a_value_may_be_left_out(runs, tmp_path):
    without_value(runs.to_frame(), tmp_path)
    rows, _, _ = read(Trajectories.scan(tmp_path, missing="drop", roles={"x": "position"}))
    assert len(rows) == RUNS * STEPS - 1


def test_a_scan_is_no_array(runs, tmp_path):
    from discovery import ConservedQuantityFinder

    runs.to_file(tmp_path / "a.parquet")
    finder = ConservedQuantityFinder(random_state=0).fit(runs)
    with pytest.raises(ValueError, match=r"pieces\(100_000\)"):
        finder.transform(Trajectories.scan(tmp_path))
