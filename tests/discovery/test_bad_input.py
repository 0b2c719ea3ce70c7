"""Bad input at the public doors: what was received, what was expected, how to mend it.

`Trajectories` and its files have more of it in test_trajectories_bad_input.py.
"""

import numpy as np
import pytest

import discovery
from discovery import ConservedQuantityFinder, Trajectories, datasets, discover

RUNS, STEPS = 10, 12


def states(runs=RUNS, steps=STEPS, dim=2):
    rng = np.random.default_rng(0)
    t = 0.4 * np.arange(steps)
    amplitude, phase = rng.uniform(0.5, 2, (runs, 1)), rng.uniform(0, 6.3, (runs, 1))
    return np.stack([amplitude * np.cos(t + phase + k) for k in range(dim)], axis=-1)


def with_value(value):
    out = states()
    out[3, 5, 1] = value
    return out


def constant():
    out = states()
    out[..., 1] = 4.0
    return out


def repeated():
    """The second column is the first in other units."""
    out = states()
    out[..., 1] = -1000.0 * out[..., 0]
    return out


def clock(*changes):
    times = np.arange(float(STEPS))
    for place, value in changes:
        times[place] = value
    return times


# For `Trajectories` (and so for all that takes them): the constructor refuses at once.
TRAJECTORIES = {
    "nan": ({"states": with_value(np.nan)}, "hold NaN at run 3, row 5, coordinate 'x1'.*drop"),
    "infinity": ({"states": with_value(np.inf)}, "hold inf at run 3, row 5.*Expected finite"),
    "wrong rank": ({"states": states()[0]}, r"shape \(12, 2\).*Expected \(runs, steps, d\)"),
    "repeated times": ({"times": clock((4, 3.0))}, "time repeats 3 at run 0, row 4.*drop repeated"),
    "decreasing times": ({"times": clock((4, 1.0))}, "goes back to 1 at run 0, row 4.*sort"),
    "unknown role": ({"roles": ["place", None]}, "unknown role 'place'.*Expected one of position"),
}


@pytest.mark.parametrize(("arguments", "message"), TRAJECTORIES.values(), ids=TRAJECTORIES)
def test_trajectories(arguments, message):
    with pytest.raises(ValueError, match=message):
        Trajectories(**{"states": states(), **arguments})


# Valid data that no law can be read from: refused by `discover` before anything is trained, and by
# the finder.
UNREADY = {
    "runs of one sample": (states(steps=1), "run 0 has 1 sample .*at least 3"),
    "runs of two samples": (states(steps=2), "run 0 has 2 samples.*leaves them out"),
    "constant coordinate": (constant(), "coordinate '.*' is constant.*leave it out"),
    "huge unit": (states() * [1, 1e200], r"varies by some .e\+199.*another unit"),
    "tiny unit": (states() * [1e-200, 1], r"varies by some .e-201.*another unit"),
    "repeated coordinate": (repeated(), "are the same.*leave one of them out"),
}


@pytest.mark.parametrize(("values", "message"), UNREADY.values(), ids=UNREADY)
@pytest.mark.parametrize("door", ["discover", "finder"])
def test_unready(values, message, door):
    runs = Trajectories(states=values)
    with pytest.raises(ValueError, match=message):
        if door == "discover":
            discover(runs)
        else:
            ConservedQuantityFinder().fit(runs.rows, groups=runs.groups)


# scikit-learn's own checks have its own words; of values that are not finite runs know the place.
FIT = {
    "nan": (
        {"X": with_value(np.nan).reshape(-1, 2)},
        "hold NaN at run 3, row 5, coordinate 'x1'.*missing='drop'",
    ),
    "infinity": ({"X": with_value(np.inf).reshape(-1, 2)}, "hold inf at run 3, row 5.*finite"),
    "wrong rank": ({"X": states()}, "dim 3"),
    "one row": ({"X": states()[0, :1], "groups": [0]}, "1 sample.*minimum of 2"),
    "text": ({"X": np.full((120, 2), "a")}, "could not convert string to float"),
    "too few groups": ({"groups": np.arange(7)}, r"groups \(7,\)"),
    "repeated times": ({"times": np.tile(clock((4, 3.0)), RUNS)}, "time repeats 3 at run 0, row 4"),
    "decreasing times": ({"times": np.tile(clock((4, 1.0)), RUNS)}, "time goes back to 1"),
    "times of another length": ({"times": np.arange(5)}, "one a row"),
}


@pytest.mark.parametrize(("arguments", "message"), FIT.values(), ids=FIT)
def test_finder_fit(arguments, message):
    good = {"X": states().reshape(-1, 2), "groups": np.repeat(np.arange(RUNS), STEPS)}
    with pytest.raises(ValueError, match=message):
        ConservedQuantityFinder().fit(**good | arguments)


