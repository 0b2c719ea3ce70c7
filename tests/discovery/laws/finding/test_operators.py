"""The operators W, D and B against direct sums, and the spectrum on orbits that are known."""

import itertools

import numpy as np
import pytest
import sympy
from scipy import linalg

from discovery import libraries
from discovery.estimation.path import Path, raw_path
from discovery.laws.finding.operators import noise_weights, operators, spectrum

NAMES = ("x", "u")
TERMS = ["x", "u**2", "x*u", "x**2*u", "1/(2 + x**2)"]
LENGTHS = (3, 150, 64, 1, 90)


@pytest.fixture(scope="module")
def library():
    return libraries.custom(TERMS, NAMES)


@pytest.fixture(scope="module")
def path():
    """States with a full covariance that differs from place to place."""
    rng = np.random.default_rng(0)
    n = sum(LENGTHS)
    root = 0.1 * rng.normal(size=(n, 2, 2))
    return Path(rng.normal(size=(n, 2)), root @ np.swapaxes(root, 1, 2) + 1e-3 * np.eye(2))


OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
SCALE = np.array([0.7, 1.9])


def dense(path, weights):
    """Sum sample by sample, with derivatives by SymPy."""
    symbols = sympy.symbols(NAMES, real=True)
    terms = sympy.Matrix(
        [sympy.sympify(t, locals=dict(zip(NAMES, symbols, strict=True))) for t in TERMS]
    )
    jacobian = terms.jacobian(symbols)
    values = sympy.lambdify(symbols, list(terms))
    slopes = sympy.lambdify(symbols, jacobian)
    bends = sympy.lambdify(symbols, [sympy.hessian(t, symbols) for t in terms])
    m = len(TERMS)
    phi = np.empty((len(path.states), m))
    dirichlet, unit, within = np.zeros((m, m)), np.zeros((m, m)), np.zeros((m, m))
    for n, (state, sigma) in enumerate(zip(path.states, path.covariance, strict=True)):
        bias = [np.trace(sigma @ hessian) / 2 for hessian in bends(*state)]
        phi[n] = np.array(values(*state)) - bias
        gradient = slopes(*state)
        dirichlet += weights[n] * gradient @ sigma @ gradient.T
        unit += weights[n] * (gradient * SCALE**2) @ gradient.T
    means = []
    for a, b in itertools.pairwise(OFFSETS):
        means.append(np.average(phi[a:b], axis=0, weights=weights[a:b]))
        for n in range(a, b):
            within += weights[n] * np.outer(phi[n] - means[-1], phi[n] - means[-1])
    total = weights.sum()
    return within / total, dirichlet / total, np.cov(np.array(means).T), unit / total


@pytest.mark.parametrize("chunk", [1, 2**22])
@pytest.mark.parametrize("weighted", [False, True])
def test_operators_are_the_sums_they_say(library, path, weighted, chunk):
    # The smallest chunk is 64 rows: it cuts runs in their midst, at their ends, and holds several.
    weights = np.random.default_rng(1).uniform(0.1, 2.0, len(path.states)) if weighted else None
    ops = operators(library, path, OFFSETS, SCALE, weights, chunk)
    expected = dense(path, np.ones(len(path.states)) if weights is None else weights)
    found = (ops.within, ops.dirichlet, ops.between, ops.unit_dirichlet)
    for matrix, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(matrix, reference, rtol=1e-10, atol=1e-13)


def test_nothing_cancels_far_from_the_origin(library):
    """Orbits of size 1e-6 at distance 1: the scatter within them keeps its digits."""
    rng = np.random.default_rng(0)
    moved = 1e-6 * rng.normal(size=(400, 2))
    rows = 1.0 + moved
    linear = libraries.custom(["x", "u"], NAMES)
    ops = operators(linear, raw_path(rows, np.full(2, 1e-9)), np.array([0, 400]), SCALE, None)
    np.testing.assert_allclose(ops.within, np.cov(rows.T, bias=True), rtol=1e-8, atol=1e-22)


def test_restriction(library, path):
    ops = operators(library, path, OFFSETS, SCALE)
    part = ops.restrict(np.array([3, 1]))
    direct = operators(library.restrict([3, 1]), path, OFFSETS, SCALE)
    for name in ("within", "dirichlet", "between", "unit_dirichlet"):
        np.testing.assert_allclose(getattr(part, name), getattr(direct, name), rtol=1e-12)


def oscillator(noise, n_runs=60, n_steps=100, frequency=1.0, seed=0):
    """Runs of x'' = −ω² x with independent noise, offsets, and the clean rows."""
    rng = np.random.default_rng(seed)
    t = 0.2 * np.arange(n_steps)
    amplitude, phase = rng.uniform(0.5, 2, (n_runs, 1)), rng.uniform(0, 6.3, (n_runs, 1))
    angle = frequency * t + phase
    rows = np.stack([amplitude * np.cos(angle), -frequency * amplitude * np.sin(angle)], axis=-1)
    rows = rows.reshape(-1, 2)
    offsets = n_steps * np.arange(n_runs + 1)
    return rows + noise * rng.standard_normal(rows.shape), offsets, rows


