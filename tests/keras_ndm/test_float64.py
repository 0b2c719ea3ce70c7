"""Layers and models in double precision, by their own dtype or by Keras' policy."""

import keras
import numpy as np
import pytest

from keras_ndm import (
    CoordinateLayer,
    FlowDensity,
    GaussianRegression,
    LagrangianManifold,
    MetricLayer,
    NaturalGradient,
    NeuralDifferentialManifold,
    charts,
)

X = np.random.default_rng(0).normal(size=(40, 2))


def small():
    return charts.Autoregressive(hidden=(4,))


@pytest.fixture(params=["float64", "float32"])
def double(float64, request):
    """Double precision as Keras' policy, with data in either of Keras' floatx."""
    keras.config.set_floatx(request.param)


@pytest.fixture
def available(float64):
    """Double precision for what asks for it, in a Keras of single precision."""
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def fitted(density):
    density.compile("adam")
    density.fit(X, epochs=1, verbose=0)
    return density


def test_a_density_under_the_policy(double):
    density = fitted(FlowDensity(small()))
    assert density.log_prob(X).dtype == density.sample(3, seed=0).dtype == "float64"
    assert (density.log_prob(X + 1e-9) != density.log_prob(X)).all()


@pytest.mark.parametrize("make", [small, lambda: charts.Atlas(2, small()), lambda: [small()]])
def test_a_density_of_its_own_dtype(available, make):
    density = fitted(FlowDensity(make(), dtype="float64"))
    assert density.log_prob(X).dtype == density.sample(3, seed=0).dtype == "float64"


def test_a_density_of_less_than_the_policy(double):
    density = FlowDensity(small(), dtype="float32")
    density.adapt(X)
    assert density.log_prob(X).dtype == "float32"


def test_a_chart_takes_its_layers_dtype(available):
    layer = CoordinateLayer(small(), dtype="float64")
    assert keras.backend.standardize_dtype(layer(X).dtype) == "float64"


def test_states_and_orbits_under_the_policy(double):
    model = NeuralDifferentialManifold(hidden=(4,), metric=MetricLayer(hidden=(4,)))
    model.compile("adam")
    model.fit(X, X, epochs=1, verbose=0)
    there, jacobian = model.step(X)
    assert there.shape == (40, 2) and jacobian.shape == (40, 2, 2)
    q, v = X[:, :1], X[:, 1:]
    pendulum = LagrangianManifold(angles=(0,), hidden=(4,))
    pendulum.compile("adam")
    pendulum.fit((q, v), -np.sin(q), epochs=1, verbose=0)
    assert pendulum.connect([[0.0]], [[0.1]], time=0.1, points=8).points.shape == (1, 9, 1)


def test_the_natural_gradient_under_the_policy(double):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(NaturalGradient(), "mse")
    losses = model.fit(X, X[:, :1], epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_columns_far_from_zero_vary(double):
    """A thousand million spreads away; in double precision that is no column that stands still."""
    if keras.config.floatx() == "float32":
        pytest.skip("Keras' data are of single precision then")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    targets = x + 0.1 * rng.normal(size=x.shape)
    found = []
    for apart in (0.0, 1e9):
        keras.utils.set_random_seed(0)
        model = GaussianRegression(targets=1, hidden=(4,))
        model.compile("adam")
        model.fit(x, targets + apart, epochs=2, shuffle=False, verbose=0)
        mean, covariance = model.mean_and_covariance(x)
        found.append([mean - apart, covariance[..., 0]])
    np.testing.assert_allclose(*found, atol=1e-4)


def test_states_far_from_zero_move_as_near_it(double):
    if keras.config.floatx() == "float32":
        pytest.skip("Keras' data are of single precision then")
    angle = 0.1 * np.arange(300)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    losses = []
    for apart in (0.0, 1e9):
        keras.utils.set_random_seed(0)
        model = NeuralDifferentialManifold(hidden=(4,))
        model.compile("adam")
        states = x + apart
        history = model.fit(states[:-1], states[1:], epochs=1, shuffle=False, verbose=0).history
        losses.append(history["loss"][0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
