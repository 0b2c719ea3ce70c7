"""A basis of simple laws: the energy instead of sums of cubes."""

from dataclasses import fields, replace

import numpy as np
import pytest
import sympy

from discovery.laws.judging.basis import degree, in_simple_basis
from discovery.laws.judging.evidence import Evidence
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of

SYMBOLS = symbols_of(["p", "q", "r"])
PROBES = np.random.default_rng(0).normal(size=(200, 3))


def law(terms, drift=1e-4, verdict=Verdict.EXACT):
    """Return a law from its exponents and their coefficients."""
    library = Library(SYMBOLS, SYMBOLS, list(terms))
    weights = np.array(list(terms.values()), dtype=float)
    numbers = {f.name: 1.0 for f in fields(Evidence) if f.name != "resamples"}
    evidence = Evidence(
        **{
            **numbers,
            "flatness_interval": (0.9, 1.1),
            "smoothed_flatness_interval": (0.9, 1.1),
            "drift_interval": (0.0, drift),
            "uneven": False,
            "clean": False,
            "along": None,
        },
        resamples=None,
    )
    formula = sum(c * e for c, e in zip(weights, library.expressions(), strict=True))
    return Law(library, weights, formula, evidence, verdict, float(len(terms)))


SUM = law({(1, 0, 0): 1, (0, 1, 0): 1, (0, 0, 1): 1})
SQUARES = law({(2, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1})
CUBES = law({(3, 0, 0): 1, (0, 3, 0): 1, (0, 0, 3): 1})
PRODUCT = law({(1, 1, 1): 1})


def basis(laws, pool):
    return in_simple_basis(laws, pool, [], PROBES, np.ones(3))


def test_squares_take_the_place_of_cubes():
    """Newton's identities: the sum of squares is a function of the other three."""
    assert basis([SUM, PRODUCT, CUBES], [CUBES, SQUARES, PRODUCT, SUM]) == [SUM, PRODUCT, SQUARES]


@pytest.mark.parametrize("verdict", [Verdict.APPROXIMATE, Verdict.IDENTITY])
def test_only_exact_laws_take_a_place(verdict):
    near = law({(2, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1}, verdict=verdict)
    assert basis([SUM, PRODUCT, CUBES], [near]) == [SUM, PRODUCT, CUBES]


def test_what_is_no_function_of_the_laws_takes_no_place():
    assert basis([SUM, CUBES], [law({(2, 0, 0): 1})]) == [SUM, CUBES]


def test_laws_of_low_degree_stay():
    assert basis([SUM, SQUARES], [law({(1, 1, 0): 1, (1, 0, 1): 1, (0, 1, 1): 1})]) == [
        SUM,
        SQUARES,
    ]


def test_no_logarithm_takes_the_place_of_a_product():
    """Log p + log q + log r has no degree, and is longer."""
    library = Library(SYMBOLS, list(map(sympy.log, SYMBOLS)), [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
    longer = replace(law({(1, 0, 0): 1, (0, 1, 0): 1, (0, 0, 1): 1}), library=library)
    probes = np.exp(PROBES)
    assert in_simple_basis([PRODUCT], [longer], [], probes, np.ones(3)) == [PRODUCT]
    assert in_simple_basis([replace(PRODUCT, cost=9.0)], [longer], [], probes, np.ones(3)) == [
        longer
    ]


def test_the_degree_is_of_coordinates_that_stand_alone():
    p, q, _ = SYMBOLS
    library = Library(SYMBOLS, [p, 1 / q], [(1, 3), (2, 0)])
    assert degree(law({(1, 1, 1): 1})) == 3
    some = law({(1, 0, 0): 1})
    assert degree(Law(library, np.ones(2), p, some.evidence, Verdict.EXACT, 1.0)) == 2
