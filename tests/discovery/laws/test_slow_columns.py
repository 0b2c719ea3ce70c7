"""Columns that hardly move along runs, but do: what is a function of one of them is no law."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import Trajectories, libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.search import Search, analyse
from discovery.laws.stages import stages_of

NAMES = ("x", "v", "k")


def fading(seed, fade=0.012, noise=0.05):
    """An oscillator with a stiffness that is measured, and fades by a little in each run."""
    rng, times = np.random.default_rng(seed), np.linspace(0, 20, 250)

    def motion(t, s):
        return [s[1], -4 * s[0] - 2 * s[2] * s[0] ** 3, -fade / 20 * s[2]]

    starts = np.c_[rng.uniform(-1.5, 1.5, 40), rng.normal(0, 1, 40), rng.uniform(0.5, 2, 40)]
    states = [solve_ivp(motion, (0, 20), s, t_eval=times, rtol=1e-8).y.T for s in starts]
    states = np.array(states)
    states += noise * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return prepare(Trajectories(states=states, times=times, names=NAMES))


TERMS = ["x**2", "v**2", "k*x**4", "k", "k**2", "k**4", "k*x**2", "k*v**2", "k**2*x**4"]


def exact(orbits, terms=TERMS):
    rng = np.random.default_rng(0)
    stages = stages_of([libraries.custom(terms, NAMES)])
    laws = analyse(stages, Split.draw(orbits, rng), rng).laws
    return [law.expression for law in laws if law.verdict == "exact"]


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_an_energy_times_a_column_that_fades_is_no_law(seed):
    """The column is seen to move; the energy's noise hides by how little their product does."""
    assert len(exact(fading(seed))) == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_of_a_column_that_stays_there_are_both(seed):
    laws = exact(fading(seed, fade=0.0))
    assert len(laws) == 2 and str(laws[0]) == "k"


@pytest.mark.parametrize("seed", [0, 1])
def test_a_column_with_what_keeps_it_still_is_a_law(seed):
    """Beside an energy: k + x/100, though k hardly moves along a run."""
    rng, times = np.random.default_rng(seed), np.linspace(0, 20, 250)
    phase, size = rng.uniform(0, 2 * np.pi, 40), rng.uniform(0.5, 1.5, 40)
    turn = times + phase[:, None]
    x, v = size[:, None] * np.cos(turn), -size[:, None] * np.sin(turn)
    states = np.stack([x, v, rng.uniform(0.5, 2, (40, 1)) - x / 100], axis=2)
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    orbits = prepare(Trajectories(states=states, times=times, names=NAMES))
    laws = exact(orbits, ["x**2", "v**2", "k", "x", "v"])
    slow = [law for law in laws if law.has(sympy.Symbol("k", real=True))]
    assert len(laws) == 2 and len(slow) == 1


def test_sums_of_one_slow_column_are_not_tried():
    """They are flat where most runs are, and so move by less over their spread."""
    states = np.repeat(np.linspace(0.5, 2, 40), 60)[:, None] * np.ones((1, 3))
    rng = np.random.default_rng(0)
    states[:, :2] = rng.standard_normal((2400, 2))
    path = raw_path(states, np.full(3, 0.01))
    fit = Orbits(path, path, 60 * np.arange(41), states.std(axis=0))
    search = Search(Split.draw(fit, rng), rng)
    some = libraries.custom(["k", "k**2", "x", "x**2"], NAMES)
    assert search.says_less(some.restrict([0, 1]))
    assert not search.says_less(some.restrict([0]))
    assert not search.says_less(some.restrict([2, 3]))
    assert not search.says_less(some.restrict([0, 2]))
