"""Orbits between two points of a learned Lagrangian."""

import keras
import numpy as np
import pytest

from keras_ndm import LagrangianManifold

TIMES = np.linspace(0, 1.2, 65)


@pytest.fixture(scope="module")
def model():
    """A Lagrangian with an angle, hardly trained: its own orbits are what is to be found."""
    keras.utils.set_random_seed(0)
    q, v = np.random.default_rng(0).normal(size=(2, 200, 2))
    model = LagrangianManifold(angles=(0,), hidden=(8,))
    model.compile(keras.optimizers.Adam(0.03))
    model.fit((q, v), -np.sin(q), epochs=10, batch_size=100, verbose=0)
    return model


@pytest.fixture(scope="module")
def starts():
    """Fast enough that no orbit turns back: a second one of the same energy would."""
    q = np.random.default_rng(1).normal(size=(3, 2))
    return q / 2, np.array([[1.5, 0.5], [-1.0, 1.2], [0.3, -1.6]])


@pytest.fixture(scope="module")
def path(model, starts):
    return model.rollout(*starts, TIMES)


def test_in_a_time(model, starts, path):
    found = model.connect(starts[0], path[:, -1, :2], time=TIMES[-1])
    assert found.converged.all() and found.points.shape == (3, 65, 2)
    np.testing.assert_allclose(found.points, path[:, :, :2], atol=1e-3)
    np.testing.assert_allclose(found.velocity, starts[1], atol=2e-3)
    np.testing.assert_allclose(found.energy, model.energy(*starts), rtol=0.01, atol=1e-3)


def test_with_an_energy(model, starts, path):
    energy = model.energy(*starts)
    found = model.connect(starts[0], path[:, -1, :2], energy=energy)
    assert found.converged.all()
    np.testing.assert_allclose(found.times[:, -1], TIMES[-1], atol=2e-3)
    np.testing.assert_allclose(found.velocity, starts[1], atol=2e-3)
    np.testing.assert_allclose(found.energy, energy, atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either `energy` or `time`"),
        ({"energy": 1.0, "time": 1.0}, "either `energy` or `time`"),
        ({"energy": -50.0}, "the motion cannot go there"),
        ({"time": -1.0}, "`time` must be positive"),
        ({"time": np.ones(7)}, "or one for each of 3 pairs"),
        ({"time": 1.0, "points": 0}, "`points` must be a whole number"),
    ],
)
def test_bad_input(model, starts, arguments, message):
    with pytest.raises(ValueError, match=message):
        model.connect(starts[0], starts[0] + 1, **arguments)


def test_another_dimension(model):
    with pytest.raises(ValueError, match="has 3 coordinates; the model has 2"):
        model.connect(np.zeros((1, 3)), np.ones((1, 3)), time=1.0)


def test_forces_of_no_potential_are_refused():
    model = LagrangianManifold(hidden=(4,), magnetic=True)
    q, v = np.random.default_rng(0).normal(size=(2, 20, 2))
    model.adapt((q, v), -q)
    with pytest.raises(ValueError, match="built with one_form"):
        model.connect(q[:1], q[1:2], time=1.0)


@pytest.mark.slow
def test_lamberts_problem():
    """Kepler's potential learned at 1 % noise: orbits within 1 % of the true ones."""
    from scipy.integrate import solve_ivp

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    radius, angle = rng.uniform(0.6, 1.6, 2000), rng.uniform(-np.pi, np.pi, 2000)
    q = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    v = 0.7 * rng.normal(size=q.shape)
    a = -q / radius[:, None] ** 3
    a += 0.01 * a.std() * rng.normal(size=a.shape)
    model = LagrangianManifold(hidden=(32, 32))
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=True)
    model.fit((q, v), a, epochs=60, batch_size=100, verbose=0)
    model.polish((q, v), a)

    def rates(t, y):
        return np.r_[y[2:], -y[:2] / np.hypot(*y[:2]) ** 3]

    start = np.array([1.0, 0.0, 0.1, 1.05])
    times = np.linspace(0, 1.3, 129)
    true = solve_ivp(rates, (0, 1.3), start, t_eval=times, rtol=1e-10, atol=1e-12).y[:2].T
    found = model.connect(true[:1], true[-1:], time=1.3, points=128)
    assert found.converged.all()
    assert np.abs(found.points[0] - true).max() < 0.01
