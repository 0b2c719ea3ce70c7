"""Leaving out terms: one eigenproblem tells what each is worth; formulas among dependent terms."""

import numpy as np
import pytest
from scipy import linalg

from discovery import Trajectories
from discovery.estimation.preparation import prepare
from discovery.formulas.pencil import Operators, leaving, lowest
from discovery.laws.finding import operators
from discovery.laws.finding.candidates import FLOOR, SLACK
from discovery.laws.finding.elimination import thinned
from discovery.libraries.rational import rational


def pencil(rng, size, spread):
    """Return W and D, with eigenvalues over `spread` orders of magnitude."""
    d = rng.normal(size=(size, size))
    w = rng.normal(size=(size, size)) * np.logspace(0, spread / 2, size)[:, None]
    return w.T @ w, d @ d.T + np.eye(size)


@pytest.mark.parametrize("spread", [0, 4, 8])
@pytest.mark.parametrize("size", [2, 3, 9])
def test_leaving_is_the_restricted_eigenproblem(size, spread):
    w, d = pencil(np.random.default_rng(size), size, spread)
    values, vectors = linalg.eigh(w, d)
    mu, mixed = leaving(values, vectors)
    for j in range(size):
        rest = np.delete(np.arange(size), j)
        exact, c = linalg.eigh(w[np.ix_(rest, rest)], d[np.ix_(rest, rest)])
        assert mu[j] == pytest.approx(exact[0], rel=1e-4)
        assert mixed[j, j] == 0
        found = mixed[j, rest]
        assert mixed[j] @ w @ mixed[j] / (mixed[j] @ d @ mixed[j]) == pytest.approx(mu[j], rel=1e-4)
        overlap = found @ d[np.ix_(rest, rest)] @ c[:, 0]
        assert overlap**2 == pytest.approx(mixed[j] @ d @ mixed[j], rel=1e-4)


def test_lowest_solves_every_row():
    w, d = pencil(np.random.default_rng(0), 6, 2)
    ops = operators_of(w, d)
    rows = np.array([[0, 1, 2], [1, 3, 5]])
    exact = [linalg.eigh(w[np.ix_(r, r)], d[np.ix_(r, r)])[0][0] for r in rows]
    np.testing.assert_allclose(lowest(ops, rows), exact, rtol=1e-6)


def operators_of(within, dirichlet):
    return Operators(within, dirichlet, np.eye(len(within)), dirichlet, 1000, 50)


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_a_formula_among_nearly_dependent_terms(noise):
    """A spring of length one: p²/2 + 2 r² − 4 r, where powers of r stand for each other."""
    rng = np.random.default_rng(3)
    size, phase = rng.uniform(0.1, 0.4, (60, 1)), rng.uniform(0, 6, (60, 1))
    turn = 2 * np.linspace(0, 12, 150) + phase
    clean = np.stack([1 + size * np.cos(turn), -2 * size * np.sin(turn)], axis=-1)
    measured = clean + noise * clean.std(axis=(0, 1)) * rng.normal(size=clean.shape)
    runs = Trajectories(states=measured, names=["r", "p"], roles=["position", "momentum"])
    orbits = prepare(runs)
    library = rational(runs.names, runs.roles, [0])
    ops = operators.operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
    support, pivot = next(thinned(ops, 1, library.costs(), SLACK, FLOOR))
    assert pivot in support
    assert {str(library.expressions()[j]) for j in support} == {"p**2", "r", "r**2"}
