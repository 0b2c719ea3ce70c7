"""Motion from a report, made or loaded."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, DiscoveryReport, Motion, datasets
from discovery.report.use import as_law, motion_from


@pytest.fixture(scope="module")
def runs():
    return datasets.load("pendulum", 16, 60, noise=0.01, seed=0)


@pytest.fixture(scope="module")
def report(runs):
    return ConservedQuantityFinder(random_state=0).fit(runs).report_


def test_the_laws_of_a_report_move(report):
    motion = report.motion()
    assert isinstance(motion, Motion)
    assert str(motion.equations["omega"]) == "-sin(theta)"
    assert motion.residual < 1.3
    assert motion.refit().coefficients["cos(theta)"] == pytest.approx(-1.0, abs=0.01)


def test_a_layer_of_the_motion(report, runs):
    motion = report.motion()
    step = motion.layer(0.2)
    assert step.halves == [["theta"], ["omega"]] and step.substeps > 1
    some = runs.rows[::60]
    ahead = motion.rollout(some, [0.0, 0.2])[:, 1]
    np.testing.assert_allclose(step(some), ahead, atol=1e-5)
    with pytest.raises(ValueError, match="other than zero"):
        motion.layer(0.0)


@pytest.mark.slow
def test_a_model_kept_to_the_laws(report, runs):
    import keras

    import keras_ndm

    given = keras.Input((2,))
    interval = float(runs.times[0][1] - runs.times[0][0])
    mean = keras.layers.Rescaling(0.99)(report.motion().layer(interval)(given))
    model = keras_ndm.ManifoldModel(given, mean, metric=keras_ndm.MetricLayer()(given))
    kept = report.motion(model=model)
    path = kept.rollout(runs.rows[::300][:3], runs.times[0][:20])
    for law in report.quantities:
        values = np.array([law(each) for each in path])
        np.testing.assert_allclose(values, values[:, :1] + 0 * values, atol=1e-9)


def test_a_form_that_fits_as_well_may_be_the_one_that_moves(runs, report):
    omega, theta = sympy.symbols("omega theta")
    shown = SimpleNamespace(
        name="energy",
        formula="omega**2/2 + 2*theta**2/5",
        coefficients={omega**2: 0.5, theta**2: 0.4},
        errors_beside=lambda _: {omega**2: 0.0, theta**2: 0.01},
        decay=None,
        alternatives=(),
    )
    with pytest.raises(ValueError, match="do not tell the motion"):
        motion_from([shown], [], runs, report.noise)
    shown.alternatives = (omega**2 + theta**2, omega**2 / 2 - sympy.cos(theta))
    motion = motion_from([shown], [], runs, report.noise)
    assert str(motion.equations["omega"]) == "-sin(theta)"
    assert "the form of energy: omega**2/2 - cos(theta)" in motion.uncertain[0]


def test_numbers_within_a_sum_are_told_apart_unless_there_are_many():
    u, v, *many = sympy.symbols("u v a:30")
    kinetic, pairs = u**2 / 2 + 0.383 * v**2, sympy.Add(*(2 / a for a in many))
    few, long = (
        as_law(
            SimpleNamespace(
                decay=None,
                coefficients={term: 2.0},
                errors_beside=lambda _, term=term: {term: 0.1},
                expression=term,
            )
        )
        for term in (kinetic, pairs)
    )
    numbers = dict(zip(map(str, few.terms), few.coefficients, strict=True))
    assert numbers == {"u**2": 1.0, "v**2": pytest.approx(0.766)}
    assert sorted(few.errors) == pytest.approx([0.0383, 0.05])
    assert len(long.terms) == 1


def test_a_loaded_report_needs_runs(report, runs, tmp_path):
    report.save(tmp_path / "report.json")
    loaded = DiscoveryReport.load(tmp_path / "report.json")
    with pytest.raises(ValueError, match="holds no runs"):
        loaded.motion()
    assert loaded.motion(runs).equations == report.motion().equations
    with pytest.raises(ValueError, match="expected Trajectories"):
        loaded.motion(np.ones((3, 2)))


def test_without_a_law_there_is_no_motion():
    runs = datasets.load("van_der_pol", 16, 60, noise=0.01, seed=0)
    found = ConservedQuantityFinder(random_state=0, library="polynomial").fit(runs).report_
    with pytest.raises(ValueError, match="the report has no law"):
        found.motion()
    with pytest.raises(ValueError, match="no exact law"):
        found.motion(model=object())
