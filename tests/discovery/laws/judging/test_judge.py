"""A candidate before the judge: refuted at sight, refined, rounded, tested."""

import numpy as np
import pytest

from discovery import libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path, raw_path
from discovery.estimation.split import Split
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import operators
from discovery.laws.judging.judge import Judge

RUNS, STEPS, NOISE = 40, 80, 0.01
TERMS = libraries.custom(["x**2", "u**2"], ("x", "u"))


def judge_of(least):
    """The judge of oscillators of amplitudes from the least to 2, whose energy is x² + u²."""
    rng = np.random.default_rng(0)
    size, phase = rng.uniform(least, 2, (RUNS, 1)), rng.uniform(0, 6.3, (RUNS, 1))
    turn = 0.2 * np.arange(STEPS) + phase
    states = np.stack([size * np.cos(turn), -size * np.sin(turn)], axis=-1).reshape(-1, 2)
    path = raw_path(states + NOISE * rng.standard_normal(states.shape), np.full(2, NOISE))
    orbits = Orbits(path, path, STEPS * np.arange(RUNS + 1), states.std(axis=0))
    return Judge(TERMS, Split.draw(orbits, rng), rng)


@pytest.fixture
def judge():
    """An oscillator whose energy is x² + u², and all that the judge needs."""
    return judge_of(0.5)


def operators_on(orbits):
    return operators(TERMS, orbits.smoothed, orbits.offsets, orbits.scale)


def candidate(*coefficients):
    return Candidate((0, 1), np.array(coefficients), flatness=1.0, cost=4.0)


def test_what_held_out_runs_refute_is_hopeless(judge):
    held = operators_on(judge.split.held)
    assert judge.hopeless(candidate(1.0, 2.0), held)
    assert not judge.hopeless(candidate(1.0, 1.0), held)
    # Refining repairs coefficients that are slightly wrong.
    assert not judge.hopeless(candidate(1.0, 1.01), held)


def test_a_law_is_refined_and_rounded(judge):
    ops = operators_on(judge.split.fit)
    law = judge.law(ops, judge.refined(ops, candidate(1.0, 1.01)))
    assert law.verdict == "exact"
    np.testing.assert_array_equal(law.coefficients, [1.0, 1.0])
    assert law.checks and all(check.passed for check in law.checks)
    assert law.by_chance == 1.0  # terms of one kind: a symmetry makes them equal
    assert law.cost == 6.0


def test_what_plainly_drifts_keeps_its_coefficients(judge):
    """No rounding would make a law of it."""
    ops = operators_on(judge.split.fit)
    refined = judge.refined(ops, candidate(1.0, 1.0))
    wrong = np.array([1.0, 2.00001])
    moving = type(refined)(candidate(*wrong), refined.drift, refined.errors)
    law = judge.law(ops, moving)
    assert law.verdict == "rejected"
    assert law.evidence.drift_interval[0] > 0.1
    np.testing.assert_array_equal(law.coefficients, wrong)


def test_the_scale_of_a_candidate_does_not_matter(judge):
    """x² + ½ (2 u²): that the ratio is a half is no chance, whatever both are multiplied by."""
    terms = libraries.custom(["x**2", "2*u**2"], ("x", "u"))
    other = Judge(terms, judge.split, np.random.default_rng(0))
    fit = judge.split.fit
    ops = operators(terms, fit.smoothed, fit.offsets, fit.scale)
    for scale in (1.0, 1e4):
        law = other.law(ops, other.refined(ops, candidate(scale, 0.5 * scale)))
        assert law.by_chance < 0.02


