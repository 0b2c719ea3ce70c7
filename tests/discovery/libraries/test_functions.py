"""Every kind of functions goes the same way: verdict, price, rate, units, report."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.estimation.half_lines import HalfLine
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.formulas.plain import plain
from discovery.formulas.simplicity import by_chance
from discovery.laws.finding.operators import operators
from discovery.laws.judging.evidence import gather
from discovery.laws.judging.law import Law
from discovery.laws.judging.trend import secular_rate
from discovery.laws.judging.verdict import Formula, checks, verdict_of
from discovery.laws.learned.library import LearnedLibrary, Network
from discovery.libraries.choice import custom
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.pde.densities import Jets
from discovery.pde.grid import grid_of
from discovery.pde.integral_library import IntegralLibrary
from discovery.report.quantity import Quantity

RUNS, STEPS, POINTS = 12, 40, 8


def closed():
    return custom(["x**2", "u**2", "x*u", "cos(x)"], ("x", "u")), {"x": "1", "u": "1"}


def learned():
    rng = np.random.default_rng(0)
    layers = tuple((rng.normal(size=s) / 2, rng.normal(size=s[1])) for s in ((2, 6), (6, 4)))
    network = Network(np.zeros(2), np.ones(2), (), layers)
    return LearnedLibrary(["x", "u"], network), {"x": "m", "u": "m/s"}


def integrals():
    names = [f"w{k}" for k in range(POINTS)]
    jets = Jets(["w"])
    densities = [jets.symbol(0) ** 2, jets.symbol(0, 1) ** 2, jets.symbol(0), jets.symbol(0) ** 4]
    return IntegralLibrary(densities, jets, grid_of(names, 0.5), names), {"w": "1", "x": "m"}


KINDS = {"closed forms": closed, "learned features": learned, "integrals": integrals}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]()


def orbits_of(dim):
    """Return runs on circles in (x_0, x_1), (x_2, x_3) …, with a little noise."""
    rng = np.random.default_rng(1)
    t = np.linspace(0, 6, STEPS)
    phase = rng.uniform(0, 6, (RUNS, 1, dim // 2)) + t[None, :, None]
    size = rng.uniform(0.5, 1.5, (RUNS, 1, dim // 2))
    rows = np.stack([size * np.cos(phase), -size * np.sin(phase)], axis=-1).reshape(-1, dim)
    noise = np.full(dim, 0.02)
    measured = raw_path(rows + noise * rng.normal(size=rows.shape), noise)
    smoothed = raw_path(rows, noise / 3)
    return Orbits(measured, smoothed, STEPS * np.arange(RUNS + 1), rows.std(axis=0))


def test_it_offers_all_that_is_asked_for(kind):
    functions, _ = kind
    assert isinstance(functions, Functions)
    m, states = len(functions), orbits_of(functions.dim).smoothed.states[:9]
    assert len(functions.symbols) == functions.dim == states.shape[1]
    assert functions.values(states).shape == (m, 9)
    assert functions.costs().shape == (m,) and np.all(functions.costs() > 0)
    assert len(functions.kinds()) == len(functions.expressions()) == m
    some = functions.restrict([2, 0])
    np.testing.assert_allclose(some.values(states), functions.values(states)[[2, 0]])
    again = pickle.loads(pickle.dumps(functions))
    np.testing.assert_allclose(again.values(states), functions.values(states))


def test_derivatives_are_those_of_the_values(kind):
    functions, _ = kind
    states = orbits_of(functions.dim).smoothed.states[:5]
    d, step = functions.dim, 1e-4
    factor = np.random.default_rng(2).normal(size=(5, d, d))
    covariance = factor @ np.swapaxes(factor, 1, 2)
    values, slopes, bend = functions.jets(states, covariance, order=2)
    units = step * np.eye(d)
    for i in range(d):
        difference = functions.values(states + units[i]) - functions.values(states - units[i])
        np.testing.assert_allclose(slopes[i], difference / (2 * step), rtol=1e-5, atol=1e-6)
    half = step * np.linalg.cholesky(covariance)
    second = sum(
        functions.values(states + half[:, :, j]) + functions.values(states - half[:, :, j])
        for j in range(d)
    )
    np.testing.assert_allclose(bend, (second - 2 * d * values) / step**2, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(functions.jets(states, order=1)[1], slopes)
    assert functions.jets(states, order=0)[1:] == (None, None)


def test_it_goes_from_evidence_to_the_report(kind):
    functions, units = kind
    terms = functions.restrict([0, 1])
    coefficients, errors = np.array([1.0, 0.8]), np.array([0.0, 0.1])
    orbits = orbits_of(functions.dim)
    assert operators(terms, orbits.smoothed, orbits.offsets, orbits.scale).within.shape == (2, 2)
    evidence = gather(terms, coefficients, orbits, np.random.default_rng(0))
    chance = by_chance(coefficients, errors, terms.kinds())
    verdict = verdict_of(checks(evidence, Formula(terms, coefficients, chance)))
    assert verdict in ("exact", "approximate", "identity", "rejected")
    # One term alone is asked whether it is a coordinate that stays zero.
    same = replace(evidence, signal=0.0, cancelled=1.0, smoothed_flatness=0.9, drift=0.0)
    same = replace(same, smoothed_flatness_interval=(0.8, 1.0), moving=0.5)
    zero = verdict_of(checks(same, Formula(functions.restrict([0]), np.ones(1))))
    assert zero == ("identity" if functions.is_coordinate else "rejected")
    expression = sympy.Add(*terms.expressions())
    law = Law(
        terms,
        coefficients,
        expression,
        evidence,
        "approximate",
        2.0,
        np.diag(errors**2),
        by_chance=chance,
    )
    assert law.price >= law.cost and 0 < law.sine < 1
    assert law.means(orbits).shape == (RUNS,)
    assert law.gradient(orbits.smoothed.states[:7], orbits.scale).shape == (7, functions.dim)
    times = np.tile(np.arange(float(STEPS)), RUNS)
    rate = secular_rate(
        terms, coefficients, orbits.measured, times, orbits.offsets, evidence.spread
    )
    assert np.isfinite(rate) and rate >= 0
    quantity = replace(Quantity.from_law(law), drift_rate=rate)
    units_of = quantity.coefficient_units(units)
    assert set(units_of) == {plain(term) for term in terms.expressions()}
    assert set(quantity.to_dict()["coefficients"]) == {str(e) for e in terms.expressions()}
    assert quantity.to_latex(errors=True).count(r"\pm") == 1
    report = replace(_any_report(), quantities=[quantity])
    assert quantity.formula in str(report) and "<math" in report.to_html()
    assert report.to_frame().shape[0] == 1


def test_units_of_integrals():
    functions, _ = integrals()
    found = functions.restrict([0, 1])
    by_term = list(Quantity.coefficient_units(_quantity_of(found), {"w": "m", "x": "s"}).values())
    # ∫w² dx beside ∫w_x² dx: the second coefficient carries the square of x's unit.
    assert by_term[0] == 1 and str(by_term[1]) in ("second**2", "s**2")


def _quantity_of(terms):
    orbits = orbits_of(terms.dim)
    coefficients = np.ones(len(terms))
    evidence = gather(terms, coefficients, orbits, np.random.default_rng(0))
    expression = sympy.Add(*terms.expressions())
    return Quantity.from_law(Law(terms, coefficients, expression, evidence, "exact", 2.0))


def _any_report():
    runs = datasets.load("harmonic_oscillator", 12, 40, noise=0.01, seed=0)
    frame = pd.DataFrame(runs.rows, columns=runs.names)
    return ConservedQuantityFinder(random_state=0).fit(frame, groups=runs.groups).report_


def test_logarithms_of_a_limit_have_values_on_half_lines():
    x, y = sympy.symbols("x y", real=True)
    logs = [sympy.log(inside) for inside in (2 - x, 9.0 - 4 * y**2, y, x**2 + 1, x - y)]
    library = Library((x, y), logs, np.eye(5, dtype=int), "limits")
    own = {1, HalfLine(0, 2.0, -1), HalfLine(1, 1.5, 1), HalfLine(1, 1.5, -1)}
    assert set(library.positive) == own
