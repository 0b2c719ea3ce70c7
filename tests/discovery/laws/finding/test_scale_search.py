"""Laws whose functions have a length of their own, which the data must tell."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.finding.scale_search import (
    _Profile,
    prominent_minima,
    simplest_scale,
    trial_scales,
    tuned,
    tuned_near,
)
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.libraries.unknown_scale import SCALE, driven, of_logarithms, scaled

LINE, PLANE = ("x", "p"), ("x", "y", "u", "v")
ROLES = {2: ["position", "momentum"], 4: ["position"] * 2 + ["velocity"] * 2}


def morse(x, p):
    e = np.exp(-1.3 * x)
    return p, -2.6 * (1 - e) * e


def relativistic(x, p):
    return p / np.sqrt(0.49 + p**2), -x


def fast(x, v):
    return v, -x * (1 - (v / 1.3) ** 2) ** 1.5


def wave(x, p):
    return p, -np.sin(1.7 * x)


def plummer(x, y, u, v):
    pull = -((x * x + y * y + 0.16) ** -1.5)
    return u, v, pull * x, pull * y


def damped(x, p):
    return p, -2.6 * (1 - np.exp(-1.3 * x)) * np.exp(-1.3 * x) - 0.1 * p


NAMES = {"Plummer": PLANE, "Morse": LINE}
# The right-hand side, half-widths of the initial states, time, and a law in SymPy's notation.
SYSTEMS = {
    "Morse": (morse, (0.3, 0.6), 20, "p**2/2 + exp(-13*x/5) - 2*exp(-13*x/10)"),
    "relativistic": (relativistic, (2, 2), 15, "sqrt(p**2 + 0.49) + x**2/2"),
    # In velocities, up to .9 of that of light.
    "fast": (fast, (1.8, 1), 15, "1.3**3/sqrt(1.3**2 - p**2) + x**2/2"),
    "wave": (wave, (1.5, 1), 15, "p**2/2 - cos(1.7*x)/1.7"),
    "Plummer": (plummer, (1.0, 1.0, 0.6, 0.6), 15, "u**2 + v**2 - 2/sqrt(x**2 + y**2 + 0.16)"),
    "damped": (damped, (0.3, 0.6), 20, None),
}


@cache
def runs_of(name, noise, n=40, steps=120):
    rhs, widths, end, _ = SYSTEMS[name]
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1, 1, (n, len(widths))) * widths
    times = np.linspace(0, end, steps)
    paths = np.array(
        [
            solve_ivp(lambda t, s: rhs(*s), (0, end), s, t_eval=times, rtol=1e-10, atol=1e-12).y.T
            for s in starts
        ]
    )
    spread = paths.reshape(-1, len(widths)).std(axis=0)
    return paths + noise * spread * rng.normal(size=paths.shape), paths


def found_in(name, noise):
    measured, clean = runs_of(name, noise)
    d = measured.shape[-1]
    rows = pd.DataFrame(measured.reshape(-1, d), columns=LINE if d == 2 else PLANE)
    finder = ConservedQuantityFinder(roles=ROLES[d], random_state=0)
    finder.fit(rows, groups=np.repeat(np.arange(len(measured)), measured.shape[1]))
    return finder.report_, clean.reshape(-1, d)


@pytest.mark.parametrize("noise", [pytest.param(0.0, marks=pytest.mark.slow), 0.01])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow) if n == "Plummer" else n
        for n, s in SYSTEMS.items()
        if s[3]
    ],
)
def test_a_law_with_a_length_of_its_own(name, noise):
    report, clean = found_in(name, noise)
    exact = [q for q in report.quantities if q.verdict == "exact"]
    names = LINE if clean.shape[1] == 2 else PLANE
    symbols = sympy.symbols(names)
    truth = sympy.sympify(SYSTEMS[name][3], locals=dict(zip(names, symbols, strict=True)))
    energy = next(q for q in exact if any(q.expression.diff(s, 2) != 0 for s in symbols[-1:]))
    assert len(exact) == (1 if clean.shape[1] == 2 else 2)
    # The terms of the truth, and no other: what is left of a term that differs has a number in it.
    assert len(energy.expression.as_ordered_terms()) == len(truth.as_ordered_terms())
    values = [sympy.lambdify(symbols, e)(*clean.T) for e in (energy.expression, truth)]
    assert abs(np.corrcoef(values)[0, 1]) > 1 - 1e-3 * (noise > 0) - 1e-9


def test_the_wave_number_of_a_stream():
    """ψ = sin kx sin ky + 0.3 sin 2kx, k = 1.3, of what it carries: places are all of the state."""

    def stream(_, s):
        x, y = 1.3 * s.reshape(2, -1)
        rates = np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y) - 0.6 * np.cos(2 * x)
        return np.concatenate(rates)

    rng = np.random.default_rng(0)
    starts, times = rng.uniform(0, 4.8, 80), np.linspace(0, 12, 100)
    rows = solve_ivp(stream, (0, 12), starts, t_eval=times, rtol=1e-9).y.reshape(2, 40, -1)
    rows = rows.transpose(1, 2, 0) + 0.01 * rng.normal(size=(40, 100, 2))
    runs = Trajectories(states=rows, times=times, names=["x", "y"], roles=["position"] * 2)
    (law,) = ConservedQuantityFinder(random_state=0).fit(runs).quantities_
    assert law.verdict == "exact" and law.expression.has(sympy.sin)
    at = rng.uniform(0, 4.8, (200, 2))
    k = 1.3 * at.T
    psi = np.sin(k[0]) * np.sin(k[1]) + 0.3 * np.sin(2 * k[0])
    assert abs(np.corrcoef(law(at), psi)[0, 1]) > 0.9995


def test_where_nothing_is_conserved_no_scale_is_found():
    report, _ = found_in("damped", 0.01)
    assert report.n_conserved == 0
    assert not [q for q in report.quantities if q.verdict != "decaying"]


def test_a_law_without_a_length_of_its_own_ends_the_search_for_one():
    stage = scaled(LINE, ROLES[2])[0]
    x, p = symbols_of(LINE)
    assert stage.has_energy(p**2 + x**4)
    assert not stage.has_energy(x * p)


def test_dips_are_prominent_minima():
    assert prominent_minima(np.array([5.0, 1.0, 5.0, 2.0, 3.0])) == [1, 3]
    assert prominent_minima(np.array([1.0, 2.0, 3.0])) == []
    assert prominent_minima(np.array([1.01, 1.0, 1.01, 1.0, 5.0])) == []


@pytest.mark.parametrize("name", ["waves", "softened"])
def test_no_length_is_as_short_as_the_noise(name):
    """A wave number times the noise, or the noise over a length, is at most a third."""
    rng = np.random.default_rng(0)
    path = raw_path(rng.normal(size=(200, 2)), np.full(2, 0.2))
    orbits = Orbits(path, path, np.array([0, 100, 200]), np.ones(2))
    stage = next(s for s in scaled(LINE, ROLES[2]) if s.name == name)
    trials = trial_scales(stage, orbits)
    assert len(trials) > 3
    assert np.all(np.diff(trials) > 0)
    shortest = 1 / trials[-1] if stage.wave_number else trials[0]
    assert 3 * 0.2 <= shortest < 4 * 0.2


def test_even_steps_of_a_clock_tell_slow_waves_alone():
    # Above, cos 2kt is a wave that is tried already, or constant, at all samples.
    rng, step = np.random.default_rng(0), 0.4
    clock = np.tile(step * np.arange(11), 9)
    path = raw_path(np.column_stack([rng.normal(size=(99, 2)), clock]), np.full(3, 1e-3))
    orbits = Orbits(path, path, np.arange(0, 100, 11), np.ones(3))
    trials = trial_scales(driven(LINE, symbols_of("t")[0]), orbits)
    assert 3 < trials[-1] < np.pi / 2 / step


def test_a_scale_is_rounded_as_far_as_it_is_known():
    for width, expected in ((1e-4, 1.493), (3e-2, 1.5)):
        found, _ = simplest_scale(
            lambda s, width=width: 1 + 0.02 * ((s / 1.493 - 1) / width) ** 2, 1.493, 1.0, NUMBERS
        )
        assert found == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("roles", [["position", "momentum"], ROLES[4]])
def test_the_scale_is_put_in(roles):
    names = LINE if len(roles) == 2 else PLANE
    for stage in scaled(names, roles):
        for library in stage.at(sympy.Rational(13, 10), "1.3"):
            assert library.dim == len(names)
            assert not any(atom.has(SCALE) for atom in library.atoms)
            assert np.isfinite(library.values(np.full((2, len(names)), 0.5))).all()


def test_next_to_a_pole_nothing_is_flat_but_the_noise():
    """Speeds up to .93 of that of light: at a scale of .924 two samples would be all there is."""
    rng, times = np.random.default_rng(2), np.linspace(0, 14, 200)

    def flow(_, state):
        return [state[1], -1.5 * state[0] * (1 - state[1] ** 2) ** 1.5]

    states = []
    for _ in range(40):
        start = [rng.uniform(0.2, 1.6), 0]
        solved = solve_ivp(flow, (0, 14), start, t_eval=times, rtol=1e-10, atol=1e-12)
        states.append(solved.y.T)
    spread = np.concatenate(states).std(axis=0)
    states = [run + 0.01 * spread * rng.standard_normal(run.shape) for run in states]
    runs = Trajectories(states, [times] * 40, ["x", "v"], ["position", "velocity"])
    (law,) = ConservedQuantityFinder(random_state=0).fit(runs).report_.quantities
    assert law.verdict == "exact"
    assert str(law.expression) == "3*x**2/4 + 1/sqrt(1 - v**2)"


@pytest.mark.slow
def test_a_momentum_in_a_periodic_field():
    """An undulator: the vector potential .4 sin 2z turns a charge, and vx + .4 sin 2z stays."""
    rng, times = np.random.default_rng(0), np.linspace(0, 10, 120)

    def flow(_, state):
        _, z, vx, vz = state
        field = 0.8 * np.cos(2 * z)
        return [vx, vz, -field * vz, field * vx]

    states = np.array(
        [
            solve_ivp(flow, (0, 10), start, t_eval=times, rtol=1e-9, atol=1e-11).y.T
            for start in rng.normal(size=(30, 4))
        ]
    )
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    roles = ["position"] * 2 + ["velocity"] * 2
    runs = Trajectories(states, times, ["x", "z", "vx", "vz"], roles)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert "vx + 2*sin(2*z)/5" in {str(law.expression) for law in report.quantities}
    assert report.n_conserved == 2


def test_nothing_moves_along_the_scale():
    """It is a number at each trial: no derivative by it is computed."""
    rng = np.random.default_rng(0)
    for trial in scaled(PLANE, ROLES[4]):
        for library in (trial.library, trial.library.restrict(np.flatnonzero(~trial.plain))):
            _, slopes, _ = library.jets(rng.uniform(0.5, 1, (3, 5)))
            assert slopes[:4].any() and not slopes[4].any()


def test_the_library_is_evaluated_once_at_a_scale(monkeypatch):
    """Noise that is uneven is told from the same slopes as what moves, and counts beside them."""
    trial = next(s for s in scaled(LINE, ROLES[2]) if s.name == "Morse")
    orbits = prepare(Trajectories(states=runs_of("Morse", 0.01)[0], names=LINE))
    asked, jets = [], Library.jets

    def noted(self, states, *args, **how):
        if self is trial.library:
            asked.append((float(states[0, -1]), len(states)))
        return jets(self, states, *args, **how)

    monkeypatch.setattr(Library, "jets", noted)
    assert tuned_near(trial, orbits, 1.25, NUMBERS)
    assert len(asked) > 20 and len(set(asked)) == len(asked)


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("name", ["Plummer", "Morse"])
def test_many_scales_at_once_are_each_by_itself(name, correlated, monkeypatch):
    """Terms without the scale are evaluated once, whatever is known of them, and of the errors."""
    orbits = prepare(Trajectories(states=runs_of(name, 0.01)[0], names=NAMES[name])).thinned(1000)
    if correlated:
        path = replace(orbits.smoothed, errors=orbits.smoothed.covariance)
        orbits = replace(orbits, smoothed=path)
    jets, plain = Library.jets, []

    def noted(self, states, *args, **how):
        plain.append(not any(atom.has(SCALE) for atom in self.atoms))
        return jets(self, states, *args, **how)

    for trial in scaled(NAMES[name], ROLES[len(NAMES[name])]):
        profile, grid = _Profile(trial, orbits), trial_scales(trial, orbits)[::5]
        profile._known = np.eye(len(trial))[:, trial.plain][:, : int(correlated)]
        each = np.array([profile(value) for value in grid])
        with monkeypatch.context() as patch:
            patch.setattr(Library, "jets", noted)
            np.testing.assert_allclose(profile.along(grid), each, rtol=1e-4)
        assert sum(plain) == 1
        plain.clear()


def test_a_row_of_eddies():
    """Stuart's vortices keep cosh y − a cos x, which waves in all directions imitate."""
    rng, times = np.random.default_rng(0), np.linspace(0, 12, 100)

    def drift(_, s):
        x, y = s
        return np.array([np.sinh(y), -0.5 * np.sin(x)]) / (np.cosh(y) - 0.5 * np.cos(x))

    starts = np.column_stack([rng.uniform(-2.5, 2.5, 40), rng.uniform(-0.8, 0.8, 40)])
    clean = np.array([solve_ivp(drift, (0, 12), s, t_eval=times, rtol=1e-9).y.T for s in starts])
    noisy = clean + 0.01 * clean.reshape(-1, 2).std(axis=0) * rng.standard_normal(clean.shape)
    rows = pd.DataFrame(noisy.reshape(-1, 2), columns=["x", "y"])
    finder = ConservedQuantityFinder(roles=["position"] * 2, random_state=0)
    groups = np.repeat(np.arange(40), 100)
    (law,) = finder.fit(rows, groups=groups, times=np.tile(times, 40)).quantities_
    assert law.verdict == "exact"
    assert {str(term) for term in law.coefficients} == {"exp(y)", "exp(-y)", "cos(x)"}


