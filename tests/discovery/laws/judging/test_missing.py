"""Terms that elimination left out come back where measured runs show that they are there."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets, libraries
from discovery.datasets.integrate import integrate
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.split import Split
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import operators
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.judge import Judge
from discovery.laws.judging.missing import with_missing

RUNS, STEPS, NOISE = 60, 80, 0.003
TERMS = libraries.custom(["x**2", "u**2", "x**4", "x*u", "x**3", "u**3"], ("x", "u"))
BEND = 0.04


def motion(states):
    x, u = states.T
    return np.stack([u, -x - BEND * x**3], axis=1)


@pytest.fixture(scope="module", params=[0, 1, 4])
def split(request):
    """A spring that hardens a little: its energy is u² + x² + BEND/2 x⁴."""
    rng = np.random.default_rng(request.param)
    starts = rng.uniform(-1, 1, (RUNS, 2))
    times = 0.2 * np.arange(STEPS)
    states = integrate(motion, starts, times).reshape(-1, 2)
    path = raw_path(states + NOISE * rng.standard_normal(states.shape), np.full(2, NOISE))
    orbits = Orbits(path, path, STEPS * np.arange(RUNS + 1), states.std(axis=0))
    return Split.draw(orbits, rng)


def fitted(support, fit):
    """Return the operators, and the combination of some terms that drifts least."""
    ops = operators(TERMS, fit.smoothed, fit.offsets, fit.scale)
    mu, c = ops.pencil.smallest(np.array(support))
    return ops, Candidate(support, c, mu, 0.0)


def test_a_small_term_comes_back(split):
    ops, short = fitted((0, 1), split.fit)
    longer = with_missing(TERMS, ops, short, split.fit)
    assert longer.support == (0, 1, 2)
    ratio = longer.coefficients[2] / longer.coefficients[1]
    assert ratio == pytest.approx(BEND / 2, rel=0.3)


def test_a_law_that_is_whole_stays_as_it_is(split):
    ops, whole = fitted((0, 1, 2), split.fit)
    assert with_missing(TERMS, ops, whole, split.fit) is None


def test_the_judge_completes_what_moves(split):
    ops, short = fitted((0, 1), split.fit)
    judge = Judge(TERMS, split, np.random.default_rng(0))
    moving = DriftTest(TERMS.restrict((0, 1)), short.coefficients, split.fit)
    assert moving.chance(short.coefficients) < 0.04
    law = judge.law(ops, judge.refined(ops, short))
    assert law.verdict == "exact" and len(law.coefficients) == 3


def test_functions_of_a_coordinate_do_not_still_it(split, monkeypatch):
    """By chance a term may look as if it were surely not zero."""
    ops, alone = fitted((0,), split.fit)
    _, longer = fitted((0, 2), split.fit)
    monkeypatch.setattr("discovery.laws.judging.judge.with_missing", lambda *_: longer)
    judge = Judge(TERMS, split, np.random.default_rng(0))
    assert judge.refined(ops, alone).candidate.support == (0,)


def test_a_term_comes_back_whose_lack_shows_as_the_states_go_alone():
    """The flow of seed 23 keeps fourteen terms, one of them a hundredth of the largest."""
    runs = datasets.load("quadratic/23", 40, 100, noise=0.01, seed=23)
    finder = ConservedQuantityFinder(library="polynomial", random_state=0).fit(runs)
    (law,) = finder.report_.quantities
    assert law.verdict == "exact" and len(law.library) == 14
