"""Coefficients refitted by sums over runs that are read some at a time."""

from dataclasses import fields, replace

import numpy as np
import pytest

from discovery import Trajectories, datasets, libraries
from discovery.criteria import LAWS
from discovery.estimation.preparation import prepare
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.finding import operators
from discovery.laws.judging.drift import GROUPS, DriftTest, Weighting, values_of
from discovery.laws.judging.evidence import gather
from discovery.laws.judging.law import Law
from discovery.laws.judging.least_drift import stays
from discovery.laws.judging.verdict import Verdict
from discovery.laws.whole.refit import Sums, drawn, fits, refitted, with_errors_of_all

ODD = 1.137263


def oscillators(n_runs, seed=0, steps=40):
    """Runs that keep ODD q² + p²."""
    rng = np.random.default_rng(seed)
    phase = np.sqrt(ODD) * 0.3 * np.arange(steps) + rng.uniform(0, 6.3, (n_runs, 1))
    size = rng.uniform(0.5, 2, (n_runs, 1))
    states = np.stack([size * np.cos(phase), -np.sqrt(ODD) * size * np.sin(phase)], -1)
    states += 0.01 * rng.standard_normal(states.shape)
    return Trajectories(states, 0.3 * np.arange(steps), ["q", "p"])


def weighting(library, one, orbits):
    smooth = orbits.smoothed
    return Weighting.of(values_of(library, one, smooth.states, smooth.errors)[1], orbits.offsets)


def of_law(terms, coefficients, runs):
    """A law as a sample may have told it, and the sums of runs that refit it."""
    orbits = prepare(runs)
    library, one = libraries.custom(terms, runs.names), np.array(coefficients)
    law = Law(
        library=library,
        coefficients=one,
        expression=sum(c * t for c, t in zip(one, library.expressions(), strict=True)),
        evidence=gather(library, one, orbits, np.random.default_rng(0)),
        verdict=Verdict.EXACT,
        cost=5.0,
    )
    like = weighting(library, one, orbits)
    return law, Sums.of(library, one, orbits, like, drawn(runs.run_ids)[0])


def arrays(sums):
    own = [getattr(sums.smoothed, f.name) for f in fields(operators.Sums)]
    own += [getattr(sums, f.name) for f in fields(Sums) if f.name != "smoothed"]
    return [np.ravel(np.array(value, dtype=float)) for value in own]


def test_sums_of_parts_are_those_of_all():
    runs = datasets.load("kepler", 30, 60, noise=0.01, seed=1)
    orbits = prepare(runs, np.full(4, 0.01))
    library = libraries.custom(["u**2", "v**2", "1/sqrt(x**2 + y**2)"], runs.names)
    one = np.array([0.5, 0.5, -1.0])
    like, groups = weighting(library, one, orbits), drawn(runs.run_ids)[0]

    def of(some):
        return Sums.of(library, one, orbits.take(some), like, groups[some])

    whole = of(np.arange(30))
    a, b, c = (of(np.arange(*ends)) for ends in ((0, 3), (3, 4), (4, 30)))
    for parts in ((a + b) + c, a + (b + c), c + b + a):
        for found, expected in zip(arrays(parts), arrays(whole), strict=True):
            size = np.abs(expected).max()
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * size)
    # They are what a search has in memory.
    smooth = orbits.smoothed
    expected = operators.operators(library, smooth, orbits.offsets, orbits.scale)
    for name in ("within", "dirichlet", "between", "unit_dirichlet"):
        found = getattr(whole.smoothed.operators(), name)
        np.testing.assert_allclose(found, getattr(expected, name), rtol=1e-9, atol=1e-14)
    test, least = DriftTest(library, one, orbits), whole.least
    best = test.refined()
    np.testing.assert_allclose(best, least.refined() * np.sign(best @ least.refined()), rtol=1e-7)


def test_a_run_is_in_the_same_group_whatever_piece_it_is_in():
    ids = np.array([f"day{k}/7" for k in range(5000)])
    groups, refit = drawn(ids)
    some = drawn(ids[1234:1240])
    np.testing.assert_array_equal(some[0], groups[1234:1240])
    np.testing.assert_array_equal(some[1], refit[1234:1240])
    assert 0.57 < refit.mean() < 0.63 and np.bincount(groups, minlength=GROUPS).min() > 20
    # Every group has runs of both kinds: groups and the share are drawn apart.
    assert len(np.unique(groups[refit])) == len(np.unique(groups[~refit])) == GROUPS


