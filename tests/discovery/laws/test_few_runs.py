"""One run, or few: what is constant along them, judged by windows, and no law.

References are the laws of the systems; controls have none, or lose them.
"""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, datasets

KEPLER = {"roles": ["position"] * 2 + ["velocity"] * 2, "names": list("xyuv")}
PENDULUM = {"roles": ["angle", "angular_velocity"], "names": ["a", "w"]}
GLIDER = {"roles": ["position", "velocity"], "names": ["x", "v"]}


def path(rates, start, times, noise=0.01, seed=0):
    """One run of a flow, with noise as a share of each coordinate's spread."""
    span = times[0], times[-1]
    run = solve_ivp(lambda _, x: rates(x), span, start, t_eval=times, rtol=1e-10, atol=1e-12).y.T
    return run + noise * run.std(axis=0) * np.random.default_rng(seed).standard_normal(run.shape)


def report_of(states, times, **columns):
    return (
        ConservedQuantityFinder(random_state=0).fit(Trajectories(states, times, **columns)).report_
    )


def glider():
    times = np.linspace(0, 20, 300)
    return times, path(lambda s: [s[1], -4 * s[0]], [0.3, 0.0], times)


def pendulum():
    times = np.linspace(0, 60, 1000)
    return times, path(lambda s: [s[1], -np.sin(s[0])], [1.8, 0.0], times)


def orbit():
    times = np.linspace(0, 40, 500)
    gravity = lambda s: [s[2], s[3], *(-s[:2] / np.hypot(*s[:2]) ** 3)]  # noqa: E731
    return times, path(gravity, [1, 0, 0.1, 1.15], times, 0.005)


def thrown():
    times = np.linspace(0, 1, 200)
    return times, path(lambda s: [s[1], -9.81], [2.0, 3.0], times, 0.005)


ONE_RUN = {
    "air track": (glider, GLIDER, "v**2/2 + 2*x**2"),
    "pendulum": (pendulum, PENDULUM, "w**2/2 - cos(a)"),
    "planet": (orbit, KEPLER, "-u*y + v*x"),
    "thrown ball": (thrown, GLIDER, "v**2/2 + 10*x"),
}


@pytest.mark.parametrize(("make", "columns", "formula"), ONE_RUN.values(), ids=ONE_RUN)
def test_what_is_constant_along_one_run(make, columns, formula):
    times, states = make()
    report = report_of(states[None], times, **columns)
    (found,) = report.quantities
    assert found.verdict == "along_run"
    # The terms of the truth; a single run knows a number to some percent.
    truth, written = sympy.sympify(formula), found.expression.as_coefficients_dict()
    symbols = {s: sympy.Symbol(s.name) for s in found.expression.free_symbols}
    written = {term.xreplace(symbols): float(c) for term, c in written.items()}
    assert written == pytest.approx(
        {term: float(c) for term, c in truth.as_coefficients_dict().items()}, rel=0.06
    )
    assert 0 < report.quantities[0].variation < 0.05
    assert (report.verdict, report.n_conserved, report.confidence) == ("undecided", 0, 0.0)
    assert "one run cannot tell a law from an accident" in report.reason
    assert "judged on its last 6 windows" in report.reason
    assert "constant along the run to" in str(report)


def test_a_closed_orbit_has_constants_of_its_own():
    """Along an ellipse in four dimensions three functions are constant: one is named."""
    times, states = orbit()
    assert "along any curve" in report_of(states[None], times, **KEPLER).reason


def test_what_few_runs_share():
    """Five planets: what all of them obey with one set of numbers, each with its own constant."""
    runs = datasets.load("kepler", 5, 150, noise=0.01, seed=0)
    report = report_of(runs.states, runs.times, names=runs.names, roles=runs.roles)
    assert report.verdict == "undecided"
    assert "at least 3 more runs" in report.reason
    clean = datasets.load("kepler", 5, 150, seed=0)
    values = np.array([q(clean) for q in report.quantities]).reshape(-1, 5, 150)
    assert len(values) == 3
    assert (values.std(axis=2).mean(axis=1) < 0.05 * values.mean(axis=2).std(axis=1)).all()


