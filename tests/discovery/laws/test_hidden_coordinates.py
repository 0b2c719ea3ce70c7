"""Laws in coordinates that hide them: polar, warped, sheared, and a rod in the plane."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, datasets, libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.laws.finding.candidates import short_supports
from discovery.laws.finding.operators import operators
from discovery.libraries.rational import invertible, rational
from discovery.libraries.warped import WARPS, warps


def seen_through(name, change, names, roles=None, noise=0.0, n_runs=60):
    """Runs of a system whose clean states are mapped, and then measured."""
    clean = datasets.load(name, n_runs, 150, seed=0)
    states = change(clean.states)
    spread = states.reshape(-1, states.shape[-1]).std(axis=0)
    states = states + noise * spread * np.random.default_rng(1).standard_normal(states.shape)
    return Trajectories(states=states, times=clean.times, names=names, roles=roles)


def exact(runs):
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    report = finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).report_
    return report.quantities[: report.n_conserved]


def polar(states):
    x, y, u, v = np.moveaxis(states, -1, 0)
    r = np.hypot(x, y)
    angle = np.unwrap(np.arctan2(y, x), axis=1)
    return np.stack([r, angle, (x * u + y * v) / r, (x * v - y * u) / r**2], axis=-1)


def test_kepler_in_polar_coordinates():
    roles = ["position", "angle", "velocity", "angular_velocity"]
    runs = seen_through("kepler", polar, ["r", "phi", "v", "w"], roles)
    laws = exact(runs)
    assert len(laws) == 3
    assert "x0**2*x3" in {str(law.expression) for law in laws}


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_warped_oscillator(noise):
    runs = seen_through("harmonic_oscillator", np.sinh, ["p", "q"], noise=noise)
    assert len(exact(runs)) == 1


def test_a_warped_control_has_no_law():
    runs = seen_through("van_der_pol", lambda s: np.sinh(s / 2), ["p", "q"], noise=0.01)
    assert not exact(runs)


def test_only_functions_that_the_data_allow():
    rows = np.random.default_rng(0).uniform(-3, 3, (100, 2))
    found = {library.name.split("(")[0] for library in warps(["p", "q"], rows)}
    assert found == {"asinh", "sinh", "exp", "atan"}
    positive = {library.name.split("(")[0] for library in warps(["p", "q"], 1.5 + rows / 4)}
    assert positive <= set(WARPS)
    assert {"log", "tanh"} <= positive
    assert "atanh" not in positive


def test_only_what_stays_away_from_zero_is_inverted():
    rows = np.random.default_rng(0).uniform(1, 2, (100, 3)) * [1, -1, 1]
    rows[0, 2] = 1e-3
    assert invertible(rows, [None] * 3) == [0]
    assert invertible(rows, ["angle", None, None]) == []


def test_inverses_need_values_clear_of_the_noise():
    rows = np.random.default_rng(0).uniform(0.1, 2, (1000, 1))
    assert invertible(rows, [None], np.array([0.01])) == [0]
    assert invertible(rows, [None], np.array([0.3])) == []
    rows[:20] = -0.01
    assert invertible(rows, [None], np.array([1e-4])) == []
    assert invertible(rows, [None], np.array([0.01])) == [0]


def test_a_library_names_what_must_be_positive():
    library = rational(["r", "phi", "v"], [None, "angle", None], [0])
    assert library.positive == (0,)
    plain = [str(e) for e in library.expressions()].index("r")
    assert library.restrict([plain]).positive == ()
    assert libraries.logarithmic(["x", "y"], [1]).positive == (1,)
    assert libraries.polynomial(["x", "y"], 3).positive == ()
    assert libraries.custom(["1/sqrt(x**2 + y**2)", "log(y)/x"], ["x", "y"]).positive == (0, 1)


def test_rows_in_which_a_coordinate_is_clear_of_its_noise():
    states = np.linspace(1.0, -0.2, 40)[:, None] * np.ones((1, 2))
    states[:20] += 1.0
    path = raw_path(states, np.array([0.02, 0.5]))
    orbits = Orbits(path, path, np.array([0, 20, 40]), np.ones(2))
    assert orbits.clear([]).all()
    some = orbits.where(orbits.clear([0]))
    assert list(some.offsets) == [0, 20, 20 + int(np.sum(states[20:, 0] > 0.1))]
    assert some.measured.states[:, 0].min() > 0.1
    # The second coordinate leaves so little of the first run that the run goes.
    assert not orbits.clear([1]).any()


def test_powers_of_a_rational_library():
    library = rational(["r", "w"], ["position", "angular_velocity"], [0])
    r, w = library.symbols
    terms = {sympy.simplify(e) for e in library.expressions()}
    assert {r**2 * w, 1 / r, w**2 / r**2, r**4} <= terms
    points = np.array([[1.3, -0.4], [0.7, 2.0]])
    index = [sympy.simplify(e) for e in library.expressions()].index(w**2 / r**2)
    np.testing.assert_allclose(library.values(points)[index], (points[:, 1] / points[:, 0]) ** 2)


def test_short_formulas_are_found_among_all_terms():
    """One term and pairs, each no longer than it must be; a law's parts alone are none."""
    runs = datasets.load("harmonic_oscillator", 40, 100, noise=0.01)
    orbits = prepare(runs)
    from discovery.libraries.choice import custom

    library = custom(["x**2", "u**2", "x*u", "x", "x**2 + u**2"], ["x", "u"])
    ops = operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
    assert short_supports(ops, 1.5) == [(4,), (0, 1)]
    assert short_supports(ops, 0.0) == []
