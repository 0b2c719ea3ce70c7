"""What a formula says beside a known law is known better than the formula."""

import numpy as np

from discovery import libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.split import Split
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import operators
from discovery.laws.judging.beside import beside, drift_beside
from discovery.laws.judging.drift import Evaluated
from discovery.laws.judging.evidence import gather
from discovery.laws.judging.judge import Judge

RUNS, STEPS = 40, 50
NAMES = ("x", "y")
KNOWN = [(libraries.custom(["x"], NAMES), np.ones(1))]
BOTH = libraries.custom(["x", "y"], NAMES)


def orbits(seed, moving=0.0):
    """Runs on which x is constant, and y but for a wave; x is as noisy as 20 y."""
    rng = np.random.default_rng(seed)
    x, y, phase = rng.normal(size=(3, RUNS, 1))
    wave = moving * np.sqrt(2) * np.sin(0.7 * np.arange(STEPS) + 6 * phase)
    states = np.stack(np.broadcast_arrays(x, y + wave), axis=-1).reshape(-1, 2)
    noise = np.array([0.2, 0.01])
    path = raw_path(states + noise * rng.standard_normal(states.shape), noise)
    return Orbits(path, path, STEPS * np.arange(RUNS + 1), states.std(axis=0))


def test_its_noise_is_what_the_law_leaves():
    some = orbits(0)
    left = beside(Evaluated.of(BOTH, some), [Evaluated.of(KNOWN[0][0], some)], some)
    x, y = left.values.reshape(2, RUNS, STEPS)
    assert np.allclose(x, x[:, :1])
    np.testing.assert_array_equal(y.ravel(), some.measured.states[:, 1])
    np.testing.assert_array_equal(left.slopes[:, 0], 0.0)


def test_a_law_twice_is_as_good_as_once():
    some, c = orbits(0), np.array([1.0, 1.0])
    twice = drift_beside(BOTH, c, 2 * KNOWN, some)
    np.testing.assert_allclose(twice, drift_beside(BOTH, c, KNOWN, some), rtol=1e-6)


def test_the_bound_is_sharp_and_holds():
    """At 5 %: of 200 draws it may fail in 19 by chance, once in a hundred times."""
    size, c = 0.02, np.array([1.0, 1.0])
    bounds = np.array([drift_beside(BOTH, c, KNOWN, orbits(s, size)) for s in range(200)])
    truth = size / np.sqrt(2.0 + size**2)
    assert np.sum(bounds[:, 0] < truth) <= 19
    assert np.median(bounds[:, 0]) < 1.5 * truth
    plain = gather(BOTH, c, orbits(0, size), np.random.default_rng(0)).drift_interval[1]
    assert plain > 2 * truth


def test_none_where_no_law_makes_it_sharper():
    other = libraries.custom(["y"], NAMES)
    assert drift_beside(other, np.ones(1), KNOWN, orbits(0)) is None
    assert drift_beside(other, np.ones(1), [], orbits(0)) is None
    nowhere = libraries.custom(["log(x)"], NAMES)
    assert drift_beside(BOTH, np.ones(2), [(nowhere, np.ones(1))], orbits(0)) is None


def test_the_judge_asks_what_is_new_beside_known_laws():
    split = Split.draw(orbits(0), np.random.default_rng(0))
    fit = split.fit
    ops = operators(BOTH, fit.smoothed, fit.offsets, fit.scale)

    def law(*c, known=()):
        judge = Judge(BOTH, split, np.random.default_rng(0), known=known)
        some = tuple(np.flatnonzero(c))
        alone = Candidate(some, np.array(c, dtype=float)[list(some)], 1.0, 1.0)
        return judge.law(ops, judge.as_it_is(alone))

    first, second = law(1, 0), law(1, 1)
    assert second.evidence.beside is None
    beside_first = law(1, 1, known=[first])
    assert beside_first.evidence.beside[0] < 0.2 * second.evidence.drift_interval[1]
    assert beside_first.least_new < second.least_new
