"""Integrals over the grid: values, gradients, and what noise does to them."""

from dataclasses import replace

import numpy as np
import pytest

from discovery.pde.densities import Jets, custom
from discovery.pde.grid import grid_of
from discovery.pde.integrals import Integrals


@pytest.fixture(scope="module")
def integrals():
    """Return unlike densities on a grid of two fields, one between walls, some waves left out."""

    grid = replace(
        grid_of([f"{f}{p}" for f in "uv" for p in range(16)], 0.3), walls=((False,), (True,))
    )
    jets = Jets(grid.fields)
    own = custom(["u**4", "u*v_x", "u_xx**2", "cos(u)*v", "u_x*v_x"], jets)
    bases = [b.among(np.arange(k)) for b, k in zip(grid.bases(), (9, 6), strict=True)]
    return Integrals(own.expressions, jets, grid, bases)


def test_integrals_in_closed_form():
    grid = grid_of([f"u{p}" for p in range(32)], 2 * np.pi / 32)
    jets = Jets(grid.fields)
    own = custom(["u", "u**2", "u_x**2", "u_xx**2", "u**4"], jets)
    parts = Integrals(own.expressions, jets, grid)
    wave = 0.5 + np.sin(3 * 2 * np.pi / 32 * np.arange(32))
    values = parts.values(parts.amplitudes(wave[None]))[:, 0]
    quartic = 2 * np.pi * (0.5**4 + 6 * 0.25 / 2 + 3 / 8)
    expected = [np.pi, 2 * np.pi * 0.75, 9 * np.pi, 81 * np.pi, quartic]
    np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_gradients_by_differences(integrals):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 15))
    slopes = integrals.gradients(a)
    assert slopes.shape == (3, 5, 15)
    for i in range(15):
        step = 1e-6 * np.eye(15)[i]
        quotient = (integrals.values(a + step) - integrals.values(a - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, :, i], quotient.T, atol=1e-6 * np.abs(slopes).max())


def test_moments_by_drawing_noise(integrals):
    """Over draws of noise the mean is that of no noise, and the covariance is what is claimed."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=15)
    noise = np.outer([0.03, 0.09], 1 + 0.5 * np.cos(2 * np.pi * np.arange(16) / 16))
    error = rng.uniform(0.2, 1.0, 15)
    grid_noise = noise.ravel() * rng.standard_normal((20000, 32))
    drawn = a + np.sqrt(error) * integrals.amplitudes(grid_noise)
    values, covariance = integrals.moments(drawn, np.broadcast_to(error, drawn.shape), noise)
    truth = integrals.values(a[None])[:, 0]
    standard = values.std(axis=0) / np.sqrt(len(values))
    # Noise that varies from point to point is known there to second order only.
    plain = np.abs(integrals.values(drawn).mean(axis=1) - truth)
    left = np.abs(values.mean(axis=0) - truth)
    assert np.all(left < 4 * standard + 0.1 * plain) and np.max(plain / standard) > 5
    size = np.sqrt(np.diag(np.cov(values.T)))
    claimed = covariance.mean(axis=0) / np.outer(size, size)
    np.testing.assert_allclose(claimed, np.cov(values.T) / np.outer(size, size), atol=0.05)
