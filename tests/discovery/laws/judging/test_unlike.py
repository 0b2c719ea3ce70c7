"""Runs that break a law which holds in the others: named, and no others are."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from scipy import stats

from discovery import ConservedQuantityFinder, Trajectories
from discovery.analysis import again
from discovery.criteria import LAWS
from discovery.estimation.preparation import prepare
from discovery.laws.judging.unlike import chances, refuted_by_few, unlike_runs
from discovery.libraries.library import Library

X, V = sympy.symbols("x v", real=True)
ENERGY = SimpleNamespace(
    library=Library((X, V), [X, V], [(2, 0), (0, 2)]), coefficients=np.array([1.0, 1.0])
)


def oscillators(damped=(), friction=0.02, n_runs=40, seed=0):
    """Runs of an oscillator at 1 % noise, some of them with friction."""
    rng = np.random.default_rng(seed)
    t = 0.15 * np.arange(120)
    phase, size = rng.uniform(0, 6.3, (n_runs, 1)), rng.uniform(0.5, 2, (n_runs, 1))
    rate = friction * np.isin(np.arange(n_runs), damped)[:, None]
    fading = size * np.exp(-rate * t / 2)
    clean = np.stack([fading * np.cos(t + phase), -fading * np.sin(t + phase)], axis=2)
    noisy = clean + 0.01 * rng.standard_normal(clean.shape)
    return Trajectories(noisy, times=t, names=["x", "v"])


@pytest.mark.parametrize("seed", range(3))
def test_runs_with_friction_are_named(seed):
    orbits = prepare(oscillators([3, 17, 31], seed=seed))
    assert unlike_runs([ENERGY], orbits).tolist() == [3, 17, 31]


def test_runs_that_are_alike_are_uniform_in_their_chances():
    found = np.concatenate(
        [chances(ENERGY, prepare(oscillators(n_runs=100, seed=seed))) for seed in range(5)]
    )
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert found.min() > 1e-3 / len(found)


def test_what_moves_in_many_runs_is_no_law_of_the_others():
    orbits = prepare(oscillators(range(0, 40, 2)))
    assert len(unlike_runs([ENERGY], orbits)) == 0


def test_what_large_motions_refute_is_no_law_of_the_others():
    calm = oscillators().rows.reshape(40, -1).std(axis=1)
    assert len(unlike_runs([ENERGY], prepare(oscillators(np.argsort(calm)[-3:])))) == 0


def test_one_run_that_is_the_smallest_is_as_good_as_others():
    calm = oscillators().rows.reshape(40, -1).std(axis=1)
    order = np.argsort(calm)
    assert len(unlike_runs([ENERGY], prepare(oscillators(order[:1])))) == 0
    assert unlike_runs([ENERGY], prepare(oscillators(order[8:9]))).tolist() == [order[8]]


def two_springs(slower=(), by=0.02, n_runs=40, seed=0):
    """Runs of two equal oscillators at 2 % noise; in some the second one loses its step."""
    rng = np.random.default_rng(seed)
    t = 0.25 * np.arange(160)
    rows = []
    for late in (0.0, by):
        rate = 1 - late * np.isin(np.arange(n_runs), slower)[:, None]
        phase, size = rng.uniform(0, 6.3, (n_runs, 1)), rng.uniform(0.5, 2, (n_runs, 1))
        rows += [size * np.cos(rate * t + phase), -size * np.sin(rate * t + phase)]
    clean = np.stack(rows, axis=2)
    noisy = clean + 0.02 * clean.std(axis=(0, 1)) * rng.standard_normal(clean.shape)
    return Trajectories(noisy, times=t, names=["x", "vx", "y", "vy"])


SPRINGS = sympy.symbols("x vx y vy", real=True)


def law_of(*powers):
    library = Library(SPRINGS, SPRINGS, powers)
    return SimpleNamespace(library=library, coefficients=np.ones(len(powers)))


E_X, E_Y = law_of((2, 0, 0, 0), (0, 2, 0, 0)), law_of((0, 0, 2, 0), (0, 0, 0, 2))
BOTH = law_of((1, 0, 1, 0), (0, 1, 0, 1))


def test_a_run_in_which_the_laws_hold_is_like_the_others():
    """What two oscillators have in common moves in one run, in which each keeps its energy."""
    orbits = prepare(two_springs([7]))
    assert unlike_runs([BOTH], orbits).tolist() == [7]
    assert not len(unlike_runs([BOTH], orbits, exact=[E_X, E_Y, BOTH]))
    ((law, runs, chance),) = refuted_by_few([E_X, E_Y, BOTH], orbits)
    assert law is BOTH and runs.tolist() == [7] and chance < LAWS.unlike


def test_a_run_in_which_all_laws_of_a_coordinate_move_is_unlike_the_others():
    orbits = prepare(oscillators([5]))
    assert unlike_runs([ENERGY], orbits, exact=[ENERGY]).tolist() == [5]
    assert not refuted_by_few([ENERGY], orbits)


def test_what_a_run_refutes_is_nearly_conserved(monkeypatch):
    finder = ConservedQuantityFinder(random_state=0)
    assert finder.fit(two_springs()).n_conserved_ == 3
    monkeypatch.setattr(again, "refuted_by_few", lambda laws, *_: [(laws[-1], [7, 9], 1e-9)])
    report = finder.fit(two_springs()).report_
    assert report.n_conserved == 2
    assert [q.verdict for q in report.quantities] == ["exact", "exact", "approximate"]
    assert "it moves in single runs (7, 9), by" in str(report)
    why = "motion in single runs (7, 9): 1e-09 (at least"
    assert why in " ".join(report.explain().split())


@pytest.mark.parametrize("known", [True, False])
def test_what_has_no_closed_form_leaves_no_run_out(monkeypatch, known):
    """An expansion is known amid its data: that it holds in some runs is nothing against others."""
    monkeypatch.setattr(again, "_alone", lambda *_: True)
    monkeypatch.setattr(again, "_alike", lambda *_: np.arange(40) != 7)
    law = SimpleNamespace(verdict="exact", form_known=known)
    report = SimpleNamespace(n_conserved=1, quantities=[law])
    found = again.without_unlike(
        SimpleNamespace(sound=oscillators()),
        None,
        SimpleNamespace(criteria=None, again=None),
        lambda *_: again.Analysed(report, None, None, []),
    )
    said = found.said if found else []
    assert said == ["runs 7 move otherwise: the report is on the 39 others"] * known


def test_a_report_is_on_the_others():
    runs = oscillators([3, 17, 31])
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert report.n_conserved == 1
    assert "runs 3, 17, 31 move otherwise: the report is on the 37 others" in report.title


def test_expansions_name_no_runs(monkeypatch):
    """They are known where the data are: runs that leave these are as good as others."""
    asked = []
    monkeypatch.setattr(again, "unlike_runs", lambda laws, *_: asked.append(laws) or [])
    closed, expanded = (
        SimpleNamespace(verdict="exact", library=SimpleNamespace(learned=learned))
        for learned in (False, True)
    )
    some = SimpleNamespace(orbits=SimpleNamespace(n_runs=3), split=SimpleNamespace(all=None))
    again._alike(some, SimpleNamespace(laws=[closed, expanded], refused=[]), None)
    assert asked == [[closed]]
