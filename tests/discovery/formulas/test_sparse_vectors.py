"""Sparse vectors of a span that is given by another basis."""

import numpy as np

from discovery.formulas.sparse_vectors import sparse_beyond, sparse_vectors, strongest

SHORT = np.array([[1.0, -1, 0, 0, 0, 0], [0, 0, 2, 1, 0, 0], [0, 0, 0, 1, 1, -1]]).T


def test_the_sparse_vectors_of_a_span():
    """Three short vectors, mixed: each comes back from each of its terms as pivot."""
    mixed = SHORT @ np.random.default_rng(0).normal(size=(3, 3))
    basis, _ = np.linalg.qr(mixed)
    found = dict(sparse_vectors(basis, np.ones(6)))
    assert set(found) == set(range(6))
    for pivot, vector in found.items():
        assert abs(vector[pivot] - 1) < 1e-6
    for pivot in (0, 1):
        assert set(strongest(found[pivot])) == {0, 1}
    assert set(strongest(found[2])) == {2, 3}
    assert set(strongest(found[4])) in ({3, 4, 5}, {2, 4, 5})


def test_costly_terms_are_avoided():
    """e₀ + e₁ and e₁ + e₂ span e₀ − e₂ too: of vectors of two terms the cheapest is taken."""
    basis, _ = np.linalg.qr(np.array([[1.0, 1, 0], [0, 1, 1]]).T)
    for costly, expected in ((1, {0, 2}), (2, {0, 1})):
        costs = np.ones(3)
        costs[costly] = 5.0
        assert set(strongest(dict(sparse_vectors(basis, costs))[0])) == expected


def test_the_strongest_come_first():
    np.testing.assert_array_equal(strongest(np.array([0.5, -2.0, 1e-4, 1.0])), [1, 3, 0])


def test_the_sparse_vector_beyond_what_is_known():
    """Where e₀ + … + e₃ is known, e₃ + e₄ is left of any sum of the two: of two terms."""
    known, new = np.array([1.0, 1, 1, 1, 0]), np.array([0.0, 0, 0, 1, 1])
    basis, _ = np.linalg.qr(np.stack([known, new + 3 * known], axis=1))
    target = np.linalg.svd((basis.T @ known)[None])[2][1]
    assert set(strongest(basis @ target)) == {0, 1, 2, 3, 4}
    assert set(strongest(sparse_beyond(basis, target, np.ones(5)))) == {3, 4}
