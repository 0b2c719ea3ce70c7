"""Regularized least squares: its Jacobian, and the evidence on a model with known answer."""

import keras
import numpy as np
from keras import ops

from keras_ndm.mechanics import flat_weights, gauss_newton


class Line(keras.Model):
    """Residuals of y = w·x + b, linear in the weights."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)

    def residuals(self, x, y):
        return self.call(x[0]) - y


class Curve(Line):
    """The same through a tanh layer: not linear."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(5, activation="tanh")

    def call(self, x):
        return self.dense(self.first(x))


def built(kind):
    keras.utils.set_random_seed(0)
    model = kind()
    model(ops.zeros((1, 3)))
    return model


RNG = np.random.default_rng(0)
X = RNG.normal(size=(700, 3)).astype("float32")


def test_normal_equations_against_differences():
    """Rows come in chunks of 512: the last one is padded."""
    model = built(Curve)
    y = RNG.normal(size=(700, 2)).astype("float32")
    problem = gauss_newton.Residuals(model, (X,), y)
    theta = flat_weights.read(model)
    h = 1e-2
    columns = [
        (problem.values(theta + h * e) - problem.values(theta - h * e)) / (2 * h)
        for e in np.eye(len(theta))
    ]
    jacobian = np.stack(columns, axis=1)
    square, slope = problem.normal_equations(theta)
    np.testing.assert_allclose(square, jacobian.T @ jacobian, atol=1e-3 * np.abs(square).max())
    expected = jacobian.T @ problem.values(theta)
    np.testing.assert_allclose(slope, expected, atol=1e-3 * np.abs(slope).max())


def test_noise_and_covariance_of_a_linear_model():
    weights = RNG.normal(size=(3, 2))
    y = (X @ weights + 0.5 + 0.1 * RNG.normal(size=(700, 2))).astype("float32")
    model = built(Line)
    belief, loss = gauss_newton.fit(model, (X,), y, 30)
    np.testing.assert_allclose(belief.noise, 0.1, rtol=0.06)
    np.testing.assert_allclose(loss, 0.01, rtol=0.1)
    np.testing.assert_allclose(belief.determined, 8, rtol=0.01)
    # Of a weight of n unit regressors: noise / √n.
    draws = np.array([belief.draw(RNG) for _ in range(400)])
    np.testing.assert_allclose(draws.std(axis=0), 0.1 / np.sqrt(700), rtol=0.25)
    found = flat_weights.read(model)
    np.testing.assert_allclose(found[:6].reshape(3, 2), weights, atol=0.02)


def test_noise_is_not_fitted():
    """Nothing but noise: the widths shrink, and the noise is known all the same."""
    y = RNG.normal(size=(700, 2)).astype("float32")
    belief, _ = gauss_newton.fit(built(Curve), (X,), y, 40)
    assert belief.determined < 0.7 * len(belief.mean)
    np.testing.assert_allclose(belief.noise, 1.0, rtol=0.06)
