"""Polynomials fitted to scattered samples."""

import numpy as np
import pytest

from discovery.estimation.iterates.regression import Polynomial, ways

SAMPLES = np.random.default_rng(0).uniform(-1, 1, (800, 2))
PLACES = np.random.default_rng(1).uniform(-0.6, 0.6, (50, 2))
FITS = {"one for all": Polynomial(8), "about each place": Polynomial(3, 30)}


def field(x):
    """Neither symmetric nor square: three values of two coordinates."""
    return np.stack([np.sin(x[:, 0]) * x[:, 1], x[:, 0] ** 2, np.exp(x[:, 1] / 2)], axis=1)


def slopes(x):
    zero = np.zeros(len(x))
    rows = [
        [np.cos(x[:, 0]) * x[:, 1], np.sin(x[:, 0])],
        [2 * x[:, 0], zero],
        [zero, np.exp(x[:, 1] / 2) / 2],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_values_and_slopes_of_a_smooth_map(fit):
    found = fit.predict(SAMPLES, field(SAMPLES), PLACES)
    np.testing.assert_allclose(found.values, field(PLACES), atol=2e-4)
    np.testing.assert_allclose(found.slopes, slopes(PLACES), atol=2e-2)


@pytest.mark.parametrize("fit", [Polynomial(2), Polynomial(2, 40)])
def test_the_leverage_is_the_variance_of_a_prediction(fit):
    """Of white noise with variance one, over 400 draws."""
    draws = np.random.default_rng(2).standard_normal((len(SAMPLES), 400))
    found = fit.predict(SAMPLES, draws, PLACES)
    np.testing.assert_allclose(found.values.var(axis=1).mean(), found.leverage.mean(), rtol=0.05)


def test_samples_on_a_curve_are_no_obstacle():
    x = np.stack([SAMPLES[:, 0], SAMPLES[:, 0] ** 2], axis=1)
    found = Polynomial(3, 30).predict(x, np.cos(x[:, :1]), x[:20])
    np.testing.assert_allclose(found.values, np.cos(x[:20, :1]), atol=1e-3)


def test_few_samples_admit_few_ways():
    assert not list(ways(5, 2))
    assert [fit.degree for fit in ways(30, 2)] == [1, 2]
    assert all(fit.nearest <= 200 for fit in ways(2000, 3))