def walk(seed, n=300):
    return np.arange(n), np.random.default_rng(seed).standard_normal((n, 2)).cumsum(axis=0)


def autoregressive(seed, n=300):
    rows = np.zeros((n, 2))
    steps = np.random.default_rng(seed).standard_normal((n, 2))
    for i in range(1, n):
        rows[i] = 0.95 * rows[i - 1] + steps[i]
    return np.arange(n), rows


def lorenz(seed):
    times, start = np.linspace(0, 30, 1000), np.random.default_rng(seed).normal(0, 5, 3)
    rates = lambda s: [10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]]  # noqa: E731
    return times, path(rates, start + np.array([0.0, 0, 20]), times)


def limit_cycle(seed):
    times = np.linspace(0, 60, 600)
    rates = lambda s: [s[1], (1 - s[0] ** 2) * s[1] - s[0]]  # noqa: E731
    return times, path(rates, [2.0, 0.0], times, seed=seed)


def damped(seed):
    times, rates = np.linspace(0, 40, 500), lambda s: [s[1], -s[0] - 0.1 * s[1]]
    return times, path(rates, [1.0, 0.0], times, seed=seed)


def white(seed):
    return np.arange(300), np.random.default_rng(seed).standard_normal((300, 2))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("make", [walk, autoregressive, lorenz, limit_cycle, damped, white])
def test_runs_without_a_law(make, seed):
    times, states = make(seed)
    finder = ConservedQuantityFinder("polynomial", random_state=0)
    report = finder.fit(Trajectories(states[None], times)).report_
    assert report.verdict == "undecided" and report.n_conserved == 0
    # Friction takes of an energy, and that is no law.
    assert {q.verdict for q in report.quantities} == ({"decaying"} if make is damped else set())


def test_too_few_samples_are_told_at_once():
    times, states = glider()
    report = report_of(states[None, :30], times[:30], **GLIDER)
    assert "too few to part them into windows" in report.reason
    assert report.searched == []


def test_groups_of_one_run_and_none_are_one():
    times, states = glider()
    finder = ConservedQuantityFinder(random_state=0, roles=GLIDER["roles"])
    with pytest.warns(UserWarning, match="without groups"):
        without = finder.fit(states, times=times).report_
    same = finder.fit(states, groups=np.zeros(len(states)), times=times).report_
    assert str(without) == str(same)
    assert str(same.quantities[0].expression) == "2*x0**2 + x1**2/2"


def test_the_energy_that_one_run_loses():
    """A bench pendulum with friction, its angle only: θ'' = −8.2 sin θ − .03 θ'."""
    times = np.arange(900) / 30
    a = path(lambda s: [s[1], -8.2 * np.sin(s[0]) - 0.03 * s[1]], [1.1, 0.0], times, 0.004)[:, :1]
    report = report_of([a], [times], roles=["angle"], names=["a"])
    (energy,) = report.quantities
    assert report.verdict == "undecided" and report.n_conserved == 0
    assert energy.verdict == "decaying"
    factors = {str(term): float(value) for term, value in energy.coefficients.items()}
    assert factors["cos(a)"] / factors["adot**2"] / -2 == pytest.approx(8.2, rel=0.03)
    assert energy.rate == pytest.approx(0.03, abs=4 * energy.rate_error)
    assert "an energy decays along the run" in report.reason


def test_one_run_on_a_limit_cycle_loses_no_energy():
    times = np.linspace(0, 40, 800)
    x = path(lambda s: [s[1], (1 - s[0] ** 2) * s[1] - s[0]], [2.0, 0.0], times, 0.005)[:, :1]
    report = report_of([x], [times], roles=["position"], names=["x"])
    assert not [q for q in report.quantities if q.verdict == "decaying"]
