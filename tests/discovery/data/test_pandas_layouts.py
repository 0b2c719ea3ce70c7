"""Runs and times in the index of a table, dates as times, and what is no table."""

import warnings

import numpy as np
import pandas as pd
import pytest

from discovery import ConservedQuantityFinder, Trajectories

T = np.linspace(0, 10, 40)
STATES = np.stack([np.c_[a * np.cos(T + a), -a * np.sin(T + a)] for a in np.linspace(0.5, 2, 12)])
ROWS, GROUPS, TIMES = STATES.reshape(-1, 2), np.repeat(np.arange(12), 40), np.tile(T, 12)
FRAME = pd.DataFrame({"run": GROUPS, "t": TIMES, "x": ROWS[:, 0], "u": ROWS[:, 1]})
DATES = np.datetime64("2026-01-01T00:00:00", "ns") + (TIMES * 1e9).astype("m8[ns]")


@pytest.mark.parametrize("levels", [["run", "t"], ["run"], ["t"]])
def test_runs_and_times_may_stand_in_the_index(levels):
    indexed = FRAME.set_index(levels)
    runs = Trajectories.from_frame(indexed)
    assert runs.n_runs == 12 and runs.names == ("x", "u")
    np.testing.assert_array_equal(runs.row_times, TIMES)
    assert Trajectories.from_frame(indexed, run="run", time="t").n_runs == 12
    assert ConservedQuantityFinder(random_state=0).fit(indexed).n_conserved_ == 1


def test_an_index_that_is_neither_stays_where_it_is():
    labelled = FRAME.set_index(pd.Index(np.arange(480) * 2, name="sample"))
    assert Trajectories.from_frame(labelled).names == ("x", "u")


@pytest.mark.parametrize("names", [["session", "instant"], [None, None]])
def test_levels_that_are_called_neither_are_asked_about(names):
    frame = FRAME.set_index(["run", "t"]).rename_axis(names)
    with pytest.raises(ValueError, match=r"index of 2 levels.*run='\.\.\.', time='\.\.\.'"):
        Trajectories.from_frame(frame)
    if names[0]:
        assert Trajectories.from_frame(frame, run="session", time="instant").n_runs == 12
        # One of the two alone would lose the other without a word.
        with pytest.raises(ValueError, match=r"of which \['instant'\] are called neither"):
            Trajectories.from_frame(frame, run="session")


def test_a_level_that_counts_samples_is_none_to_ask_about():
    counted = FRAME.assign(sample=np.tile(np.arange(40), 12)).set_index(["run", "sample"])
    assert Trajectories.from_frame(counted).names == ("x", "u")


def test_an_index_of_dates_is_the_time():
    frame = FRAME.drop(columns="t").set_index(pd.DatetimeIndex(DATES))
    np.testing.assert_allclose(Trajectories.from_frame(frame).row_times, TIMES, atol=1e-8)


def test_titles_of_several_levels_are_refused():
    frame = FRAME.set_axis(pd.MultiIndex.from_product([["a"], FRAME.columns]), axis=1)
    for read in (Trajectories.from_frame, ConservedQuantityFinder().fit):
        with pytest.raises(ValueError, match="titles have 2 levels"):
            read(frame)


@pytest.mark.parametrize("other", [FRAME.x, ROWS, FRAME.to_dict("list")])
def test_what_is_no_table_is_refused(other):
    with pytest.raises(ValueError, match=r"Expected a pandas\.DataFrame"):
        Trajectories.from_frame(other)


def test_a_dict_is_no_rows():
    with pytest.raises(ValueError, match=r"X is of type dict\. .*pandas\.DataFrame\(X\)"):
        ConservedQuantityFinder().fit(FRAME.to_dict("list"))


def test_a_list_of_tables_is_refused_with_a_way_that_works():
    tables = [run[["t", "x", "u"]] for _, run in FRAME.groupby("run")]
    tables[1] = tables[1][["u", "t", "x"]]
    with pytest.raises(ValueError, match="list of tables") as told:
        Trajectories(tables)
    assert "pandas.concat(dict(enumerate(tables)), names=['run'])" in str(told.value)
    runs = Trajectories.from_frame(pd.concat(dict(enumerate(tables)), names=["run"]))
    np.testing.assert_array_equal(runs.rows, ROWS)


@pytest.mark.parametrize("absent", [np.nan, None, pd.NA])
def test_rows_without_a_run_are_refused(absent):
    with pytest.raises(ValueError, match="no run id at row 40"):
        ConservedQuantityFinder().fit(
            FRAME.assign(run=FRAME.run.astype(object).where(GROUPS != 1, absent))
        )
    groups = [absent if g == 1 else g for g in GROUPS]
    with pytest.raises(ValueError, match="row 40 has no run"):
        ConservedQuantityFinder().fit(ROWS, groups=groups)


@pytest.mark.parametrize(
    ("column", "words"),
    [("text", "column 'more' is not numbers: row 0"), (DATES, "column 'more' holds dates")],
)
def test_fit_tells_the_column_that_is_no_numbers(column, words):
    with pytest.raises(ValueError, match=words):
        ConservedQuantityFinder().fit(FRAME.assign(more=column))


def test_fit_refuses_a_repeated_column():
    with pytest.raises(ValueError, match=r"repeats the columns \['x'\]"):
        ConservedQuantityFinder().fit(pd.concat([FRAME, FRAME[["x"]]], axis=1))


def test_dates_are_seconds_since_the_first():
    runs = Trajectories(STATES, DATES.reshape(12, 40))
    np.testing.assert_allclose(runs.row_times, TIMES, atol=1e-8)
    later = [DATES[:40], DATES[:40] + np.timedelta64(2, "s")]
    runs = Trajectories(list(STATES[:2]), later)
    assert runs.row_times[40] == 2
    rows = Trajectories.from_rows(ROWS, GROUPS, DATES - DATES[0])
    np.testing.assert_allclose(rows.row_times, TIMES, atol=1e-8)


def test_infinities_are_told_without_a_warning():
    rows = ROWS.copy()
    rows[5:7, 0] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="states hold inf"):
            ConservedQuantityFinder().fit(rows, groups=GROUPS)


def test_an_empty_name_is_refused():
    with pytest.raises(ValueError, match="names has an empty one"):
        Trajectories(STATES, names=["x", ""])
