"""Friction and the time in formulas, from the data to the report."""

import re

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, DiscoveryReport, Trajectories
from discovery.formulas.simple_numbers import NUMBERS

T = np.linspace(0, 12, 100)


def fitted(rate, starts, names, roles, noise=0.01, **options):
    """Report on runs of ṡ = f(t, s); with a name more than coordinates the clock is a column."""
    rng = np.random.default_rng(0)
    settings = {"t_eval": T, "rtol": 1e-9, "atol": 1e-11}
    states = np.array([solve_ivp(rate, (0, T[-1]), s, **settings).y.T for s in starts])
    spread = states.reshape(-1, states.shape[-1]).std(axis=0)
    states += noise * spread * rng.standard_normal(states.shape)
    if len(names) > states.shape[-1]:
        clock = np.broadcast_to(T[:, None], (*states.shape[:2], 1))
        states = np.concatenate([states, clock], axis=-1)
    runs = Trajectories(states=states, times=T, names=names, roles=roles)
    return ConservedQuantityFinder(random_state=0, **options).fit(runs).report_


def starts(low, high, n_runs=30):
    return np.random.default_rng(1).uniform(low, high, (n_runs, len(low)))


def damped(t, s):
    return [s[1], -s[0] - 0.1 * s[1]]


def test_friction_in_the_report():
    report = fitted(damped, starts([-1, -1], [1, 1]), ("x", "v"), ("position", "velocity"))
    assert (report.n_conserved, report.verdict) == (0, "none")
    (energy,) = report.quantities
    assert (energy.verdict, str(energy.expression)) == ("decaying", "v**2/2 + x**2/2")
    assert energy.rate == pytest.approx(0.1, abs=3 * energy.rate_error)
    assert energy.loss_time == pytest.approx(10, rel=0.02)
    assert energy.quality_factor == pytest.approx(10, rel=0.1)
    v = sympy.Symbol("v")
    assert float(energy.loss.coeff(v, 2)) == pytest.approx(0.1, rel=0.02)
    assert re.search(r"decays: rate 0\.(1|099|100)\d* ± ", str(report))
    assert energy.name == "energy"
    assert report.to_dict()["quantities"][0]["rate"] == energy.rate
    assert "loss time" in report.to_html()


def test_a_loss_of_a_percent():
    """No band of frequencies shows it: all runs lose, and that adds up."""

    def weak(t, s):
        return [s[1], -np.sin(s[0]) - 0.0015 * s[1]]

    some = starts([-1.7, -1.7], [1.7, 1.7], 50)
    report = fitted(weak, some, ("theta", "omega"), ("angle", "angular_velocity"))
    assert report.n_conserved == 0
    (energy,) = report.quantities
    assert energy.verdict == "decaying"
    assert energy.rate == pytest.approx(0.0015, rel=0.25)


def test_units_of_a_loss():
    # In thousandths of a length and of a time the coordinates are analysed in other units.
    def small(t, s):
        return [s[1], -s[0] - 0.1 * abs(s[1]) * s[1] * 1e3]

    small_starts = 1e-3 * starts([-1, -1], [1, 1])
    report = fitted(small, small_starts, ("x", "v"), ("position", "velocity"))
    (energy,) = report.quantities
    v = sympy.Symbol("v")
    size = energy.expression.coeff(v, 2)
    assert energy.loss.subs(v, -2.0) / size == pytest.approx(2 * 0.1 * 1e3 * 8, rel=0.02)


def test_friction_beside_a_column_that_is_no_coordinate():
    # Small, so that the frame has other units; with a number of the run, and a law that holds.
    rng = np.random.default_rng(2)
    phase, size = rng.uniform(0, 6, (30, 1)), rng.uniform(0.3, 1, (30, 1))
    fading = 1e-3 * size * np.exp(-0.05 * T)
    number = np.broadcast_to(np.arange(30.0)[:, None], (30, 100))
    states = np.dstack([fading * np.cos(T + phase), -fading * np.sin(T + phase), number])
    states[..., :2] += 2e-6 * rng.standard_normal((30, 100, 2))
    runs = Trajectories(states=states, times=T, names=("x", "v", "n"))
    report = ConservedQuantityFinder("polynomial", random_state=0).fit(runs).report_
    (energy,) = report.quantities
    assert (energy.verdict, str(energy.expression)) == ("decaying", "v**2/2 + x**2/2")
    assert energy.rate == pytest.approx(0.1, rel=0.02)
    assert energy(runs).shape == (3000,)