def test_a_column_stands_not_beside_its_exponential():
    """Where the rate goes to zero both would be powers of it."""
    for one in of_logarithms(("a", "b"), [0, 1]):
        (i,), (_, wave) = one.columns, one.library.expressions()
        assert wave.has(one.library.symbols[i], SCALE)
        assert one.library.expressions()[0] == one.library.symbols[1 - i]
    assert of_logarithms(("a",), [0]) == []


@pytest.mark.parametrize("seed", range(3))
def test_exponentials_of_differences_by_themselves(seed):
    """A ring at rest as a whole: beside exponentials of places any rate would do."""

    def ring(_, s):
        x, y, z = s[:3]
        a, b, c = np.exp(0.87 * np.array([x - y, y - z, z - x]))
        return [*s[3:], c - a, a - b, b - c]

    rng, times = np.random.default_rng(seed), np.linspace(0, 12, 80)
    starts = rng.uniform(-0.8, 0.8, (30, 2, 3))
    starts = (starts - starts.mean(axis=2, keepdims=True)).reshape(30, 6)
    clean = np.array([solve_ivp(ring, (0, 12), s, t_eval=times, rtol=1e-9).y.T for s in starts])
    noisy = clean + 0.01 * clean.std(axis=(0, 1)) * rng.standard_normal(clean.shape)
    trials = scaled(tuple("xyzuvw"), ["position"] * 3 + ["velocity"] * 3)
    first = next(trial for trial in trials if "exponential" in trial.name)
    assert first.name == "exponential of differences"
    assert first.richer is not None  # a ring of Toda's keeps cubes of the momenta, too
    orbits = prepare(Trajectories(noisy, times=times, names=list("xyzuvw")))
    found = [float(one.name.split("(")[1][:-1]) for one in tuned(first, orbits, NUMBERS)]
    assert found and found[0] == pytest.approx(0.87, rel=0.03)


def test_differences_of_two_coordinates_are_beside_others():
    """There are no more of them than of coordinates."""
    assert "exponential of differences" not in [s.name for s in scaled(PLANE, ROLES[4])]
