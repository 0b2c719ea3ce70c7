"""Sums over pairs: the same as without the short cuts, and their formula with an index."""

import itertools

import numpy as np
import pytest
import sympy

from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.families import POTENTIALS, Family
from discovery.libraries.many_bodies.remembered import remembering
from discovery.libraries.many_bodies.sums import Sum, Sums

LENGTH = 5.0


def atoms(n, box=LENGTH):
    """Return n bodies in the plane and three states of them."""
    names = tuple(f"{a}{i}" for a in ("x", "y", "u", "v") for i in range(1, n + 1))
    columns = np.arange(4 * n).reshape(4, n)
    positions, momenta = (tuple(map(tuple, part.tolist())) for part in (columns[:2], columns[2:]))
    periods = (box,) * 2 * n + (0.0,) * 2 * n
    bodies = Bodies(names, positions, momenta, False, periods if box else ())
    states = np.random.default_rng(0).uniform(0, LENGTH, (3, 4 * n))
    return Family(bodies, np.ones(n), bodies.box), states


@pytest.mark.parametrize("box", [0.0, LENGTH], ids=["open", "box"])
@pytest.mark.parametrize("name", POTENTIALS)
def test_the_same_as_a_function_of_the_differences(name, box):
    family, states = atoms(4, box)
    variances = np.random.default_rng(1).uniform(0.1, 1, states.shape)
    radial = family.tied(POTENTIALS[name], name)
    gaps = sympy.symbols("p q", real=True)
    plain = [
        Sum(
            term.kernel.xreplace({term.arguments[0]: gaps[0] ** 2 + gaps[1] ** 2}),
            gaps,
            term.forms,
            term.weights,
            term.kind,
        )
        if term.kind.startswith("pairs")
        else term
        for term in radial.sums
    ]
    plain = Sums(radial.symbols, plain, name)
    for ours, other in zip(
        radial.jets(states, variances, 2), plain.jets(states, variances, 2), strict=True
    ):
        np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-12)


def test_a_sum_of_many_pairs_in_a_box_is_written_with_an_index():
    family, states = atoms(15)
    library = family.tied(POTENTIALS["1/r^3"], "1/r^3")
    formula = library.expressions()[-1]
    assert isinstance(formula, sympy.Sum) and len(str(formula)) < 250
    # Pair by pair, with the places of the two bodies put in.
    parts = sorted(formula.function.atoms(sympy.Indexed), key=str)
    assert [str(part) for part in parts] == ["x[i]", "x[j]", "y[i]", "y[j]"]
    plain = sympy.symbols("xi xj yi yj")
    one = sympy.lambdify(plain, formula.function.xreplace(dict(zip(parts, plain, strict=True))))
    x, y = states[:, :15].T, states[:, 15:30].T
    total = sum(one(x[i], x[j], y[i], y[j]) for i, j in itertools.combinations(range(15), 2))
    np.testing.assert_allclose(library.values(states)[-1], total)


def test_what_is_kept_is_what_was_evaluated():
    family, states = atoms(30)
    library = family.tied(POTENTIALS["1/r^3"], "1/r^3")
    states = np.random.default_rng(1).uniform(0, LENGTH, (3000, states.shape[1]))
    variances = np.full(states.shape, 0.01)
    expected = library.jets(states, variances, 2)
    with remembering():
        for order in (2, 1, 2):
            found = library.jets(states, variances, order)
            for ours, other in zip(found[: order + 1], expected, strict=False):
                np.testing.assert_allclose(ours, other, rtol=1e-12)
            found[1][:] = 0  # a caller's own arrays
        other = library.jets(states, 2 * variances, 2)[2]
        np.testing.assert_allclose(other[-1], 2 * expected[2][-1])
