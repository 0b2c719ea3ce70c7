"""Units, offsets, signs, order and the sense of time do not change what is found."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
import sympy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from discovery import ConservedQuantityFinder, Trajectories, datasets

# Laws that the first library or two hold, since each example is a whole analysis.
QUICK = ("harmonic_oscillator",)
ALL = (
    *QUICK,
    "rigid_body",
    *("isotropic_oscillator", "kepler", "central_force", "henon_heiles", "lotka_volterra"),
    *("pendulum", "van_der_pol", "damped_oscillator", "duffing", "charged_particle"),
)
# Coordinates about the scale of which a potential says something: r needs both in one unit.
ROUND = ("kepler", "central_force")
SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    # A smaller failing example takes many more analyses.
    "phases": (Phase.generate,),
    "suppress_health_check": list(HealthCheck),
}


@dataclass(frozen=True)
class Change:
    """What is done to runs; none of it changes what they mean."""

    decades: tuple[float, ...]
    signs: tuple[int, ...]
    spreads: tuple[float, ...]
    columns: tuple[int, ...]
    seed: int
    time_decades: float
    durations: float
    reverse: bool


def changes(d, together=False, far=1e6):
    powers = st.floats(-12, 12)
    scale = powers.map(lambda p: (p,) * d) if together else st.tuples(*[powers] * d)
    shift = st.sampled_from([0.0, 0.0, 1.0]).flatmap(lambda on: st.floats(-far * on, far * on))
    return st.builds(
        Change,
        decades=scale,
        signs=st.tuples(*[st.sampled_from([-1, 1])] * d),
        spreads=st.tuples(*[shift] * d),
        columns=st.permutations(range(d)).map(tuple),
        seed=st.integers(0, 99),
        time_decades=powers,
        durations=st.sampled_from([0.0, 1e6]),
        reverse=st.booleans(),
    )


@cache
def data(name, noise=0.01):
    return datasets.load(name, 24, 80, noise=noise, seed=2)


def analysed(states, times, names, roles):
    """Return the report on runs (r, n, d) with times (r, n)."""
    r, n, d = states.shape
    finder = ConservedQuantityFinder(roles=roles, random_state=0)
    frame = pd.DataFrame(states.reshape(-1, d), columns=names)
    return finder.fit(frame, groups=np.repeat(np.arange(r), n), times=times.ravel()).report_


@cache
def found(name):
    runs = data(name)
    return analysed(runs.states, runs.times, runs.names, runs.roles)


def changed(name, change, noise=0.01):
    """Return the changed runs: states, times, names and roles."""
    runs = data(name, noise)
    turning = np.array([role == "angle" for role in runs.roles])
    size = np.where(turning, 1.0, 10.0 ** np.array(change.decades) * change.signs)
    spread = data(name).rows.std(axis=0)
    states = size * (runs.states + np.where(turning, 0, change.spreads) * spread)
    times = 10.0**change.time_decades * (runs.times + change.durations * np.ptp(runs.row_times))
    if change.reverse:
        states, times = states[:, ::-1], (times.max() - times)[:, ::-1]
    order, columns = np.random.default_rng(change.seed).permutation(runs.n_runs), change.columns
    return (
        states[order][..., columns],
        times[order],
        [runs.names[i] for i in columns],
        [runs.roles[i] for i in columns],
    )


def check(name, change):
    before, after = found(name), analysed(*changed(name, change))
    assert after.verdict == before.verdict
    assert after.n_conserved == before.n_conserved
    clean = changed(name, change, noise=0.0)[0]
    for law in after.quantities[: after.n_conserved]:
        assert drift(law, clean) < 0.03


@pytest.mark.parametrize("seed", range(2))
def test_the_basis_of_laws_depends_on_no_order_of_runs(seed):
    """Any two of three pairs of squares are a basis: that of the first columns is taken."""
    runs = datasets.load("rigid_body", 40, 100, noise=0.01)
    for order in (slice(None), slice(None, None, -1)):
        states, times = runs.states[order], runs.times[order]
        runs_in_order = Trajectories(states, times, runs.names)
        report = ConservedQuantityFinder(random_state=seed).fit(runs_in_order).report_
        columns = [{str(s) for s in law.expression.free_symbols} for law in report.quantities]
        assert columns == [{"omega1", "omega2"}, {"omega1", "omega3"}]


def drift(law, states):
    """Return the motion along runs (r, n, d) over the spread."""
    r, n, d = states.shape
    values = law(states.reshape(-1, d)).reshape(r, n)
    return np.sqrt(values.var(axis=1).mean()) / values.std()


@pytest.mark.parametrize("name", QUICK)
def test_nothing_changes(name):
    @settings(max_examples=4, **SETTINGS)
    @given(changes(data(name).dim))
    def holds(change):
        check(name, change)

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_nothing_changes_in_any_system(name):
    # An amount's logarithm needs its own origin.
    far = 0.0 if name == "lotka_volterra" else 1e6

    @settings(max_examples=10, **SETTINGS)
    @given(changes(data(name).dim, together=name in ROUND, far=far))
    def holds(change):
        check(name, change)

    holds()


def test_kepler_in_si_units_from_afar():
    """Astronomers' metres and metres a second, in a map's coordinates."""
    runs = data("kepler")
    states = runs.states * [1.5e11, 1.5e11, 3e4, 3e4] + [4e14, -7e13, 0, 0]
    report = analysed(states, runs.times * 5e6, runs.names, runs.roles)
    assert report.n_conserved == 3
    energy = next(q for q in report.quantities if q.name == "energy")
    assert str(energy.expression).endswith(
        "/sqrt((x - 400000000000000)**2 + (y + 70000000000000)**2)"
    )
    strength = -min(energy.coefficients.values())
    assert strength == pytest.approx(1.5e11 * 9e8, rel=0.01)


@pytest.fixture(scope="module")
def far():
    runs = data("harmonic_oscillator")
    return runs.states * [1e3, 1e-5] + [5e5, 0], runs


def test_formula_and_function_agree(far):
    states, runs = far
    report = analysed(states, runs.times, runs.names, runs.roles)
    (law,) = [q for q in report.quantities if q.verdict == "exact"]
    assert str(law.expression) == "p**2/2 + 5.0e-17*(q - 500000)**2"
    rows = states.reshape(-1, 2)[:20]
    q, p = sympy.symbols("q p")
    by_terms = [
        sum(c * float(t.subs({q: a, p: b})) for t, c in law.coefficients.items()) for a, b in rows
    ]
    np.testing.assert_allclose(law(rows), by_terms, rtol=1e-9)
    assert set(law.standard_errors) == set(law.coefficients)
    assert law.spread == pytest.approx(np.std(law(states.reshape(-1, 2))), rel=0.1)


def test_noise_is_told_and_reported_in_the_user_s_units(far):
    states, runs = far
    level = 0.01 * states.reshape(-1, 2).std(axis=0)
    rows = pd.DataFrame(states.reshape(-1, 2), columns=runs.names)
    finder = ConservedQuantityFinder(noise=level, roles=runs.roles, random_state=0)
    report = finder.fit(rows, groups=runs.groups, times=runs.row_times).report_
    np.testing.assert_allclose(list(report.noise.values()), level)
    assert report.n_conserved == 1


def test_rates_of_decay_are_in_the_user_s_time():
    runs = datasets.load("damped_oscillator", 20, 80, noise=0.01, seed=0)
    slow, quick = (
        [
            q.rate
            for q in analysed(runs.states, scale * runs.times, runs.names, runs.roles).quantities
        ]
        for scale in (1.0, 1e-9)
    )
    assert slow
    np.testing.assert_allclose(np.array(quick) * 1e-9, slow, rtol=1e-6)


def test_a_user_s_own_functions_in_any_units():
    runs = data("harmonic_oscillator")
    for scale in (1e-9, 1.0, 1e9):
        finder = ConservedQuantityFinder(["x0**2", "x1**2", "x0*x1"], random_state=0)
        laws = finder.fit(runs.rows * scale, groups=runs.groups, times=runs.row_times).quantities_
        assert [str(q.expression) for q in laws] == ["x0**2/2 + x1**2/2"]


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_fields_in_any_units(scale):
    runs = datasets.load("kdv", 20, 40, noise=0.01, seed=0)
    first, second = (
        ConservedQuantityFinder(["u", "u**2"], roles=runs.roles, random_state=0)
        .fit(pd.DataFrame(rows, columns=runs.names), groups=runs.groups)
        .report_
        for rows in (runs.rows, scale * runs.rows)
    )
    assert second.n_conserved == first.n_conserved == 2


@pytest.mark.parametrize("corner", [2.0, 7.0])
def test_places_measured_from_a_corner(corner):
    """A few spreads from the centre, formulas about the user's origin have no end."""
    runs = datasets.load("kepler", 30, 80, noise=0.01, seed=0)
    away = Trajectories(
        runs.states + np.array([corner, -corner, 0, 0]), runs.times, runs.names, runs.roles
    )
    report = ConservedQuantityFinder(random_state=0).fit(away).report_
    assert [q.name for q in report.quantities] == [
        "angular momentum",
        "energy",
        "Runge–Lenz vector along x",
    ]
    x, y, u, v = sympy.symbols("x y u v")
    energy = sympy.Rational(1, 2) * (u**2 + v**2) - 1 / sympy.sqrt(
        (x - corner) ** 2 + (y + corner) ** 2
    )
    values = sympy.lambdify((x, y, u, v), energy)(*away.rows.T)
    np.testing.assert_allclose(report["energy"](away), values, atol=0.05 * values.std())


def test_a_well_measured_from_a_corner():
    runs = datasets.load("henon_heiles", 30, 80, noise=0.01, seed=0)
    for corner, moved in ((0.5, False), (7.0, True)):
        states = runs.states + np.array([0, corner, 0, 0])
        away = Trajectories(states, runs.times, runs.names, runs.roles)
        (law,) = ConservedQuantityFinder(random_state=0).fit(away).quantities_
        assert law.verdict == "exact"
        sums = law.expression.atoms(sympy.Add)
        shifts = {round(abs(float(n)), 1) for a in sums for n in a.args if n.is_number}
        assert (7.0 in shifts) == moved
        # Nothing that was no term at home is one from afar.
        assert len(law.coefficients) <= 9


@pytest.mark.slow
def test_bodies_on_a_line_keep_their_differences():
    """Each body swings about a place of its own; one origin for all keeps what pairs are of."""
    runs = datasets.load("toda", 30, 80, noise=0.005, seed=0)
    shift = np.array([7.0, 7.0, 7.0, 0, 0, 0])
    away = Trajectories(runs.states + shift, runs.times, runs.names, runs.roles)
    finder = ConservedQuantityFinder(random_state=0).fit(away)
    assert finder.n_conserved_ == 3
