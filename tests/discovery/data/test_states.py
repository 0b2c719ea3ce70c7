"""States by the names of their coordinates, in whatever they come."""

import numpy as np
import pandas as pd
import pytest
import xarray

from discovery import Trajectories
from discovery.data.states import coordinates

NAMES = ("x", "y", "u")
ROWS = np.arange(12.0).reshape(4, 3)
ORDER = [2, 0, 1]
TURNED = [NAMES[i] for i in ORDER]

HOLDERS = {
    "a table": pd.DataFrame(ROWS[:, ORDER], columns=TURNED).assign(more=0.0),
    "runs": Trajectories(ROWS[None][..., ORDER], names=TURNED),
    "labels": xarray.DataArray(ROWS[:, ORDER], dims=("row", "c"), coords={"c": TURNED}),
    "columns": dict(zip(TURNED, ROWS.T[ORDER], strict=True)),
    "an array": ROWS,
    "no labels": xarray.DataArray(ROWS, dims=("row", "c")),
    "numbers": xarray.DataArray(ROWS, dims=("row", "c"), coords={"c": [7, 8, 9]}),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_coordinates_by_name(kind):
    np.testing.assert_array_equal(coordinates(HOLDERS[kind], NAMES), ROWS)


def test_one_state_by_name():
    assert coordinates({"u": 3, "x": 1, "y": 2}, NAMES).tolist() == [1, 2, 3]
    assert coordinates(pd.Series({"u": 3, "x": 1, "y": 2})[["x", "y", "u"]], NAMES).tolist() == [
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("kind", ["a table", "runs", "labels", "columns"])
def test_names_that_are_not_there(kind):
    with pytest.raises(ValueError, match="no coordinate 'v'"):
        coordinates(HOLDERS[kind], ("x", "v"))
