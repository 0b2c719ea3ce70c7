"""Sums over bodies and pairs: values, derivatives and formulas agree."""

import numpy as np
import pytest
import sympy

from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.families import POTENTIALS, Family
from discovery.libraries.many_bodies.lattice import ENDS, Lattice
from discovery.libraries.many_bodies.sums import Forms, Sum, Sums, symmetry_of
from discovery.libraries.monomials import symbols_of

MASSES = np.array([1.0, 0.6, 1.3, 0.8])
PLANE = Bodies(
    tuple(f"{a}{i}" for a in "xyuv" for i in range(1, 5)),
    (tuple(range(4)), tuple(range(4, 8))),
    (tuple(range(8, 12)), tuple(range(12, 16))),
    of_momenta=False,
)
LINE = Bodies(
    tuple(f"{a}{i}" for a in "qp" for i in range(1, 9)),
    (tuple(range(8)),),
    (tuple(range(8, 16)),),
    of_momenta=True,
)
LIBRARIES = {
    "sums over bodies": Family(PLANE, MASSES).motion(),
    "pairs": Family(PLANE, MASSES).tied(POTENTIALS["1/r"], "1/r"),
    "free pairs": Family(PLANE, MASSES).free(POTENTIALS["log r"], "log r"),
    "pairs in a box": Family(PLANE, MASSES, (2.1, 1.9)).tied(POTENTIALS["1/r^2"], "1/r^2"),
} | {ends: Lattice(Family(LINE, np.ones(8)), ends).polynomial() for ends in ENDS}


def states(n: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 16))


@pytest.mark.parametrize("name", LIBRARIES)
def test_derivatives_agree_with_differences(name):
    library, x, h = LIBRARIES[name], states(), 1e-4
    root = np.random.default_rng(1).normal(size=(len(x), 16, 16)) / 4
    covariance = root @ root.transpose(0, 2, 1)
    values, slopes, bends = library.jets(x, covariance, order=2)
    steps = h * np.eye(16)
    up, down = (np.array([library.values(x + s * e) for e in steps]) for s in (1, -1))
    np.testing.assert_allclose(slopes, (up - down) / 2 / h, rtol=1e-4, atol=1e-5)
    # tr(Σ ∇∇Φ) is the sum of second derivatives along the columns of a root of Σ.
    along = h * root.transpose(2, 0, 1)
    second = sum(library.values(x + a) + library.values(x - a) - 2 * values for a in along) / h**2
    np.testing.assert_allclose(bends, second, rtol=1e-3, atol=1e-4)
    independent = np.einsum("ni,ij->nij", np.einsum("nii->ni", covariance), np.eye(16))
    full = independent + 1e-300
    for one, other in zip(library.jets(x, independent, 2), library.jets(x, full, 2), strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("name", LIBRARIES)
def test_formulas_are_the_functions(name):
    library, x = LIBRARIES[name], states()
    formulas = sympy.lambdify(library.symbols, library.expressions(), "numpy")(*x.T)
    np.testing.assert_allclose(np.array(formulas), library.values(x), rtol=1e-5)


def test_the_nearest_image_counts():
    symbols = symbols_of(["a", "b"])
    gap = sympy.Symbol("gap", real=True)
    form = Forms.differences([0], [1], period=2.0)
    library = Sums(symbols, [Sum(gap, (gap,), (form,), np.ones(1), "gap")], "gap")
    np.testing.assert_allclose(library.values(np.array([[0.1, 1.9], [5.1, 0.2]])), [[-0.2, -0.9]])


def test_few_functions_however_many_bodies():
    sizes = []
    for n in (4, 40):
        columns = np.arange(4 * n).reshape(4, n)
        names = tuple(f"{a}{i}" for a in "xyuv" for i in range(n))
        axes = tuple(map(tuple, columns[:2])), tuple(map(tuple, columns[2:]))
        family = Family(Bodies(names, *axes, of_momenta=False), np.ones(n))
        sizes.append((len(family.motion()), len(family.tied(POTENTIALS["1/r"], "1/r"))))
    assert sizes[0] == sizes[1]


def test_kinds_of_sums_tell_the_symmetry():
    library = LIBRARIES["sums over bodies"]
    kinds = [kind for (kind,) in library.kinds()]
    told = {kind: symmetry_of(library.restrict([j])) for j, kind in enumerate(kinds)}
    assert told["kinetic"] == "time translation"
    assert told["turning"] == "rotation of all bodies"
    assert told["momentum"] == "translation of all bodies"
    assert told["square"] is None
