"""Waves in a plane and in space: products of waves along the axes."""

import numpy as np
import pytest

from discovery.pde.basis import Basis


@pytest.fixture(scope="module")
def basis():
    """Return waves in a plane, between walls along the first axis; some are left out."""
    return Basis((8, 9), (0.3, 0.5), (True, False)).among(np.arange(1, 50))


def test_waves_are_orthonormal():
    shapes = Basis((4, 5, 3), (1.0, 2.0, 0.5), (False, True, False)).dense()
    np.testing.assert_allclose(shapes.T @ shapes, np.eye(60), atol=1e-13)


def test_waves_of_one_shell_have_one_wave_number():
    """On a square ring waves (3, 4) and (5, 0) swing alike; a longer side has longer waves."""
    square = Basis((12, 12), (0.5, 0.5), (False, False))
    of = {tuple(k): s for k, s in zip(square.frequencies, square.shells, strict=True)}
    assert of[3, 4] == of[5, 0] == of[0, 5] == 5 and of[0, 0] == 0
    assert np.all(np.diff(square.shells) >= 0)
    oblong = Basis((12, 12), (1.0, 0.5), (False, False))
    of = {tuple(k): s for k, s in zip(oblong.frequencies, oblong.shells, strict=True)}
    assert of[2, 0] == of[0, 1] == 2


def test_a_derivative_in_closed_form():
    plane = Basis((10, 16), (0.4, 0.25), (False, False))
    ky, kx = 2 * np.pi / 4, 2 * np.pi * 2 / 4
    y, x = np.meshgrid(0.4 * np.arange(10), 0.25 * np.arange(16), indexing="ij")
    amplitudes = plane.amplitudes((np.sin(ky * y) * np.cos(kx * x)).reshape(1, -1))
    found = plane.field(amplitudes, (1, 2))[0]
    expected = -ky * kx**2 * np.cos(ky * y) * np.cos(kx * x)
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-12)


@pytest.mark.parametrize("orders", [(), (1, 0), (2, 1)])
def test_fast_sums_are_those_of_the_matrix(basis, orders):
    rng = np.random.default_rng(0)
    amplitudes, values = rng.normal(size=(3, 49)), rng.normal(size=(3, 72))
    shapes = basis.dense(orders)
    np.testing.assert_allclose(basis.field(amplitudes, orders), amplitudes @ shapes.T, atol=1e-11)
    np.testing.assert_allclose(basis.amplitudes(values, orders), values @ shapes, atol=1e-11)
    local = basis.local(amplitudes**2, orders, (0, 1))
    np.testing.assert_allclose(local, amplitudes**2 @ (shapes * basis.dense((0, 1))).T, atol=1e-11)
    np.testing.assert_allclose(basis.power(values**2), values**2 @ basis.dense() ** 2, atol=1e-12)


def test_another_unit_of_length(basis):
    np.testing.assert_allclose(
        basis.scaled(10.0).dense((1, 1)), 100 * basis.dense((1, 1)), atol=1e-9
    )
