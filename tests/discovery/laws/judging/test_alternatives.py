"""Alternatives: which other formulas are the same law within its errors."""

from dataclasses import fields, replace

import numpy as np

from discovery import libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.split import Split
from discovery.laws.judging.alternatives import unlike, with_alternatives
from discovery.laws.judging.evidence import Evidence, Resamples
from discovery.laws.judging.law import Law

NAMES = ("x", "u")
STATES = np.random.default_rng(0).normal(0, 0.2, (400, 2))
EVIDENCE = Evidence(
    flatness=1.0,
    flatness_interval=(0.9, 1.1),
    smoothed_flatness=1.0,
    smoothed_flatness_interval=(0.9, 1.1),
    signal=50.0,
    drift=0.0,
    drift_interval=(0.0, 0.02),
    noise=0.1,
    spread=1.0,
    drift_excluded=0.02,
    drift_chance=0.5,
    moving=0.5,
    slope=1.0,
    cancelled=1.0,
    terms=1.0,
    resamples=Resamples(*(np.ones(1) for _ in fields(Resamples))),
)


def law(*terms, coefficients=None, verdict="exact", **evidence):
    library = libraries.custom(terms, NAMES)
    coefficients = np.ones(len(terms)) if coefficients is None else np.array(coefficients)
    formula = sum(c * t for c, t in zip(coefficients, library.expressions(), strict=True))
    found = replace(EVIDENCE, **evidence)
    return Law(library, coefficients, formula, found, verdict, float(len(terms)))


def split():
    path = raw_path(STATES, np.full(2, 1e-3))
    orbits = Orbits(path, path, np.arange(0, 401, 20), STATES.std(axis=0))
    runs = np.arange(orbits.n_runs)
    return Split(orbits.take(runs[:12]), orbits.take(runs[12:]), orbits, STATES[:60])


ENERGY = law("u**2", "x**2")
COSH = law("u**2", "cosh(x)", coefficients=[1.0, 1.95])


def alternatives_of(chosen, *others):
    (out,) = with_alternatives([chosen], [chosen, *others], split())
    return list(out.alternatives)


def test_what_differs_by_less_than_its_errors_is_another_form():
    assert unlike(ENERGY, COSH, STATES) < 0.02
    assert alternatives_of(ENERGY, COSH) == [COSH]
    known = replace(EVIDENCE, drift_interval=(0.0, 1e-4))
    assert alternatives_of(replace(ENERGY, evidence=known), replace(COSH, evidence=known)) == []


def test_no_form_of_a_law():
    """Another law, a mixture, what is no law, and the same function written otherwise."""
    square = law("u**4", "u**2*x**2", "x**4", coefficients=[1.0, 2.0, 1.0])
    same = law("(u + x)**2", "u*x", coefficients=[2.0, -4.0])
    nearly = replace(COSH, verdict="approximate")
    assert alternatives_of(ENERGY, law("u*x"), square, same, nearly) == []


def test_the_simplest_form_comes_first():
    longer = law("u**2", "x**2", "x**4", coefficients=[1.0, 1.0, 1e-3])
    assert alternatives_of(ENERGY, longer, COSH) == [COSH, longer]


def test_laws_that_are_not_exact_have_no_other_forms():
    nearly = replace(ENERGY, verdict="approximate")
    assert alternatives_of(nearly, COSH) == []