def test_coefficients_are_those_of_all_rows():
    """The more rows, the nearer the truth; errors fall by the root of their number."""
    sizes = []
    for n_runs in (100, 1600):
        law, sums = of_law(["q**2", "p**2"], [2.28, 2.0], oscillators(n_runs))
        found = refitted(law, sums, sums, NUMBERS)
        ratio = found.coefficients[0] / found.coefficients[1]
        error = np.max(found.errors / np.abs(found.coefficients)) * ratio
        assert abs(ratio - ODD) < 4 * error
        sizes.append(error)
    assert abs(ratio - ODD) < 0.2 * (1.14 - ODD)
    # What a sample tells of the spread is told on the scale of the new coefficients.
    scales = found.evidence.spread / law.evidence.spread, found.coefficients[1] / 2
    np.testing.assert_allclose(*scales, rtol=0.01)
    assert 2.5 < sizes[0] / sizes[1] < 6.5


def test_errors_tell_how_far_a_printed_number_is_off():
    law, sums = of_law(["q**2", "p**2"], [1.15, 1.0], oscillators(200))
    told = with_errors_of_all(law, sums)
    off = np.max(told.errors / np.abs(law.coefficients))
    assert 0.8 * (1.15 / ODD - 1) < off < 1.3 * (1.15 / ODD - 1)


def test_a_term_that_is_none_is_left_out():
    law, sums = of_law(["q**2", "p**2", "q*p"], [1.14, 1.0, 0.004], oscillators(800))
    found = refitted(law, sums, sums, NUMBERS)
    assert str(found.expression).count("q*p") == 0 and len(found.library) == 2
    assert len(found.errors) == 2


def test_what_is_right_stays():
    runs = datasets.load("harmonic_oscillator", 200, 60, noise=0.01, seed=0)
    law, sums = of_law(["q**2", "p**2"], [1.0, 1.0], runs)
    assert refitted(law, sums, sums, NUMBERS) is None and fits(law, sums, NUMBERS)


@pytest.mark.parametrize("first", [1.1, 1.1373])
def test_what_may_be_told_better_does_not_fit(first):
    """1.1 is 3 % off, outside of its interval; 1.1373 is no simple number."""
    law, sums = of_law(["q**2", "p**2"], [first, 1.0], oscillators(400))
    assert not fits(law, sums, NUMBERS)
    assert NUMBERS.are_simple(law.coefficients)[0] == (first == 1.1)


def test_few_groups_refit_nothing():
    law, sums = of_law(["q**2", "p**2"], [1.14, 1.0], oscillators(6))
    assert refitted(law, sums, sums, NUMBERS) is None
    assert with_errors_of_all(law, sums) is law


def test_terms_without_a_value_refit_nothing():
    law, sums = of_law(["q**2", "p**2"], [1.14, 1.0], oscillators(50))
    broken = replace(sums, drifts=sums.drifts * np.nan)
    assert refitted(law, broken, broken, NUMBERS) is None


@pytest.mark.parametrize(("off", "expected"), [(0.0, True), (1.3, True), (2.5, False)])
def test_the_region_of_coefficients_by_groups(off, expected):
    """By groups of runs of unequal size as run by run."""
    rng = np.random.default_rng(0)
    best = rng.normal(size=3000)
    more = rng.standard_normal(3000)
    # In standard errors; one ratio may be 3.3 / 2 of them off.
    more += off / np.sqrt(3000) - more.mean()
    groups = rng.integers(0, 60, 3000)
    runs = np.bincount(groups)
    by_group = [np.bincount(groups, values) / runs for values in (best + more, best)]
    assert stays(best + more, best, np.ones(3000), -np.inf, 1, LAWS) == expected
    assert stays(*by_group, runs, -np.inf, 1, LAWS) == expected


def test_groups_count_by_their_runs():
    """Of a thousand runs none moves; twenty do, each a group of its own."""
    trial = np.append(0.0, 1 + 0.1 * np.random.default_rng(0).normal(size=20))
    runs = np.append(1000, np.ones(20, dtype=int))
    assert stays(trial, np.zeros(21), runs, -np.inf, 1)
    assert not stays(trial, np.zeros(21), np.ones(21), -np.inf, 1)
