"""Learned features: derivatives, what they find, and how they are described."""

import pickle

import numpy as np
import pytest

from discovery import datasets
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.evidence import gather
from discovery.laws.judging.law import Law
from discovery.laws.learned.library import LearnedLibrary, Network
from discovery.laws.search import analyse
from discovery.laws.stages import Learned
from discovery.report.description import described
from discovery.report.quantity import Quantity


@pytest.fixture
def library():
    rng = np.random.default_rng(0)
    layers = ((4, 8), (8, 8), (8, 3))
    layers = tuple((rng.normal(size=s) / 2, rng.normal(size=s[1])) for s in layers)
    network = Network(np.array([0.1, 0.0, 0.3]), np.array([1.0, 2.0, 0.5]), (1,), layers)
    return LearnedLibrary(["x", "theta", "v"], network)


def test_derivatives_are_those_of_the_values(library):
    rng = np.random.default_rng(1)
    points = rng.normal(size=(5, 3))
    factor = rng.normal(size=(5, 3, 3))
    covariance = factor @ np.swapaxes(factor, 1, 2)
    values, slopes, bend = library.jets(points, covariance, order=2)
    step = 1e-4
    for i in range(3):
        ahead, behind = points.copy(), points.copy()
        ahead[:, i] += step
        behind[:, i] -= step
        slope = (library.values(ahead) - library.values(behind)) / (2 * step)
        np.testing.assert_allclose(slopes[i], slope, rtol=1e-5, atol=1e-7)
    half = np.linalg.cholesky(covariance)
    second = sum(
        library.values(points + step * half[:, :, j])
        + library.values(points - step * half[:, :, j])
        - 2 * values
        for j in range(3)
    )
    np.testing.assert_allclose(bend, second / step**2, rtol=1e-4, atol=1e-5)


def test_an_angle_may_wind(library):
    points = np.random.default_rng(2).normal(size=(5, 3))
    turned = points + np.array([0, 2 * np.pi, 0])
    np.testing.assert_allclose(library.values(points), library.values(turned), atol=1e-12)


def test_restricting_keeps_values_and_survives_pickling(library):
    points = np.random.default_rng(3).normal(size=(5, 3))
    chosen = pickle.loads(pickle.dumps(library.restrict([2, 0])))
    np.testing.assert_allclose(chosen.values(points), library.values(points)[[2, 0]])
    assert [str(e) for e in chosen.expressions()] == ["f3(x, theta, v)", "f1(x, theta, v)"]


def test_a_description_is_short():
    """x, and steps in all directions that no monomial describes: one term says most of it."""
    rng = np.random.default_rng(4)
    first = np.column_stack([[0.05, 0.0], 8 * rng.normal(size=(2, 20))]), np.zeros(21)
    last = np.append(20.0, 0.1 * rng.normal(size=20))[:, None], np.zeros(1)
    library = LearnedLibrary(["x", "v"], Network(np.zeros(2), np.ones(2), (), (first, last)))
    states = rng.normal(size=(600, 2))
    path = raw_path(states, np.full(2, 0.01))
    orbits = Orbits(path, path, np.arange(0, 601, 20), states.std(axis=0))
    evidence = gather(library, np.ones(1), orbits, rng)
    law = Law(library, np.ones(1), library.expressions()[0], evidence, "exact", 100.0)
    quantity = described(Quantity.from_law(law), states[:300], states[300:])
    assert quantity.expression.free_symbols == {library.symbols[0]}
    assert len(quantity.expression.as_ordered_terms()) == 1
    assert 0.01 < quantity.approximation_error < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name, most", [("henon_heiles", 1), ("damped_pendulum", 0), ("lorenz", 0)])
def test_features_find_what_is_conserved(name, most):
    from discovery.laws.learned.training import train_features

    rng = np.random.default_rng(0)
    runs = datasets.load(name, noise=0.01, seed=1)
    split = Split.draw(prepare(runs), rng)
    learned = Learned(lambda fit: train_features(fit, runs.names, runs.roles, rng))
    laws = analyse([learned], split, rng).laws
    assert len(laws) == most
    for law in laws:
        states = split.held.smoothed.states
        quantity = described(Quantity.from_law(law), split.fit.smoothed.states, states)
        truth = next(iter(runs.truth.values()))(states)
        assert abs(np.corrcoef(quantity(states), truth)[0, 1]) > 0.99
        assert quantity.approximation_error < 0.05
        assert quantity.formula.startswith("a network")
