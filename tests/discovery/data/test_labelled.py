"""Labelled arrays: dimensions in any order, fields on a grid, and what is refused."""

import numpy as np
import pytest
import xarray

from discovery import Trajectories


def data(**changes):
    rng = np.random.default_rng(0)
    coords = {
        "run": ["a", "b"],
        "time": np.array(["2026-01-01T00", "2026-01-01T01"], dtype="datetime64[s]"),
        "y": 0.5 * np.arange(8),
        "x": 0.25 * np.arange(9),
    } | changes
    fields = {name: (("x", "y", "time", "run"), rng.normal(size=(9, 8, 2, 2))) for name in "hw"}
    return xarray.Dataset(fields, coords)


def test_fields_in_a_plane():
    given = data()
    runs = Trajectories.from_xarray(given)
    assert runs.n_runs == 2 and runs.run_ids.tolist() == ["a", "b"] and runs.dim == 144
    assert runs.grid_spacing == (0.5, 0.25) and set(runs.roles) == {"field"}
    assert runs.times[0].tolist() == [0, 3600]
    column = runs.names.index("w_3_7")
    assert runs.states[1, 0, column] == given.w.sel(run="b", y=1.0, x=1.5).isel(time=0)


def test_one_run_of_a_field_on_a_line():
    line = data().h.isel(run=0, y=0, drop=True)
    runs = Trajectories.from_xarray(line)
    assert runs.n_runs == 1 and runs.names[:2] == ("h1", "h2") and runs.grid_spacing == 0.25


def test_coordinates_without_space():
    runs = Trajectories.from_xarray(data().isel(x=0, y=0), roles={"h": "position"})
    assert runs.names == ("h", "w") and runs.roles == ("position", None)


def test_a_variable_on_runs_alone_is_a_parameter():
    flat = data().isel(x=0, y=0)
    runs = Trajectories.from_xarray(
        flat.assign(length=("run", np.arange(float(flat.sizes["run"]))))
    )
    assert runs.names == ("h", "w", "length")
    assert [np.ptp(states[:, 2]) for states in runs.states] == [0.0] * len(runs)
    assert [states[0, 2] for states in runs.states] == list(range(len(runs)))


def test_coordinates_beside_a_field():
    """Variables without the dimension of space are columns beside it, in any order."""
    line = data().isel(y=0, drop=True)
    place = (("time", "run"), np.arange(4.0).reshape(2, 2))
    given = line[["h"]].assign(q=place, mass=("run", [3.0, 4.0]), w=line.w)
    runs = Trajectories.from_xarray(given, roles={"q": "position"})
    assert runs.names == (*(f"{f}{p}" for f in "hw" for p in range(1, 10)), "q", "mass")
    assert runs.roles == ("field",) * 18 + ("position", None) and runs.grid_spacing == 0.25
    assert runs.states[1, :, 18].tolist() == [1, 3]
    assert runs.states[:, 0, 19].tolist() == [3, 4]
    assert runs.states[1, 0, 10] == given.w.sel(run="b", x=0.25).isel(time=0)
    one = Trajectories.from_xarray(given.isel(run=0, drop=True))
    assert one.n_runs == 1 and one.states[0, :, 18].tolist() == [0, 2]


MISTAKES = {
    "unequal steps": (data(x=np.arange(9.0) ** 2), {}, "'x' are not equally spaced"),
    "no time": (data().rename(time="s1"), {}, "called like a time"),
    "no such dimension": (data(), {"run": "trial"}, "'trial' is no dimension"),
    "unlike variables": (data().assign(m=("x", np.zeros(9))), {}, "has the dimensions x"),
    "no variables": (data()[[]], {}, "no variables"),
    "no data set": (np.zeros(3), {}, "Expected an xarray"),
}


@pytest.mark.parametrize(("given", "options", "message"), MISTAKES.values(), ids=MISTAKES)
def test_data_sets_that_are_refused(given, options, message):
    with pytest.raises(ValueError, match=message):
        Trajectories.from_xarray(given, **options)
