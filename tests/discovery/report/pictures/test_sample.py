"""The sample that a report keeps: few rows, as measured, in the user's units, plain arrays."""

import json
from dataclasses import fields, replace
from fractions import Fraction

import matplotlib
import numpy as np
import pytest

from discovery import DiscoveryReport, Trajectories, datasets
from discovery.data.frame import Frame
from discovery.pipeline import analyse_runs
from discovery.preparations import WithoutModel
from discovery.report.pictures.sample import N_ROWS, N_RUNS, Sample

matplotlib.use("Agg")


def found(runs, **options):
    rng = np.random.default_rng(0)
    return analyse_runs(runs, WithoutModel(), library="polynomial", rng=rng, **options)


@pytest.fixture(scope="module")
def runs():
    """Return an oscillator about 700, in small units, late in the century, with noise."""
    rng = np.random.default_rng(0)
    t = 2000 + np.linspace(0, 20, 150)
    size, phase = rng.uniform(0.5, 2, (20, 1)), rng.uniform(0, 6.3, (20, 1))
    states = np.stack([size * np.cos(t + phase), -size * np.sin(t + phase)], axis=-1)
    states = 700 + 1e-3 * (states + 0.01 * rng.normal(size=states.shape))
    return Trajectories(states=states, times=t, names=["a", "b"])


@pytest.fixture(scope="module")
def report(runs):
    return found(runs)


def test_rows_are_the_users(report, runs):
    sample = report.shown
    assert sample.n_runs == N_RUNS and sample.names == ("a", "b")
    for run, states in zip(sample.run_ids, sample.by_run(sample.states), strict=True):
        assert len(states) == N_ROWS
        own = runs.states[int(run)]
        distance = np.abs(own[:, None] - states).max(axis=2).min(axis=0)
        assert distance.max() < 1e-9
    assert np.ptp(sample.times) == pytest.approx(20)


def test_values_are_the_laws(report):
    (law,), sample = report.quantities, report.shown
    np.testing.assert_allclose(sample.values[0], law(sample.states))
    means = [values.mean() for values in sample.by_run(sample.values[0])]
    assert means == sorted(means)


def test_errors_are_what_noise_makes(report):
    """The scatter about each run's mean is as large as the standard deviations say."""
    sample = report.shown
    pairs = zip(sample.by_run(sample.values[0]), sample.by_run(sample.errors[0]), strict=True)
    pulls = np.concatenate([(values - values.mean()) / errors for values, errors in pairs])
    assert 0.85 < pulls.std() < 1.15


def test_the_sample_goes_through_json(report):
    again = Sample.from_dict(json.loads(json.dumps(report.shown.to_dict(), allow_nan=False)))
    for f in fields(Sample):
        np.testing.assert_array_equal(getattr(again, f.name), getattr(report.shown, f.name))


def test_values_that_are_no_numbers_go_through_json(report):
    values = report.shown.values.copy()
    values[0, 0] = np.nan
    plain = replace(report.shown, values=values).to_dict()
    again = Sample.from_dict(json.loads(json.dumps(plain, allow_nan=False)))
    np.testing.assert_array_equal(again.values, values)


def without_laws(runs):
    frame = Frame.of(runs)
    return Sample.of([], {}, frame.runs(runs), frame)


def test_a_field_keeps_profiles_of_one_run():
    runs = datasets.load("kdv", 12, 30)
    sample = without_laws(runs)
    assert sample.of_fields and sample.states.shape == (len(sample.profile_times), runs.dim)
    assert sample.grid_spacing == runs.grid_spacing
    assert any(np.allclose(sample.states[0], states[0]) for states in runs.states)


def test_few_samples_and_no_law():
    states = np.random.default_rng(0).normal(size=(3, 5, 1))
    sample = without_laws(Trajectories(states=states))
    assert sample.n_runs == 3 and len(sample.values) == 0
    np.testing.assert_allclose(sample.states, states.reshape(15, 1))


def test_parameters_and_clocks_are_in_no_portrait():
    roles = ["time", "position", "parameter", "velocity"]
    states = np.random.default_rng(0).normal(size=(3, 9, 4))
    runs = Trajectories(states=states, names=list("txkv"), roles=roles)
    assert without_laws(runs).names == ("x", "v")


def test_axes_have_units():
    runs = datasets.load("planets")
    frame = Frame.of(runs)
    report = DiscoveryReport(
        quantities=[],
        verdict="none",
        reason="",
        confidence=0.5,
        identities=[],
        spectrum={},
        resolution=1.0,
        noise={},
        names=runs.names,
        title="",
        searched=[],
        shown=Sample.of([], {}, frame.runs(runs), frame, runs.units),
    )
    assert report.shown.time_unit == "yr"
    picture = report.plot("portrait")
    assert picture.ax_.get_xlabel() == "x (AU)" and picture.ax_.get_ylabel() == "y (AU)"
    page = report.to_html()
    assert ">x (AU)</text>" in page and ">y (AU)</text>" in page
    # Those of no file have none.
    assert without_laws(runs).units == ("", "")


def test_angles_have_a_turn():
    roles, states = ["angle", "angular_velocity"], np.random.default_rng(0).normal(size=(3, 9, 2))
    runs = Trajectories(states=states, names=["a", "w"], roles=roles)
    assert without_laws(runs).turns == pytest.approx([2 * np.pi, 0])
    frame = Frame.of(runs, turns=(Fraction(360), Fraction(360)))
    assert Sample.of([], {}, frame.runs(runs), frame).turns == pytest.approx([360, 0])


def test_a_law_that_is_not_defined_everywhere(report):
    """Points and bands are left out where it has no value; a page is made all the same."""
    values = report.shown.values.copy()
    values[0, :150], values[0, 150] = np.nan, np.inf
    page = replace(report, shown=replace(report.shown, values=values)).to_html()
    assert "nan" not in page and "inf" not in page.replace("infinity", "")
    assert page.count("h0") < report.to_html().count("h0")