def test_a_bound_holds_in_places_that_only_other_runs_come_to():
    """In a few samples of the fit runs the path moves, where noise hides it."""
    rng = np.random.default_rng(1)
    n_runs, n = 20, 20 * STEPS
    noisy = np.arange(n) % STEPS < 3
    level = np.where(noisy, 10.0, 0.1)
    path = np.repeat(rng.normal(size=n_runs), STEPS)
    states = np.column_stack([path, rng.normal(size=n)])
    covariance = level[:, None, None] ** 2 * np.eye(2)
    measured = Path(states + level[:, None] * rng.standard_normal(states.shape), covariance)
    moving = np.arange(n) < 10 * STEPS
    states[:, 0] += 3.0 * (noisy & moving)
    motion = np.sqrt(states[:, 0].reshape(n_runs, STEPS).var(axis=1).mean()) / states[:, 0].std()
    smoothed = Path(states, covariance / 100)
    orbits = Orbits(measured, smoothed, STEPS * np.arange(n_runs + 1), np.ones(2))
    fit, held = np.arange(10), np.arange(10, n_runs)
    line = libraries.custom(["x", "u"], ("x", "u"))
    judge = Judge(line, Split.of(orbits, fit, held, rng), rng)
    ops = operators(line, orbits.smoothed, orbits.offsets, orbits.scale)
    law = judge.law(ops, judge.refined(ops, Candidate((0,), np.ones(1), 1.0, 1.0)))
    assert law.evidence.uneven
    assert law.evidence.drift_interval[1] > motion


def test_a_bound_holds_for_a_run_that_did_not_judge():
    """One run of twenty moves, by .3 to either side, and it is one of the fit runs."""
    rng = np.random.default_rng(1)
    n_runs, n = 20, 20 * STEPS
    values = np.repeat(rng.normal(size=n_runs), STEPS)
    values[:STEPS] += 0.3 * np.sign(np.sin(0.3 * np.arange(STEPS)))
    motion = np.sqrt(values.reshape(n_runs, STEPS).var(axis=1).mean()) / values.std()
    states = np.column_stack([values, rng.normal(size=n)]) + 0.1 * rng.standard_normal((n, 2))
    path = raw_path(states, np.full(2, 0.1))
    orbits = Orbits(path, path, STEPS * np.arange(n_runs + 1), np.ones(2))
    line = libraries.custom(["x", "u"], ("x", "u"))
    judge = Judge(line, Split.of(orbits, np.arange(10), np.arange(10, n_runs), rng), rng)
    ops = operators(line, orbits.smoothed, orbits.offsets, orbits.scale)
    law = judge.law(ops, judge.refined(ops, Candidate((0,), np.ones(1), 1.0, 1.0)))
    # The samples beside each tell that it does.
    assert law.verdict == "rejected" and law.moves_alone and not law.evidence.uneven
    assert law.evidence.drift_interval[1] > motion


def verdict_of(judge):
    ops = operators_on(judge.split.fit)
    return judge.law(ops, judge.refined(ops, candidate(1.0, 1.0))).verdict


@pytest.mark.parametrize(("apart", "verdict"), [(1.0, "identity"), (2.0, "rejected")])
def test_an_identity_is_asked_for_at_each_state(monkeypatch, apart, verdict):
    monkeypatch.setattr("discovery.laws.judging.judge.apart_by_own_noise", lambda *_: apart)
    assert verdict_of(judge_of(2.0)) == verdict


@pytest.mark.parametrize("seed", range(3))
def test_a_sum_of_coordinates_is_not_in_doubt(seed):
    """However little is known of the small part that one of them has."""
    rng, t = np.random.default_rng(seed), 0.2 * np.arange(60)
    size, phase = rng.uniform(0.5, 1.5, (2, 30, 1)), rng.uniform(0, 6, (2, 30, 1))
    y, z = size * np.cos(np.array([1.0, 1.7])[:, None, None] * t + phase)
    x = rng.normal(size=(30, 1)) - y - 0.02 * z
    states = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    path = raw_path(states + 0.03 * rng.standard_normal(states.shape), np.full(3, 0.03))
    split = Split.draw(Orbits(path, path, 60 * np.arange(31), states.std(axis=0)), rng)
    terms, fit = libraries.custom(["x", "y", "z"], ("x", "y", "z")), split.fit
    ops = operators(terms, fit.smoothed, fit.offsets, fit.scale)
    flatness, c = ops.pencil.smallest(np.arange(3))
    judge = Judge(terms, split, rng)
    refined = judge.refined(ops, Candidate((0, 1, 2), c, flatness, 0.0))
    assert np.max(refined.errors / np.abs(refined.candidate.coefficients)) > 0.05
    law = judge.law(ops, refined)
    assert law.verdict == "exact" and not law.doubtful
