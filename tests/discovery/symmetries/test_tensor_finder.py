"""Hidden symmetries: quantities quadratic in the momenta that are no products of symmetries."""

from typing import NamedTuple

import numpy as np
import pytest
import sympy
from keras import ops

from discovery import KillingTensorFinder


def flat(x):
    return ops.eye(x.shape[-1], dtype=x.dtype) + 0 * x[:, :1, None]


def sphere(x):
    return (4 / (1 + ops.sum(x**2, -1)) ** 2)[:, None, None] * flat(x)


def liouville(x):
    """A metric (f(x) + h(y))(dx² + dy²): no Killing field, one Killing tensor (Liouville, 1846)."""
    return (1 + x[:, 0] ** 2 + 2 * x[:, 1] ** 4)[:, None, None] * flat(x)


def kepler(x):
    return -1 / ops.sqrt(ops.sum(x**2, -1))


def oscillator(x):
    return ops.sum(x**2, -1) / 2


def anisotropic(x):
    return x[:, 0] ** 2 + 0.65 * x[:, 1] ** 2


def henon_heiles(x):
    return oscillator(x) + x[:, 0] ** 2 * x[:, 1] - x[:, 1] ** 3 / 3


def shell(n, dimension):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, dimension))
    return x / np.linalg.norm(x, axis=1, keepdims=True) * rng.uniform(0.5, 2, (n, 1))


class Case(NamedTuple):
    metric: object
    potential: object
    dimension: int
    total: int
    hidden: int
    options: dict = {}  # noqa: RUF012


LIOUVILLE = ["1", "x**2", "y**4"]
CASES = {
    # The energy, L² and two components of the Laplace–Runge–Lenz vector.
    "Kepler": Case(flat, kepler, 2, 4, 2),
    "Kepler in space": Case(flat, kepler, 3, 10, 3),
    # Fradkin's tensor (3 and 6 components) and products of angular momenta.
    "oscillator": Case(flat, oscillator, 2, 4, 2),
    "oscillator in space": Case(flat, oscillator, 3, 12, 5),
    "anisotropic oscillator": Case(flat, anisotropic, 2, 2, 1),
    "Hénon–Heiles": Case(flat, henon_heiles, 2, 1, 0),
    # Spaces of constant curvature: all their tensors are products of Killing fields.
    "plane": Case(flat, None, 2, 6, 0),
    "sphere": Case(sphere, None, 2, 6, 0, {"degree": 4}),
    "Liouville surface": Case(
        liouville,
        None,
        2,
        2,
        1,
        {"library": [f"({f})/(1 + x**2 + 2*y**4)" for f in LIOUVILLE]},
    ),
}


def fitted(case):
    finder = KillingTensorFinder(
        metric=case.metric, potential=case.potential, random_state=0, **case.options
    )
    return finder.fit(shell(150 * case.dimension, case.dimension))


@pytest.mark.parametrize("name", CASES)
def test_number_of_hidden_symmetries(name):
    case = CASES[name]
    finder = fitted(case)
    assert (finder.n_tensors_, finder.n_irreducible_) == (case.total, case.hidden)
    assert len(finder.tensors_) == case.hidden
    assert all(t.residual < 1e-4 for t in finder.tensors_)


def canonical_bracket(h, other, q, p):
    return sum(
        h.diff(a) * other.diff(b) - h.diff(b) * other.diff(a) for a, b in zip(q, p, strict=True)
    )


@pytest.mark.parametrize("name", ["Kepler", "oscillator", "Kepler in space", "Liouville surface"])
def test_what_is_found_commutes_with_the_energy(name):
    """An independent path: the Poisson bracket with H, in SymPy, is zero."""
    case = CASES[name]
    n = case.dimension
    q = sympy.symbols("x y z", real=True)[:n]
    p = sympy.symbols("p_x p_y p_z", real=True)[:n]
    kinetic = sum(a**2 for a in p) / 2
    potential = {
        kepler: -1 / sympy.sqrt(sum(a**2 for a in q)),
        oscillator: sum(a**2 for a in q) / 2,
        None: sympy.Integer(0),
    }[case.potential]
    if case.metric is liouville:
        kinetic /= 1 + q[0] ** 2 + 2 * q[1] ** 4
    energy = kinetic + potential
    for tensor in fitted(case).tensors_:
        h = tensor.expression.subs(sympy.Symbol("V", real=True), potential)
        bracket = sympy.lambdify((*q, *p), canonical_bracket(h, energy, q, p))
        states = np.random.default_rng(1).uniform(0.5, 1.5, (2 * n, 20))
        assert np.max(np.abs(bracket(*states))) < 1e-5


