"""Logarithms of what is positive, whatever the rates or the other columns look like."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories

T = np.linspace(0, 20, 120)


def runs_of(rate, starts, names, roles=None, noise=0.01):
    states = [solve_ivp(rate, (0, T[-1]), x, t_eval=T, rtol=1e-9, atol=1e-12).y.T for x in starts]
    rng, spread = np.random.default_rng(1), np.concatenate(states).std(axis=0)
    noisy = [s + noise * spread * rng.standard_normal(s.shape) for s in states]
    return Trajectories(noisy, T, names, roles)


def laser():
    """Photons and inversion, whose rate is a multiple of the photons: a place's of its velocity."""
    rng = np.random.default_rng(0)
    starts = np.c_[rng.uniform(0.3, 2.5, 30), rng.uniform(-0.8, 0.8, 30)]
    return lambda t, s: [s[0] * s[1], 1 - s[0]], starts


def rocket():
    """Speed and mass; the burn rate depends on the time, so that states are not whole."""
    rng = np.random.default_rng(0)
    starts = np.c_[rng.uniform(0, 0.3, 30), rng.uniform(2, 5, 30)]

    def rate(t, s):
        burn = 0.1 * (1 + 0.8 * np.sin(0.7 * t))
        return [2.4 * burn / s[1], -burn]

    return rate, starts


@pytest.mark.parametrize(
    ("system", "names", "roles", "term"),
    [
        (laser, ["I", "n"], None, "log(I)"),
        (rocket, ["v_m_s", "mass_kg"], None, "log(mass_kg)"),
        (rocket, ["a", "b"], ["velocity", "amount"], "log(b)"),
    ],
)
def test_logarithms_come_before_imitations(system, names, roles, term):
    runs = runs_of(*system(), names, roles)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    (law,) = report
    assert law.verdict == "exact" and report.searched[-1].startswith("logarithmic")
    symbols = {s.name: s for s in law.expression.free_symbols}
    assert sympy.sympify(term, locals=symbols) in law.expression.atoms(sympy.log)
