"""Sums of laws, judged as laws of their own."""

from types import SimpleNamespace

import numpy as np

from discovery import datasets, libraries
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.joined import joined, sum_of

NAMES = ("q1", "q2", "p1", "p2")
KINETIC, POTENTIAL = ["p1**2", "p2**2"], ["q1**2", "q2**2", "q1**2*q2", "q2**3"]


def law(terms, coefficients):
    return SimpleNamespace(
        library=libraries.custom(terms, NAMES), coefficients=np.array(coefficients)
    )


def test_what_cancels_but_for_noise_goes():
    both = law(["p1**2", "p2*q1"], [1.0, 1.0])
    for left, terms in ((0.01, ["p1**2"]), (0.2, ["p1**2", "p2*q1"])):
        library, coefficients = sum_of([both, law(["p2*q1"], [1.0])], np.array([1.0, left - 1]))
        assert [str(term) for term in library.expressions()] == terms
        np.testing.assert_allclose(coefficients, [1.0, left][: len(terms)])


def test_a_sum_is_judged():
    """The energy of two parts is a law, and what has another share of one of them is none."""
    runs = datasets.load("henon_heiles", 40, 60, noise=0.01, seed=0)
    rng = np.random.default_rng(0)
    split = Split.draw(prepare(runs), rng)
    parts = [law(KINETIC, [1.0, 1.0]), law(POTENTIAL, [1.0, 1.0, 2.0, -2 / 3])]
    energy = joined(parts, np.ones(2), split, rng)
    assert energy.verdict == "exact" and len(energy.library) == 6
    assert joined(parts[:1], np.ones(1), split, rng) is None
