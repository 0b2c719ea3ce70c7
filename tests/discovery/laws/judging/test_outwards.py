"""Numbers that are others in the outer runs are those of an expansion, and those of a law stay."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.law import Law
from discovery.laws.judging.outwards import chance_outwards, told_by_all
from discovery.libraries.domain import Domain

RUNS, STEPS = 40, 100
NAMES = ("x", "u")


@pytest.fixture(scope="module")
def pendulum():
    """Runs (r, n, 2) that swing up to 1.9 radians from rest."""
    rng = np.random.default_rng(0)
    starts = np.concatenate([rng.uniform(-1.6, 1.6, RUNS), rng.uniform(-0.8, 0.8, RUNS)])
    both = solve_ivp(
        lambda t, s: np.concatenate([s[RUNS:], -np.sin(s[:RUNS])]),
        (0, 12),
        starts,
        t_eval=np.linspace(0, 12, STEPS),
        rtol=1e-9,
        atol=1e-11,
    )
    return both.y.reshape(2, RUNS, STEPS).transpose(1, 2, 0)


def orbits(clean, noise, seed):
    offsets = clean.shape[1] * np.arange(len(clean) + 1)
    rows = clean.reshape(-1, clean.shape[-1])
    noise = noise * rows.std(axis=0)
    path = raw_path(rows + noise * np.random.default_rng(seed).standard_normal(rows.shape), noise)
    return Orbits(path, path, offsets, rows.std(axis=0))


def chance(expressions, near, runs):
    library = libraries.custom(expressions, NAMES)
    c = DriftTest(library, np.array(near), runs).refined(near=np.array(near))
    return chance_outwards(library, c, runs, Domain.around(library, runs.smoothed.states))


@pytest.mark.parametrize("noise", [0.002, 0.01, 0.05])
def test_numbers_of_a_law_change_by_chance(pendulum, noise):
    """Terms that are not needed beside those of the law."""
    terms, near = ["u**2", "cos(x)", "x**2", "x"], [0.5, -1.0, 0.0, 0.0]
    found = [chance(terms, near, orbits(pendulum, noise, seed)) for seed in range(100)]
    assert stats.kstest(found, "uniform").pvalue > 0.001


def test_numbers_of_an_expansion_change_outwards(pendulum):
    """A quartic for a cosine at 1 % noise; with the next term it is as good as the cosine."""
    seeds = range(10)
    quartic = [["u**2", "x**2", "x**4"], [0.5, 0.5, -0.04]]
    assert np.mean([chance(*quartic, orbits(pendulum, 0.01, seed)) < 0.01 for seed in seeds]) > 0.7
    sixth = [["u**2", "x**2", "x**4", "x**6"], [0.5, 0.5, -0.04, 0.001]]
    assert np.median([chance(*sixth, orbits(pendulum, 0.01, seed)) for seed in seeds]) > 0.05


def test_few_runs_tell_nothing(pendulum):
    assert chance(["u**2", "x**2", "x**4"], [0.5, 0.5, -0.04], orbits(pendulum[:4], 0.01, 0)) == 1


def test_an_expansion_is_told_with_where_it_holds(pendulum):
    """Its bound is for what the data surround, and no more is asked where nothing is by chance."""
    rows = pendulum.reshape(-1, 2)
    noisy = pendulum + 0.01 * rows.std(axis=0) * np.random.default_rng(50).standard_normal(
        pendulum.shape
    )
    runs = Trajectories(noisy, times=np.linspace(0, 12, STEPS), names=NAMES)
    finder = ConservedQuantityFinder(library=["u**2", "x**2", "x**4"], random_state=0)
    (law,) = finder.fit(runs).report_.quantities
    assert law.outwards < 0.01 and law.changes_outwards and not law.form_known
    assert "an approximation of a law" in law.statement and "amid the data" in law.statement
    assert law.known_at(rows).mean() > 0.99
    assert not law.known_at(np.array([[3.0, 0.0], [0.0, 3.0]])).any()
    finder = ConservedQuantityFinder(library=["u**2", "cos(x)"], random_state=0)
    (law,) = finder.fit(runs).report_.quantities
    assert law.outwards is None and law.form_known and "amid" not in law.statement


def test_only_what_chance_decides_is_asked(pendulum):
    runs = orbits(pendulum, 0.01, 0)
    library = libraries.custom(["u**2", "x**2", "x**4"], NAMES)
    c = np.array([0.5, 0.499, -0.038])
    evidence = type("Evidence", (), {"clean": False})
    law = Law(library, c, None, evidence, "exact", 3.0)
    assert told_by_all(law, runs).outwards < 0.01
    clean = replace(law, evidence=type("Evidence", (), {"clean": True}))
    cloud, windows = replace(runs, on_a_path=False), replace(runs, of_run=np.arange(RUNS))
    for other, seen in ((clean, runs), (law, cloud), (law, windows)):
        assert told_by_all(other, seen).outwards is None
    two = replace(law, library=library.restrict([0, 1]), coefficients=c[:2])
    assert told_by_all(two, runs).outwards is None and two.numbers_by_data == 2
    assert told_by_all(replace(law, verdict="approximate"), runs).domain is None
