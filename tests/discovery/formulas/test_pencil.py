"""The pencil W c = μ D c against SciPy: whole, on some terms, on many sets, without one term."""

import numpy as np
import pytest
from scipy import linalg

from discovery.formulas.pencil import (
    Pencil,
    Spectrum,
    least_of_each,
    leaving,
    solve,
)


def forms(rng, size, spread):
    """Return W and D, with eigenvalues over `spread` orders of magnitude."""
    d = rng.normal(size=(size, size))
    w = rng.normal(size=(size, size)) * np.logspace(0, spread / 2, size)[:, None]
    return w.T @ w, d @ d.T + np.eye(size)


@pytest.mark.parametrize("spread", [0, 4, 8])
@pytest.mark.parametrize("size", [2, 3, 9])
def test_leaving_is_the_restricted_eigenproblem(size, spread):
    w, d = forms(np.random.default_rng(size), size, spread)
    values, vectors = linalg.eigh(w, d)
    mu, mixed = leaving(Spectrum(values, vectors))
    for j in range(size):
        rest = np.delete(np.arange(size), j)
        exact, c = linalg.eigh(w[np.ix_(rest, rest)], d[np.ix_(rest, rest)])
        assert mu[j] == pytest.approx(exact[0], rel=1e-4)
        assert mixed[j, j] == 0
        found = mixed[j, rest]
        assert mixed[j] @ w @ mixed[j] / (mixed[j] @ d @ mixed[j]) == pytest.approx(mu[j], rel=1e-4)
        overlap = found @ d[np.ix_(rest, rest)] @ c[:, 0]
        assert overlap**2 == pytest.approx(mixed[j] @ d @ mixed[j], rel=1e-4)


def test_leaving_where_a_term_is_next_to_nothing():
    """Coefficients of 1e81: their squares are numbers, the squares of these are not."""
    w, d = forms(np.random.default_rng(3), 3, 4)
    values, vectors = linalg.eigh(w, d)
    unit = np.array([1.0, 1.0, 1e81])
    with np.errstate(all="raise"):
        mu, mixed = leaving(Spectrum(values, vectors * unit[:, None]))
    exact, mixed_exact = leaving(Spectrum(values, vectors))
    np.testing.assert_allclose(mu, exact, rtol=1e-4)
    np.testing.assert_allclose(mixed, mixed_exact * unit, rtol=1e-3, atol=1e-9)


def test_lowest_solves_every_row():
    w, d = forms(np.random.default_rng(0), 6, 2)
    rows = np.array([[0, 1, 2], [1, 3, 5]])
    exact = [linalg.eigh(w[np.ix_(r, r)], d[np.ix_(r, r)])[0][0] for r in rows]
    np.testing.assert_allclose(Pencil(w, d).lowest(rows), exact, rtol=1e-6)


def test_solve_is_the_generalized_eigenproblem():
    w, d = forms(np.random.default_rng(1), 5, 3)
    values, vectors = linalg.eigh(w, d)
    found = solve(w, d)
    np.testing.assert_allclose(found.values, values, rtol=1e-9)
    np.testing.assert_allclose(np.abs(vectors.T @ d @ found.vectors), np.eye(5), atol=1e-9)


def test_units_of_terms_do_not_matter():
    """Terms whose sizes differ by sixteen orders of magnitude, and the same ratios."""
    w, d = forms(np.random.default_rng(2), 4, 2)
    units = np.logspace(-8, 8, 4)
    both = np.outer(units, units)
    np.testing.assert_allclose(solve(w * both, d * both).values, solve(w, d).values, rtol=1e-9)


def test_smallest_on_some_terms():
    w, d = forms(np.random.default_rng(3), 6, 2)
    support = np.array([5, 0, 3])
    mu, c = Pencil(w, d).smallest(support)
    full = np.zeros(6)
    full[support] = c
    assert mu == pytest.approx(Pencil(w, d).ratio(full), rel=1e-9)
    assert mu == pytest.approx(
        linalg.eigh(w[np.ix_(support, support)], d[np.ix_(support, support)])[0][0], rel=1e-9
    )


def test_what_is_zero_is_no_null_vector():
    """A term twice, and one that is zero: neither is a combination with a small ratio."""
    w, d = forms(np.random.default_rng(4), 3, 1)
    twice = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 2], [0, 0, 0]], dtype=float)
    found = Pencil(twice @ w @ twice.T, twice @ d @ twice.T).whole(twice @ d @ twice.T)
    np.testing.assert_allclose(found.values, linalg.eigh(w, d)[0], rtol=1e-8)


@pytest.mark.parametrize("dependent", [0, 1])
def test_the_least_of_each_of_many_pencils(dependent):
    """Also where the last terms are sums of the first in some of the pencils."""
    rng = np.random.default_rng(4)
    made = [forms(rng, 4, 4) for _ in range(5)]
    for w, d in made[:2]:
        turn = np.eye(4)
        turn[: 4 - dependent, 4 - dependent :] = 1.0
        turn[4 - dependent :, 4 - dependent :] = 0.0
        w[:], d[:] = turn.T @ w @ turn, turn.T @ d @ turn
    top, bottom = map(np.array, zip(*made, strict=True))
    expected = [Pencil(w, d).whole(d).values[0] for w, d in made]
    np.testing.assert_allclose(least_of_each(top, bottom, bottom), expected, rtol=1e-8)
    assert np.isinf(least_of_each(top[:1], bottom[:1], np.zeros((1, 4, 4)))).all()
