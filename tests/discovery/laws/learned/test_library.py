"""Learned features: derivatives, what they find, and how they are described."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from discovery import datasets
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.learned.library import LearnedLibrary, Network
from discovery.laws.learned.training import gives_up, lost_information, train_features
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


def test_training_ends_early_where_no_feature_becomes_flat():
    assert not gives_up([300.0])  # one look shows no pace
    assert gives_up([300.0, 280.0]) and gives_up([20.0, 25.0])
    # At this pace a sixteenth is left after 16 rounds.
    assert not gives_up([300.0, 75.0])
    assert gives_up([300.0, 75.0, 70.0]) and not gives_up([300.0, 75.0, 20.0])


def test_the_gradient_of_the_information_is_that_of_its_values():
    rng = np.random.default_rng(4)
    features, way = rng.normal(size=(2, 7, 5, 2, 3))
    ahead, behind = (lost_information(features + s * way)[0] for s in (1e-5, -1e-5))
    slope = lost_information(features)[1]
    assert np.sum(slope * way) == pytest.approx((ahead - behind) / 2e-5, rel=1e-7)


def test_features_become_flat():
    """Of the gradient through the layers too: a wrong one leaves them where they began."""
    runs = datasets.load("harmonic_oscillator", 30, 60, noise=0.01, seed=0)
    orbits = prepare(runs)
    library = train_features(orbits, runs.names, runs.roles, np.random.default_rng(0))
    flattest = library.values(orbits.smoothed.states)[0].reshape(30, 60)
    assert flattest.std(axis=1).mean() < 0.05 * flattest.std()


def test_no_framework_starts_to_learn_features():
    script = (
        "import sys, numpy\n"
        "from discovery import datasets\n"
        "from discovery.estimation.preparation import prepare\n"
        "from discovery.laws.learned.training import train_features\n"
        "runs = datasets.load('harmonic_oscillator', 10, 40, noise=0.01, seed=0)\n"
        "train_features(prepare(runs), runs.names, runs.roles, numpy.random.default_rng(0))\n"
        "print('keras' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert out.stdout.strip() == "False"


@pytest.mark.slow
@pytest.mark.parametrize("name, most", [("henon_heiles", 1), ("damped_pendulum", 0), ("lorenz", 0)])
def test_features_find_what_is_conserved(name, most):
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