def test_kepler_gives_the_laplace_runge_lenz_vector():
    found = {str(t.expression) for t in fitted(CASES["Kepler"]).tensors_}
    assert found == {"V*x - p_x*p_y*y + p_y**2*x", "V*y + p_x**2*y - p_x*p_y*x"}


@pytest.mark.parametrize(
    ("potential", "count"),
    [
        # Separable in parabolic coordinates besides, with a potential of third degree.
        (lambda x: (x[:, 0] ** 2 + 4 * x[:, 1] ** 2) / 2, 2),
        # The Hénon–Heiles system that is integrable by a quadratic law of fourth degree in x, y.
        (lambda x: ops.sum(x**2, -1) / 2 + x[:, 0] ** 2 * x[:, 1] + 2 * x[:, 1] ** 3, 1),
        (lambda x: x[:, 0] ** 4 + x[:, 1] ** 4 + x[:, 0] ** 2 * x[:, 1] ** 2, 0),
    ],
)
def test_the_potential_part_may_be_of_higher_degree(potential, count):
    finder = KillingTensorFinder(metric=flat, potential=potential, random_state=0)
    finder.fit(shell(300, 2))
    assert finder.n_irreducible_ == count
    assert not finder.undecided_


def test_a_library_without_the_metric_itself_is_undecided():
    """Liouville's surface has a hidden symmetry, of functions that are no polynomials."""

    def liouville(x):
        return (x[:, 0] ** 2 + x[:, 1] ** 3 + 2)[:, None, None] * flat(x)

    finder = KillingTensorFinder(metric=liouville, random_state=0)
    assert finder.fit(np.random.default_rng(0).uniform(-1, 1, (300, 2))).undecided_
    assert finder.n_irreducible_ == 0


def test_a_library_without_products_is_undecided():
    """Constants hold products of translations, not those of rotations."""
    finder = KillingTensorFinder(metric=flat, library=["1"], random_state=0).fit(shell(300, 2))
    assert (finder.n_tensors_, finder.n_irreducible_) == (3, 0)
    assert finder.undecided_


@pytest.mark.parametrize("dimension", [2, 3])
def test_no_tolerance_makes_more_than_there_can_be(dimension):
    """Flat space has as many as any: what a lax tolerance lets in besides is not counted."""
    strict, lax = (
        KillingTensorFinder(metric=flat, tolerance=tolerance, random_state=0).fit(
            shell(150 * dimension, dimension)
        )
        for tolerance in (1e-6, 0.9)
    )
    assert strict.n_tensors_ == lax.n_tensors_ == {2: 6, 3: 20}[dimension]
    assert lax.undecided_
    assert not strict.undecided_


def test_bad_input():
    points = shell(100, 2)
    for options, data, message in (
        ({}, points[:8], "too few"),
        ({}, points[:, 0], "one point a row"),
        ({}, points * np.nan, "finite"),
        ({"roles": ["angle"]}, points, "roles"),
        ({"metric": lambda x: -flat(x)}, points, "positive definite"),
        ({"library": ["q"]}, points, "'q' is unknown"),
        ({"library": 7}, points, "list of scalar"),
        ({"library": "auto"}, points, "list of scalar"),
        ({"degree": 1.5}, points, "degree"),
        ({"tolerance": 2}, points, "tolerance"),
    ):
        with pytest.raises(ValueError, match=message):
            KillingTensorFinder(**{"metric": flat, **options}).fit(data)
