"""Samples without a value are left out where a mask or the user says so, and counted."""

import numpy as np
import pandas as pd
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets

RUNS, STEPS = 6, 9


def states():
    return np.random.default_rng(0).standard_normal((RUNS, STEPS, 2))


def with_holes():
    out = states()
    out[1, 3:5, 0] = np.nan
    out[4, 8, 1] = np.inf
    return out


def test_holes_are_dropped_where_the_user_says_so():
    runs = Trajectories(states=with_holes(), missing="drop")
    assert runs.lengths.tolist() == [9, 7, 9, 9, 8, 9]
    assert runs[1].times.tolist() == [[0, 1, 2, 5, 6, 7, 8]]
    assert runs.remarks == ("3 samples without a value (x0, x1) left out",)
    assert runs[2].remarks == runs.remarks
    with pytest.raises(ValueError, match=r"hold NaN at run 1, row 3.*missing='drop'"):
        Trajectories(states=with_holes())


@pytest.mark.parametrize("as_list", [False, True])
def test_a_mask_says_so(as_list):
    values = np.where(np.isfinite(with_holes()), with_holes(), -7.0)
    masked = np.ma.masked_equal(values, -7.0)
    runs = Trajectories(states=list(masked) if as_list else masked)
    assert runs.lengths.tolist() == [9, 7, 9, 9, 8, 9]
    assert runs.remarks == ("3 samples without a value (x0, x1) left out",)


def test_what_a_mask_does_not_hide_is_refused():
    values = np.ma.array(with_holes(), mask=False)
    values.mask[1, 3:5, 0] = True
    with pytest.raises(ValueError, match="hold inf at run 4, row 8"):
        Trajectories(states=values)


def test_masked_times():
    times = np.ma.array(np.arange(STEPS, dtype=float), mask=np.arange(STEPS) == 2)
    runs = Trajectories(states=states(), times=times)
    assert runs.lengths.tolist() == [STEPS - 1] * RUNS
    assert runs.remarks == ("6 samples without a time of their own left out",)


def test_rows_and_their_mask():
    rows = np.ma.masked_invalid(with_holes().reshape(-1, 2))
    groups = np.repeat(np.arange(RUNS), STEPS)
    for order in (slice(None), np.random.default_rng(1).permutation(len(rows))):
        runs = Trajectories.from_rows(rows[order], groups[order])
        assert len(runs.rows) == RUNS * STEPS - 3 and np.isfinite(runs.rows).all()


def test_a_run_without_a_sample():
    values = states()
    values[2] = np.nan
    runs = Trajectories(states=values, run_ids=list("abcdef"), missing="drop")
    assert runs.run_ids.tolist() == list("abdef")
    assert runs.remarks[1] == "1 run without a sample"


def test_repeated_times():
    times = np.arange(STEPS, dtype=float)
    times[4] = 3
    runs = Trajectories(states=states(), times=times, missing="drop")
    assert runs.lengths.tolist() == [STEPS - 1] * RUNS
    np.testing.assert_array_equal(runs.states, np.delete(states(), 4, axis=1))
    said = "6 samples with the time of the one before and other values left out"
    assert runs.remarks == (f"{said}: the first at a time is kept",)


def test_rows_that_are_written_twice():
    twice, times = np.repeat(states(), 2, axis=1), np.repeat(np.arange(STEPS), 2)
    runs = Trajectories(states=twice, times=times)
    np.testing.assert_array_equal(runs.states, states())


@pytest.mark.parametrize("kind", ["float64", "Float64", "object"])
def test_tables(kind):
    frame = Trajectories(states=states(), names=["x", "u"]).to_frame()
    frame["x"] = frame["x"].astype(kind)
    frame.loc[[3, 20], "x"] = None if kind == "object" else pd.NA if kind == "Float64" else np.nan
    with pytest.raises(ValueError, match="missing='drop'"):
        Trajectories.from_frame(frame)
    runs = Trajectories.from_frame(frame, missing="drop")
    assert len(runs.rows) == RUNS * STEPS - 2
    assert runs.remarks == ("2 samples without a value (x) left out",)


def test_files(tmp_path):
    frame = Trajectories(states=states(), names=["x", "u"]).to_frame()
    frame.loc[5, "u"] = np.nan
    frame.to_csv(tmp_path / "runs.csv", index=False)
    assert len(Trajectories.from_file(tmp_path / "runs.csv", missing="drop").rows) == 53


@pytest.mark.parametrize("missing", ["skip", None, True, 1])
def test_what_else_may_not_be_said(missing):
    with pytest.raises(ValueError, match="Expected 'raise', or 'drop'"):
        Trajectories(states=states(), missing=missing)


def test_nothing_is_left():
    with pytest.raises(ValueError, match="no sample has a value in every column"):
        Trajectories(states=np.full((3, 5, 2), np.nan), missing="drop")


def test_the_finder_leaves_them_out():
    runs = datasets.load("harmonic_oscillator", 24, 60, noise=0.01, seed=1)
    rows = runs.rows.copy()
    rows[30:50, 0] = np.nan
    given = {"groups": runs.groups, "times": runs.row_times}
    masked = ConservedQuantityFinder(random_state=0).fit(np.ma.masked_invalid(rows), **given)
    dropped = ConservedQuantityFinder(random_state=0, missing="drop").fit(rows, **given)
    for finder in (masked, dropped):
        assert finder.n_conserved_ == 1
        assert "20 samples without a value (x0) left out" in finder.report_.title
    assert np.isnan(masked.transform(np.ma.masked_invalid(rows))[:, 0]).sum() == 20
    assert np.isnan(dropped.transform(rows)[:, 0]).sum() == 20
    with pytest.raises(ValueError, match="NaN"):
        ConservedQuantityFinder(random_state=0).fit(rows, **given)
