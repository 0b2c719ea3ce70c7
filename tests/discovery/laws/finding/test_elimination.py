"""Formulas among nearly dependent terms, by leaving out terms of the whole library."""

import numpy as np
import pytest

from discovery import Trajectories
from discovery.criteria import FORMULAS
from discovery.estimation.preparation import prepare
from discovery.laws.finding import operators
from discovery.laws.finding.elimination import thinned
from discovery.libraries.rational import rational


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
    support, pivot = next(thinned(ops, 1, library.costs(), FORMULAS.flatness_slack))
    assert pivot in support
    assert {str(library.expressions()[j]) for j in support} == {"p**2", "r", "r**2"}
