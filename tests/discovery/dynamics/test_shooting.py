"""Long windows: they tell what short ones do not, and only as long as the motion follows them."""

import re

import numpy as np
import pytest
import sympy

from discovery.dynamics.equations import Equations, real_symbol
from discovery.dynamics.routes import motion_of
from discovery.dynamics.shooting import shoot
from discovery.dynamics.windows import Measured

from .conftest import exact, law

TIMES = np.linspace(0, 24, 160)
ROLES = ["position", "velocity"]
ENERGY = law("u**2/2 + 0.57*x**2")


def spring(x, u):
    return u, -1.14 * x


def hardening(x, u):
    return u, -1.14 * x - 0.002 * x**3


def attracted(x, y, u, v, root=np.sqrt):
    cube = root(x * x + y * y) ** 3
    return u, v, -x / cube, -y / cube


def starts(n):
    return np.random.default_rng(4).normal(size=(n, 2))


def runs_of(simulated, rates, n=8, seed=0):
    return simulated(rates, starts(n), TIMES, list("xu"), ROLES, 0.02, seed)


def test_joined_windows_hold_the_same_samples(simulated):
    runs, levels = runs_of(simulated, spring, n=3)
    windows = Measured.of(runs, np.array([*levels.values()]), np.ones(2)).windows(45)
    assert windows.size.tolist() == [40] * 12
    longer = windows[np.arange(12) != 1].joined()
    # Only neighbours of one run are joined.
    assert longer.size.tolist() == [40, 80, 80, 80, 80, 80]
    assert longer.count == windows.count - 80
    np.testing.assert_array_equal(longer.states[1], runs.states[0][80:])
    np.testing.assert_array_equal(longer.times[2], TIMES[:80])
    whole = windows.joined().joined()
    assert whole.size.tolist() == [160] * 3
    np.testing.assert_array_equal(whole.states, runs.states)
    assert len(whole.joined()) == 3


def test_long_windows_tell_the_period(simulated):
    runs, levels = runs_of(simulated, spring)
    motion = motion_of([ENERGY], [], runs, levels)
    assert "±" not in str(motion)
    motion = motion.refit()
    # Windows of 40 samples alone leave four times as much.
    assert motion.standard_errors["x**2"] < 1e-4
    error = f"{motion.standard_errors['x**2']:.1g}"
    number = f"{motion.coefficients['x**2']:.{len(error)}f}"
    assert re.search(rf"fitted: x\*\*2: {number[:-1]}\d* ± {error}", str(motion))
    assert motion.coefficients["x**2"] == pytest.approx(0.57, abs=3e-4)
    assert motion.uncertain == ()


def test_windows_stay_short_where_the_motion_is_not_exact(simulated):
    runs, levels = runs_of(simulated, hardening)
    motion = motion_of([ENERGY], [], runs, levels).refit()
    assert motion.residual < 1.5
    assert any("more than noise explains" in what for what in motion.uncertain)


def test_the_start_of_a_forecast_knows_the_coefficients(simulated):
    # The window's start makes up for a wrong spring: without that, errors would be too large.
    scores = []
    for seed in range(5, 8):
        runs, levels = runs_of(simulated, spring, n=1, seed=seed)
        motion = motion_of([ENERGY], [], runs, levels).refit()
        later = np.linspace(25, 30, 6)
        found = motion.forecast(runs.states[0], TIMES, later)
        true = exact(spring, starts(1)[0], np.array([0.0, *later]))[1:]
        scores.append((found.states - true) / found.error)
    assert 0.5 < np.std(scores) < 1.6


def test_the_whole_window_tells_the_start(simulated):
    runs, levels = runs_of(simulated, spring)
    motion = motion_of([ENERGY], [], runs, levels).refit()
    times = np.arange(0, 60, 0.15)
    begun = np.array([0.7, 0.4])
    true = exact(spring, begun, np.array([*times, times[-1] + 3.0]))
    level = np.array([*levels.values()])
    noise = level * np.random.default_rng(2).normal(size=(len(times), 2))
    found = motion.forecast(true[:-1] + noise, times, [times[-1] + 3.0])
    assert np.abs(found.states[0] - true[-1]).max() < 0.2 * level.max()
    assert 0.7 < found.chi_square < 1.3


def test_a_start_that_is_far_off_holds_back_no_other(simulated):
    """Of noisy orbits about a centre some starts are so far off that no step is better."""
    rng, n, times = np.random.default_rng(1), 24, np.linspace(0, 15, 120)
    e, turn, size = rng.uniform(0, 0.5, n), rng.uniform(0, 6.3, n), rng.uniform(0.8, 1.3, n)
    near = size * (1 - e)
    speed, c, s = np.sqrt((1 + e) / near), np.cos(turn), np.sin(turn)
    begun = np.stack([near * c, near * s, -speed * s, speed * c], axis=1)
    runs, levels = simulated(attracted, begun, times, list("xyuv"), None, 0.05, 1)
    noise = np.array([*levels.values()])
    windows = Measured.of(runs, noise, runs.rows.std(axis=0)).windows()
    symbols = tuple(map(real_symbol, "xyuv"))
    rates = attracted(*symbols, root=sympy.sqrt)
    fit = shoot(Equations(symbols, rates, (), np.empty(0), ()), windows, free=False)
    assert fit.per_freedom == pytest.approx(1, abs=0.1)


def test_a_start_on_another_orbit_finds_back(simulated):
    begun = np.array([[1.0, 0, 0, s] for s in np.linspace(0.8, 1.1, 8)])
    roles = ["position"] * 2 + ["velocity"] * 2
    runs, levels = simulated(attracted, begun, np.linspace(0, 12, 40), list("xyuv"), roles, 0.03)
    symbols = tuple(map(real_symbol, "xyuv"))
    pull, x, y = sympy.Symbol("a"), *symbols[:2]
    rates = [symbols[2], symbols[3], *(-pull * q / (x**2 + y**2) ** 1.5 for q in (x, y))]
    equations = Equations(symbols, tuple(rates), (pull,), np.array([1.03]), ("pull",))
    windows = Measured.of(runs, np.array([*levels.values()]), np.ones(4)).windows()
    # The orbit the other way round: along all of the window it is in a valley of its own.
    windows.starts[2, 3] *= -1
    fit = shoot(equations, windows)
    assert fit.per_freedom < 1.3
    assert abs(fit.values[0] - 1) < 4 * np.sqrt(fit.covariance[0, 0])
