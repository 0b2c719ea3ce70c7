"""Runs of small systems, and their laws as a report gives them."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import Trajectories
from discovery.dynamics.equations import Law


@pytest.fixture(scope="session")
def simulated():
    """Return a function that integrates rates from starts (n, d) and adds noise."""

    def runs(rates, starts, times, names, roles, noise=0.01, seed=0):
        states = np.array([exact(rates, start, times) for start in starts])
        level = noise * states.std(axis=(0, 1))
        states = states + level * np.random.default_rng(seed).normal(size=states.shape)
        made = Trajectories(states=states, times=times, names=names, roles=roles)
        return made, dict(zip(names, level, strict=True))

    return runs


def exact(rates, start, times):
    """Return the states (k, d) of a motion."""
    span = (times[0], times[-1])
    solved = solve_ivp(lambda _, s: rates(*s), span, start, t_eval=times, rtol=1e-9, atol=1e-11)
    return solved.y.T


def law(text, losses=(), factors=()):
    """Return a law written as a sum of numbers times terms."""
    terms = dict(term.as_coeff_Mul()[::-1] for term in sympy.Add.make_args(sympy.sympify(text)))
    return Law.of(terms, tuple(map(sympy.sympify, losses)), factors)
