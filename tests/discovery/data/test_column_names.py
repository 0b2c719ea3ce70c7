"""Usual names of the columns that hold runs and times."""

import pytest

from discovery.data.column_names import RUN_COLUMNS, TIME_COLUMNS, usual_column


@pytest.mark.parametrize(
    ("columns", "run", "time"),
    [
        (["shot", "clock", "pos", "vel"], "shot", "clock"),
        (["Sim ID", "time_step", "x"], "Sim ID", "time_step"),
        (["Trial No", "t [s]", "x"], "Trial No", "t [s]"),
        (["shots_fired", "clocks", "x"], None, None),
        (["T [K]", "x"], None, None),
    ],
)
def test_usual_names(columns, run, time):
    assert usual_column(columns, RUN_COLUMNS) == run
    assert usual_column(columns, TIME_COLUMNS) == time
