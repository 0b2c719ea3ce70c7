"""Intervals hold the truth as often as they say, on few runs that differ much."""

import numpy as np
import pytest

from discovery.laws.judging.evidence import level_of
from discovery.laws.judging.intervals import Ratio, SquaredDrift

SEEDS = 400


@pytest.mark.parametrize("n_runs", [3, 8, 40])
def test_a_ratio_of_sums(n_runs):
    """Motion by noise alone, in runs whose noise differs by a factor of ten."""
    inside = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        size = rng.lognormal(0, 1, n_runs)
        noise = size * rng.chisquare(30, n_runs) / 30
        low, high = Ratio(size * rng.chisquare(30, n_runs) / 30, noise).interval(0.95)
        inside += low <= 1 <= high
    assert 0.88 <= inside / SEEDS <= 0.98


def drift(n_runs, seed, motion=0.01, noise=0.01):
    """Squared drift of runs with a spread of 1 between them; motion is skewed, noise is not."""
    rng = np.random.default_rng(seed)
    moved = motion * rng.chisquare(2, n_runs) / 2 + noise * rng.standard_normal(n_runs)
    return SquaredDrift(moved, np.ones(n_runs), rng.standard_normal(n_runs))


@pytest.mark.parametrize("n_runs", [5, 8, 20, 100])
@pytest.mark.parametrize("motion", [0.003, 0.02])
def test_the_bound_on_a_drift(n_runs, motion):
    bounds = [drift(n_runs, seed, motion).at_most(0.05) for seed in range(SEEDS)]
    held = np.mean(np.array(bounds) >= motion / (1 + motion))
    assert 0.92 <= held <= (1.0 if motion < 0.01 else 0.985)


def test_chance_makes_no_bound_smaller_than_what_can_be_seen():
    found = [drift(8, seed, motion=0.0) for seed in range(SEEDS)]
    lucky = [one for one in found if one.value < -0.004]
    assert len(lucky) > 20
    assert min(one.at_most(0.05) for one in lucky) > 0.001
    # A test may profit from luck, or else it would refuse more than its level allows.
    refused = np.mean([one.excluded(0.05) <= 0 for one in found])
    assert 0.001 <= refused <= 0.06


def test_two_runs_exclude_nothing():
    assert drift(2, 0).at_most(0.05) == np.inf
    assert drift(2, 0).at_least(0.95) == 0.0


def test_no_search_pays_for_more_candidates_than_it_judged():
    assert level_of(1) == pytest.approx(0.025)
    assert sum(level_of(k) for k in range(1, 5000)) == pytest.approx(0.05, rel=1e-3)


def test_of_many_false_candidates_none_passes():
    """Searches of 40 candidates on data without a law, all with as much drift as the limit.

    On eight runs with motion as skewed as here, the tails of t are too short: the share of
    searches is above the level of 5 %, but far from what it is when nobody pays.
    """
    limit, searches, alone, together = 0.04, 60, 0, 0
    for search in range(searches):
        found = [drift(8, 40 * search + k, limit / (1 - limit), 0.02) for k in range(40)]
        alone += any(one.excluded(0.05) < limit for one in found)
        together += any(one.excluded(level_of(k)) < limit for k, one in enumerate(found, 1))
    assert alone > 0.75 * searches
    assert together < 0.25 * searches