OPTIONS = {
    "unknown library": ({"library": "poly"}, "unknown name 'poly'.*polynomial"),
    "library of strangers": ({"library": ["mass*x0"]}, "'mass' is unknown.*formula in x0"),
    "library of no kind": ({"library": 3}, "received int"),
    "negative noise": ({"noise": -0.1}, "positive or 0 for none"),
    "nan as noise": ({"noise": float("nan")}, "positive or 0 for none"),
    "noise of other dimension": ({"noise": [0.1, 0.2, 0.3]}, r"\(3,\).*each of the 2 coordinates"),
    "text as noise": ({"noise": "low"}, "received 'low'"),
}


@pytest.mark.parametrize(("options", "message"), OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("door", ["discover", "finder"])
def test_options(options, message, door):
    runs = Trajectories(states=states())
    with pytest.raises(ValueError, match=message):
        if door == "discover":
            discover(runs, **options)
        else:
            import pandas as pd

            frame = pd.DataFrame(runs.rows, columns=runs.names)
            ConservedQuantityFinder(**options).fit(frame, groups=runs.groups)


ROLES = {
    "unknown role": (["place", None], "unknown role 'place'.*velocity"),
    "too few roles": (["position"], "one role for each of the 2"),
}


@pytest.mark.parametrize(("roles", "message"), ROLES.values(), ids=ROLES)
def test_finder_roles(roles, message):
    runs = Trajectories(states=states())
    with pytest.raises(ValueError, match=message):
        ConservedQuantityFinder(roles=roles).fit(runs.rows, groups=runs.groups)


@pytest.mark.parametrize("given", [states(), None])
def test_discover_wants_trajectories(given):
    with pytest.raises(ValueError, match=r"expected Trajectories, .*from_frame"):
        discover(given)


def test_discover_takes_the_path_of_a_file(tmp_path):
    with pytest.raises(ValueError, match=r"kepler: unknown kind of file"):
        discover("kepler")
    path = tmp_path / "runs.csv"
    path.write_text("run,t,x,x\n0,0,1,2\n")
    with pytest.raises(ValueError, match=r"repeats the columns \['x'\]"):
        discover(path)


def test_unknown_system():
    with pytest.raises(ValueError, match=r"unknown system 'keppler'. Did you mean 'kepler'"):
        datasets.load("keppler")


FILES = {
    "missing": (None, "no such file.*Check the path"),
    "empty": (b"", "is empty. Expected csv data"),
    "unreadable": (b'run,t,x\n0,0,"1', "could not be read as csv.*whole"),
    "missing column": (b"run,x\n0,1\n0,2\n", "no time column.*Pass time="),
    "text in a number column": (b"run,t,x\n0,0,1\n0,1,low\n", "'x' is not numbers: line 3 .*'low'"),
    "thousands": (
        b"run;t;x\n0;0;1,000.5\n0;1;2,000.5\n",
        "'x' is not numbers: .*'1,000.5'. Separators of thousands are not read",
    ),
    "nan": (b"run,t,x\n0,0,1\n0,1,\n", "hold NaN at run 0, line 3, coordinate 'x'"),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_file(tmp_path, content, message):
    path = tmp_path / "runs.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Trajectories.from_file(path)


def with_metric(dim, metrics=1):
    import keras

    import keras_ndm

    x = keras.Input((dim,))
    heads = [keras_ndm.MetricLayer()(x) for _ in range(metrics)]
    return keras.Model(x, [keras.layers.Dense(dim)(x), *heads])


def never_fitted():
    import keras_ndm

    return keras_ndm.NeuralDifferentialManifold()


# Models that cannot serve; made when the test runs, since they need a backend.
MODELS = {
    "other input size": (lambda: with_metric(3), r"for 3 coordinates.* have 2 \(x0, x1\)"),
    "no metric": (
        lambda: with_metric(2, metrics=0),
        r"no MetricLayer among its layers.*Expected one keras_ndm.MetricLayer",
    ),
    "several metrics": (lambda: with_metric(2, metrics=2), "2 metric layers"),
    "never fitted": (never_fitted, "fit"),
    "no model at all": (lambda: "model.keras", "Expected a Keras model; received str"),
}


@pytest.mark.parametrize(("make", "message"), MODELS.values(), ids=MODELS)
def test_model(make, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        discover(Trajectories(states=states()), model=model)


def test_nothing_is_trained_on_bad_input(monkeypatch):
    """A mistake costs no half a minute: it is found before the manifold is trained."""
    from discovery import preparations

    def train(*_, **__):
        raise AssertionError("trained before the input was checked")

    monkeypatch.setattr(preparations, "train_manifold", train)
    runs = Trajectories(states=states())
    for options in ({"library": "poly"}, {"noise": -1.0}, {"library": ["x0 +* x1"]}):
        with pytest.raises(ValueError):
            discovery.discover(runs, **options)


def test_what_is_done_with_missing_values_is_checked_of_runs_too():
    with pytest.raises(ValueError, match=r"missing is .x.\. Expected .raise., or .drop."):
        discover(Trajectories(states()), missing="x")
