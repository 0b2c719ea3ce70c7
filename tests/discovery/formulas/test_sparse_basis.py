"""A basis of short vectors with simple coefficients, of a space that is given by another basis."""

import numpy as np

from discovery.formulas.pencil import Pencil
from discovery.formulas.sparse_basis import sparse_basis

SHORT = np.array([[1.0, -1, 0, 0, 0], [0, 0, 3, 2, 0]]).T


def forms(space):
    """Return forms of which the first is zero in a space, and the second one."""
    onto, _ = np.linalg.qr(space)
    m = len(space)
    return Pencil(np.eye(m) - onto @ onto.T, np.eye(m))


def test_short_vectors_with_simple_coefficients():
    mixed = SHORT @ np.array([[0.3, -1.1], [0.8, 0.4]])
    found = sparse_basis(forms(SHORT), mixed, np.ones(5), 1e-9)
    np.testing.assert_allclose(found, [[1, 0], [-1, 0], [0, 1], [0, 2 / 3], [0, 0]], atol=1e-15)


def test_known_vectors_are_not_given_again():
    known = SHORT[:, :1]
    found = sparse_basis(forms(SHORT), SHORT, np.ones(5), 1e-9, known)
    np.testing.assert_allclose(found, [[0], [0], [1], [2 / 3], [0]], atol=1e-15)


def test_other_coefficients_get_the_digits_that_the_defect_asks_for():
    space = np.array([[1.0, 0.71393]]).T
    for allowed, expected in ((1e-2, 0.7), (1e-7, 0.71393)):
        found = sparse_basis(forms(space), space, np.ones(2), allowed)
        np.testing.assert_allclose(found[:, 0], [1, expected], rtol=1e-12)
