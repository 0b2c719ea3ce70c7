"""Structure constants and names of Lie algebras, from matrices, fields and functions."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
import sympy
from scipy import linalg

from discovery import algebra
from discovery.algebra import names
from discovery.symmetries.candidates.vector_fields import VectorFields


def of_matrices(matrices):
    """Structure constants of a matrix algebra: an independent path to them."""
    flat = np.array([np.concatenate([m.real.ravel(), m.imag.ravel()]) for m in matrices]).T
    d = len(matrices)
    c = np.zeros((d, d, d))
    for i, j in itertools.product(range(d), range(d)):
        a, b = matrices[i], matrices[j]
        bracket = a @ b - b @ a
        target = np.concatenate([bracket.real.ravel(), bracket.imag.ravel()])
        c[i, j] = np.linalg.lstsq(flat, target, rcond=None)[0]
    return c


def unit(n, i, j, value=1.0):
    m = np.zeros((n, n), complex)
    m[i, j] = value
    return m


def rotations(n, signs=None, size=None):
    signs, size = signs or [1] * n, size or n
    pairs = itertools.combinations(range(n), 2)
    return [unit(size, i, j) - signs[i] * signs[j] * unit(size, j, i) for i, j in pairs]


def unitary(n, special=True):
    pairs = list(itertools.combinations(range(n), 2))
    out = [unit(n, i, j) - unit(n, j, i) for i, j in pairs]
    out += [1j * (unit(n, i, j) + unit(n, j, i)) for i, j in pairs]
    out += [1j * (unit(n, k, k) - unit(n, k + 1, k + 1)) for k in range(n - 1)]
    return out if special else [*out, 1j * np.eye(n)]


def euclidean(n):
    return rotations(n, size=n + 1) + [unit(n + 1, i, n) for i in range(n)]


def heisenberg(n):
    size = n + 2
    out = [unit(size, 0, k + 1) for k in range(n)] + [unit(size, k + 1, size - 1) for k in range(n)]
    return [*out, unit(size, 0, size - 1)]


def both(*families):
    return [
        linalg.block_diag(*[m if k == f else 0 * family[0] for k, family in enumerate(families)])
        for f, own in enumerate(families)
        for m in own
    ]


LINE = [np.ones((1, 1), complex)]
CASES = {
    "so(3)": rotations(3),
    "so(4)": rotations(4),
    "so(3,1)": rotations(4, [1, 1, 1, -1]),
    "so(5)": rotations(5),
    "so(4,1)": rotations(5, [1, 1, 1, 1, -1]),
    "sl(2)": [unit(2, 0, 1), unit(2, 1, 0), unit(2, 0, 0) - unit(2, 1, 1)],
    "su(3)": unitary(3),
    "u(3)": unitary(3, special=False),
    "so(3) + R": unitary(2, special=False),
    "e(2)": euclidean(2),
    "e(3)": euclidean(3),
    "e(4)": euclidean(4),
    "e(1,1)": rotations(2, [1, -1], 3) + [unit(3, i, 2) for i in range(2)],
    "Heisenberg(3)": heisenberg(1),
    "Heisenberg(5)": heisenberg(2),
    "aff(1)": [unit(2, 0, 0), unit(2, 0, 1)],
    "so(3) + su(3)": both(rotations(3), unitary(3)),
    "e(2) + R": both(euclidean(2), LINE),
    "e(2) + so(3)": both(euclidean(2), rotations(3)),
    "so(4) + R": both(rotations(4), LINE),
    "R^2": both(LINE, LINE),
    "R": LINE,
    # Upper triangular matrices and the plane's similarities: no names here.
    "unknown": [unit(3, i, j) for i in range(3) for j in range(i, 3) if (i, j) != (2, 2)],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_names_do_not_depend_on_the_basis(name, noise):
    c = of_matrices(CASES[name])
    d = len(c)
    rng = np.random.default_rng(1)
    # Any basis is as good: rotate and stretch it.
    q, _ = np.linalg.qr(rng.standard_normal((d, d)))
    basis = q * rng.uniform(0.7, 1.4, d)
    c = np.einsum("ai,bj,ijk,kc->abc", basis, basis, c, np.linalg.inv(basis))
    error = noise * np.abs(c).max() * rng.standard_normal(c.shape)
    c = c + (error - np.swapaxes(error, 0, 1)) / 2
    assert names.identify(c, max(1e-6, 3 * noise))[0] == name


def test_other_names_of_the_same_algebra():
    assert "su(2)" in names.identify(of_matrices(rotations(3)))
    assert "u(2)" in names.identify(of_matrices(unitary(2, special=False)))
    assert "abelian" in names.identify(np.zeros((3, 3, 3)))


def test_commutators_of_the_planes_motions():
    x, y = symbols = sympy.symbols("x y", real=True)
    fields = VectorFields(symbols, [(1, 0), (0, 1), (-y, x)])
    found = algebra.of_vector_fields(*fields.jets(np.random.default_rng(0).normal(size=(40, 2))))
    # [∂x, R] = ∂y, [∂y, R] = −∂x, [∂x, ∂y] = 0.
    np.testing.assert_allclose(found.structure[0, 2], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(found.structure[1, 2], [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.structure[0, 1], 0, atol=1e-12)
    assert found.name == "e(2)"
    assert found.signature == (0, 1, 2)
    assert found.closure < 1e-12
    assert found.jacobi < 1e-12


def test_symmetries_are_asked_for_their_values_and_slopes():
    x, y = symbols = sympy.symbols("x y", real=True)

    class Field(NamedTuple):
        components: tuple
        residual: float

        def jets(self, points):
            values, slopes = VectorFields(symbols, [self.components]).jets(points)
            return values[:, 0], slopes[:, 0]

    plane = [Field((1, 0), 1e-9), Field((0, 1), 1e-9), Field((-y, x), 1e-3)]
    found = algebra.of_symmetries(plane, np.random.default_rng(0).normal(size=(40, 2)))
    assert found.name == "e(2)"
    # The least known of them says how well the constants are known.
    assert found.precision == 1e-3


def test_what_does_not_close_has_no_name():
    x, y = symbols = sympy.symbols("x y", real=True)
    fields = VectorFields(symbols, [(1, 0), (x**4, y * x)])
    points = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    found = algebra.of_vector_fields(*fields.jets(points))
    assert found.closure > 0.1
    assert found.name == "unknown"


def test_errors_of_the_constants_cover_the_truth():
    x, y, z = symbols = sympy.symbols("x y z", real=True)
    rng = np.random.default_rng(0)
    fields = VectorFields(symbols, [(0, -z, y), (z, 0, -x), (-y, x, 0)])
    values, slopes = fields.jets(rng.normal(size=(400, 3)))
    slopes = slopes + 0.01 * rng.standard_normal(slopes.shape)
    found = algebra.of_vector_fields(values, slopes)
    # [L_1, L_2] = −L_3 and cyclic for these fields.
    exact = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        exact[i, j, k], exact[j, i, k] = -1.0, 1.0
    used = found.errors > 0
    z_score = np.abs(found.structure - exact)[used] / found.errors[used]
    assert np.sqrt(np.mean(z_score**2)) < 2.0
    assert found.name == "so(3)"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((50, 0, 2)), "no generators"),
        (np.ones((50, 2, 2)), "dependent"),
        (np.random.default_rng(0).normal(size=(1, 3, 2)), "too few"),
        (np.full((50, 1, 2), np.nan), "finite"),
    ],
)
def test_bad_input(values, message):
    slopes = np.zeros((*values.shape, 2))
    with pytest.raises(ValueError, match=message):
        algebra.of_vector_fields(values, slopes)
    with pytest.raises(ValueError, match="no symmetries"):
        algebra.of_symmetries([], np.zeros((4, 2)))
