"""A manifold of the user's coordinates, seen from a frame."""

from fractions import Fraction

import numpy as np

from discovery.data.frame import Frame
from discovery.estimation.manifold import FramedManifold

FRAME = Frame((Fraction(100), Fraction(0)), (3, -2), (False, True))
MATRIX = np.array([[0.9, 50.0], [-1e-6, 0.8]])


class Linear:
    """x ↦ c + A (x − c), with a noise that grows along x."""

    dim, timed = 2, False

    def step(self, states, intervals):
        ahead = FRAME.origin + (states - FRAME.origin) @ MATRIX.T
        return ahead, np.broadcast_to(MATRIX, (len(states), 2, 2))

    def noise_covariance(self, x):
        return np.abs(x[:, :1, None]) * np.array([[4.0, 1e-3], [1e-3, 9e-6]])


def test_steps_and_their_jacobian():
    inside = np.random.default_rng(0).normal(size=(5, 2))
    framed = FramedManifold(Linear(), FRAME)
    ahead, jacobian = framed.step(inside, None)
    expected, _ = Linear().step(FRAME.outside(inside), None)
    np.testing.assert_allclose(FRAME.outside(ahead), expected)
    moved, _ = framed.step(inside + np.array([1e-3, 0]), None)
    np.testing.assert_allclose((moved - ahead) / 1e-3, jacobian[:, :, 0], rtol=1e-6)


def test_noise_keeps_its_size_against_the_states():
    inside = np.random.default_rng(0).normal(size=(5, 2))
    framed = FramedManifold(Linear(), FRAME).noise_covariance(inside)
    plain = Linear().noise_covariance(FRAME.outside(inside))
    np.testing.assert_allclose(framed[:, 0, 0], plain[:, 0, 0] / 1e6)
    np.testing.assert_allclose(framed[:, 0, 1], -plain[:, 0, 1] / 10)


def test_a_model_without_steps():
    manifold = Linear()
    manifold.step = None
    assert FramedManifold(manifold, FRAME).step is None