def test_projectile_with_a_clock():
    def fall(t, s):
        return [s[1], -9.81]

    names, roles = ("y", "v", "t"), ("position", "velocity", "time")
    report = fitted(fall, starts([0, 0], [3, 30]), names, roles)
    assert report.n_conserved == 2
    v, t = sympy.symbols("v t")
    law = next(q.expression for q in report.quantities if q.expression.has(t))
    assert float(law.coeff(t) / law.coeff(v)) == pytest.approx(9.81, rel=0.002)
    assert "clock t" in report.title


@pytest.mark.slow
def test_a_drive_with_a_clock():
    def driven(t, s):
        return [s[1], -s[0] + 0.5 * np.cos(1.7 * t)]

    names, roles = ("x", "v", "t"), ("position", "velocity", "time")
    report = fitted(driven, starts([-1, -1], [1, 1]), names, roles)
    assert report.n_conserved == 1
    assert "cos(17*t/10)" in str(report.quantities[0].expression)


@pytest.mark.slow
def test_with_a_clock_what_decays_is_a_law():
    names, roles = ("x", "v", "t"), ("position", "velocity", "time")
    report = fitted(damped, starts([-1, -1], [1, 1]), names, roles)
    assert report.n_conserved == 1
    assert "exp(t/10)" in str(report.quantities[0].expression)


def test_a_clock_makes_no_law():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(30, 100, 2)).cumsum(axis=1)
    clock = np.broadcast_to(T[:, None], (30, 100, 1))
    runs = Trajectories(
        states=np.concatenate([walk, clock], axis=-1), times=T, roles=(None, None, "time")
    )
    report = ConservedQuantityFinder("polynomial", random_state=0).fit(runs).report_
    assert (report.n_conserved, report.quantities) == (0, [])


@pytest.mark.parametrize("share", [0, 1.0, -0.1, "a tenth", True, float("nan")])
def test_max_drift_is_a_share(share):
    with pytest.raises(ValueError, match="max_drift"):
        fitted(damped, starts([-1, -1], [1, 1], 8), ("x", "v"), None, max_drift=share)


@pytest.mark.parametrize(("share", "verdicts"), [(None, ["approximate"]), (0.001, [])])
def test_max_drift_says_what_is_nearly_conserved(share, verdicts):
    def anharmonic(t, s):
        return [s[1], -s[0] - 0.03 * s[0] ** 3]

    wells = starts([-1, -1], [1, 1])
    report = fitted(
        anharmonic, wells, ("x", "v"), None, 0.0, library=["x**2 + v**2"], max_drift=share
    )
    assert [q.verdict for q in report.quantities] == verdicts


@pytest.mark.parametrize(("unit", "origin"), [(1.0, 0.0), (1e3, 2e5)])
def test_what_a_flow_comes_to(tmp_path, unit, origin):
    """A stirred tank: glucose + 2 biomass comes to what flows in, from above and from below."""
    t, rng = np.linspace(0, 10, 100), np.random.default_rng(0)

    def rate(_, s):
        growth = 0.6 * s[0] / (1 + s[0]) * s[1]
        return [0.3 * (5 - s[0]) - 2 * growth, growth - 0.3 * s[1]]

    starts = rng.uniform([0.5, 0.2], [8, 4], (30, 2))
    states = np.array([solve_ivp(rate, (0, 10), s, t_eval=t, rtol=1e-9).y.T for s in starts])
    states += 0.005 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    states = states * [unit, 1.0] + [origin, 0]
    runs = Trajectories(states, t, ["glucose", "biomass"])
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    (law,) = report
    assert law.verdict == "decaying" and law.rate == pytest.approx(0.3, abs=0.003)
    # On the level nothing is lost, wherever on it.
    s, x = sympy.symbols("glucose biomass")
    lost = sympy.lambdify((s, x), law.loss)
    scale = law.rate * law.spread
    for biomass in (0.5, 1.5):
        assert abs(lost((5 - 2 * biomass) * unit + origin, biomass)) < 0.03 * scale
        assert abs(law([[(5 - 2 * biomass) * unit + origin, biomass]])[0] - law.decay.level) < (
            0.03 * law.spread
        )
    report.save(tmp_path / "report.json")
    loaded = DiscoveryReport.load(tmp_path / "report.json")[0]
    assert loaded.decay.level == law.decay.level != 0
    assert law.times(2, NUMBERS).decay.level == pytest.approx(2 * law.decay.level)