def test_bias_of_noise_is_taken_out():
    """The mean of x² over noisy samples is that of the clean ones."""
    noise = 0.3
    noisy, _, clean = oscillator(noise)
    squares = libraries.custom(["x**2", "u**2"], NAMES)
    phi, _, bend = squares.jets(noisy, raw_path(noisy, np.full(2, noise)).covariance, order=2)
    means = (phi - bend / 2).mean(axis=1)
    # 6000 samples: standard error 2·σ·rms(x)/√6000 ≈ 0.008; the bias itself is 0.09.
    np.testing.assert_allclose(means, (clean**2).mean(axis=0), atol=0.025)


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_flatness_of_a_law_is_one(noise):
    noisy, offsets, _ = oscillator(noise, frequency=1.5)
    library = libraries.polynomial(NAMES, 2)
    ops = operators(library, raw_path(noisy, np.full(2, noise)), offsets, noisy.std(axis=0))
    found = spectrum(ops)
    # 6000 squares of noise know their mean to 2 %; bias by the fit of five coefficients is less.
    # The noise's own square adds (σ/x)²/2 of a percent.
    assert found.values[0] == pytest.approx(1.0, abs=0.06)
    assert found.values[1] > 20
    direction = found.vectors[:, 0] / found.vectors[4, 0]
    np.testing.assert_allclose(direction, [0, 0, 2.25, 0, 1], atol=0.05)


def test_spectrum_solves_the_eigenproblem(library, path):
    ops = operators(library, path, OFFSETS, SCALE)
    found = spectrum(ops)
    np.testing.assert_allclose(
        ops.within @ found.vectors,
        ops.dirichlet @ found.vectors * found.values,
        rtol=1e-8,
        atol=1e-8,
    )
    expected = linalg.eigh(ops.within, ops.dirichlet, eigvals_only=True)
    np.testing.assert_allclose(found.values, expected, rtol=1e-8)
    np.testing.assert_allclose(ops.pencil.ratio(found.vectors), found.values, rtol=1e-8)
    assert ops.pencil.ratio(found.vectors[:, 0]) == pytest.approx(found.values[0])


def test_units_of_coordinates_do_not_matter():
    noisy, offsets, _ = oscillator(0.05)
    library = libraries.polynomial(NAMES, 3)
    units = np.array([1e4, 1e-3])

    def values(rows, noise):
        ops = operators(library, raw_path(rows, noise), offsets, rows.std(axis=0))
        return spectrum(ops).values

    reference = values(noisy, np.full(2, 0.05))
    np.testing.assert_allclose(values(noisy * units, 0.05 * units), reference, rtol=1e-6)


# A library with an identity in it, and the same functions without the dependent one.
TRAPS = {
    "cos² + sin²": (["cos(x)**2", "sin(x)**2", "x", "u**2"], ["cos(x)**2", "x", "u**2"]),
    "a term twice": (["x**2", "2*x**2", "u"], ["x**2", "u"]),
    "a sum of terms": (["x**2", "u**2", "x**2 + u**2 - 5", "x"], ["x**2", "u**2", "x"]),
}


@pytest.mark.parametrize(("terms", "independent"), TRAPS.values(), ids=TRAPS)
def test_constants_are_no_laws(terms, independent):
    """An identity of the library has W = D = 0 and must leave before the solve."""
    noisy, offsets, _ = oscillator(0.05)

    def values(expressions):
        path = raw_path(noisy, np.full(2, 0.05))
        library = libraries.custom(expressions, NAMES)
        return spectrum(operators(library, path, offsets, noisy.std(axis=0))).values

    np.testing.assert_allclose(values(terms), values(independent), rtol=1e-5)


def test_clean_laws_are_not_negative():
    """Without noise, rounding decides: values near zero, never below, and finite."""
    _, offsets, clean = oscillator(0.0)
    noise = 1e-6 * clean.std(axis=0)
    ops = operators(
        libraries.polynomial(NAMES, 6), raw_path(clean, noise), offsets, clean.std(axis=0)
    )
    values = spectrum(ops).values
    assert np.all(np.isfinite(values)) and np.all(values >= 0)
    # x² + u², its square and its cube: three flat directions, then a gap of many orders.
    assert values[2] < 0.1
    assert values[3] > 1e3


def test_even_noise_needs_no_weights():
    noisy, _, _ = oscillator(0.05)
    path = raw_path(noisy, np.full(2, 0.05))
    assert noise_weights(libraries.custom(["x", "u"], NAMES), path, np.eye(2)) is None


def test_noisy_places_count_less():
    """1/x near zero: weights fall with the fourth power of x, and are known in closed form."""
    x = np.concatenate([np.linspace(0.5, 2, 99), [0.01]])
    states = np.c_[x, np.ones(100)]
    path = raw_path(states, np.array([0.01, 0.02]))
    weights = noise_weights(libraries.custom(["1/x"], NAMES), path, np.eye(1))
    moved = (0.01 / x**2) ** 2
    np.testing.assert_allclose(weights, 1 / (1 + moved / np.median(moved)), rtol=1e-9)
    assert weights[-1] < 1e-6
