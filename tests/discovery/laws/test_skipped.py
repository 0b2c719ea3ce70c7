"""No library ends a search: what these data do not admit is skipped, and named with the reason."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging import law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.search import analyse
from discovery.laws.stage import Stage
from discovery.laws.stages import stages_of
from discovery.libraries import polynomial
from discovery.libraries.choice import custom
from discovery.libraries.families import logarithmic
from discovery.libraries.library import Library
from discovery.libraries.omitted import Omitted

NAMES = ("q", "p")
POLYNOMIAL = polynomial(NAMES)


class Singular(Library):
    """A library whose matrices cannot be decomposed."""

    def jets(self, states, covariance=None, order=1):
        raise np.linalg.LinAlgError("Matrix is not positive definite")


class Failing(Stage):
    """A stage that gives up while it is tried."""

    name = "failing"

    def __len__(self):
        return 0

    def libraries(self, fit, found):
        yield custom(["q"], NAMES)
        raise np.linalg.LinAlgError("SVD did not converge")


def test_a_stage_that_fails_midway_is_named():
    runs = datasets.load("harmonic_oscillator", 16, 60, noise=0.01, seed=0)
    rng = np.random.default_rng(0)
    stages = [Failing(), *stages_of([POLYNOMIAL])]
    found = analyse(stages, Split.draw(prepare(runs), rng), rng)
    assert [record.library for record in found.stages] == ["custom", "failing", POLYNOMIAL.name]
    assert "did not converge" in found.stages[1].skipped
    assert len(found.laws) == 1


def searched(library, steps=60):
    runs = datasets.load("harmonic_oscillator", 16, steps, noise=0.01, seed=0)
    rng = np.random.default_rng(0)
    stages = stages_of([library, POLYNOMIAL])
    return analyse(stages, Split.draw(prepare(runs), rng), rng)


SKIPPED = {
    "overflow": (custom(["exp(900*q)", "p"], NAMES), "overflow"),
    "no value": (custom(["sqrt(q)", "p"], NAMES), "no value"),
    "a constant": (custom(["q/sqrt(q**2)"], NAMES), "do not vary"),
    "singular": (
        Singular(*(lambda x: (x.symbols, x.atoms, x.exponents))(polynomial(NAMES))),
        "singular",
    ),
    "too large": (Omitted("polynomial(20)", 230), "230 terms"),
}


@pytest.mark.parametrize(("library", "reason"), SKIPPED.values(), ids=SKIPPED)
def test_what_cannot_be_used_is_skipped_and_named(library, reason):
    found = searched(library)
    skipped, used = found.stages
    assert reason in skipped.skipped
    assert (skipped.library, skipped.n_terms) == (library.name, len(library))
    assert not used.skipped
    assert [str(one.expression) for one in found.laws] == ["p**2 + q**2"]


def test_a_function_that_is_zero_but_for_rounding_is_skipped():
    """Its gradients are some 1e-170: squares of what it would be in units of noise overflow."""
    near = datasets.load("harmonic_oscillator", 16, 60, seed=0)
    states = [0.1 * run + [0.8, 0.0] for run in near.states]
    runs = Trajectories(states, times=near.times, names=NAMES, roles=near.roles)
    rng = np.random.default_rng(0)
    stages = stages_of([custom(["p**2", "exp(-1000*q**2)"], NAMES), POLYNOMIAL])
    found = analyse(stages, Split.draw(prepare(runs), rng), rng)
    assert "do not vary" in found.stages[0].skipped
    assert len(found.laws) == 1


def test_too_few_runs_are_told_at_once():
    runs = datasets.load("kepler", 5, 100, noise=0.01, seed=0)
    begin = time.perf_counter()
    finder = ConservedQuantityFinder(random_state=0, roles=runs.roles)
    report = finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).report_
    assert time.perf_counter() - begin < 5
    assert report.verdict == "undecided"
    assert len(report.searched) <= 4


def test_what_the_user_gives_must_have_values():
    runs = datasets.load("kepler", 10, 40, seed=0)
    with pytest.raises(ValueError, match="not finite"):
        ConservedQuantityFinder(["sqrt(x0)"]).fit(runs.rows, groups=runs.groups)


SHARES = {"most_work": 0.001, "most_refuted": 0.05, "most_alike": 0.1}


@pytest.mark.parametrize("limit", SHARES)
def test_a_library_that_is_left_is_named(limit):
    """Nine candidates are refuted, where no limit ends it before."""
    rng = np.random.default_rng(0)
    runs = datasets.load("brusselator", 16, 40, noise=0.1, seed=3)
    criteria = replace(LAWS, **{limit: SHARES[limit] * getattr(LAWS, limit)})
    library = polynomial(runs.names, 4)
    split = Split.draw(prepare(runs), rng)
    record = analyse(stages_of([library]), split, rng, criteria=criteria).stages[0]
    assert record.unfinished and not record.skipped


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_where_noise_hides_most_functions_the_search_ends(share):
    """Columns of noise of which most was told: all is refuted, and in richer libraries too."""
    rng = np.random.default_rng(0)
    names = ("a", "b", "c", "d")
    path = raw_path(rng.standard_normal((16 * 40, 4)), np.full(4, share))
    orbits = Orbits(path, path, np.arange(0, 16 * 40 + 1, 40), np.ones(4))
    criteria = replace(LAWS, most_hidden=0.05 * LAWS.most_hidden, most_refuted=12)
    stages = stages_of([polynomial(names, degree) for degree in (2, 3)])
    found = analyse(stages, Split.draw(orbits, rng), rng, criteria=criteria)
    skipped = [(record.library, record.unfinished) for record in found.stages if record.skipped]
    assert not found.laws
    assert skipped == ([("richer libraries", True)] if share > 0.5 else [])


@pytest.fixture(scope="module")
def slow_flow():
    """Return a split of runs of a + b → c, of which a leaks slowly: b + c stays, a + c nearly.

    Every function of the two is nearly conserved as well.
    """
    rng, t = np.random.default_rng(1), np.linspace(0, 5, 120)

    def rates(_, y):
        made = y[0] * y[1] - 0.5 * y[2]
        return [-made - 0.002 * y[0], -made, made]

    clean = [solve_ivp(rates, (0, 5), rng.uniform(0.2, 2, 3), t_eval=t).y.T for _ in range(40)]
    noise = 0.03 * np.concatenate(clean).std(axis=0)
    states = [run + noise * rng.standard_normal(run.shape) for run in clean]
    runs = Trajectories(states, times=[t] * 40, names=("a", "b", "c"))
    return Split.draw(prepare(runs), rng)


@pytest.mark.parametrize("limit", ["most_refuted", "most_alike"])
def test_what_is_nearly_conserved_is_not_judged_without_end(slow_flow, limit):
    """Of 18 such formulas of one library those that a limit leaves."""
    stages = stages_of([logarithmic(("a", "b", "c"), (0, 1, 2))])
    limits = {name: math.inf for name in SHARES} | {limit: 0.1 * getattr(LAWS, limit)}
    rng = np.random.default_rng(0)
    found = analyse(stages, slow_flow, rng, criteria=replace(LAWS, **limits))
    near = [one for one in found.refused if one.verdict == Verdict.APPROXIMATE]
    assert found.stages[0].unfinished
    assert 0 < len(near) < 10


def test_a_search_that_judges_in_vain_ends(slow_flow):
    stages = stages_of([polynomial(("a", "b", "c"), degree) for degree in (2, 3)])
    criteria = replace(LAWS, most_in_vain=0.01 * LAWS.most_in_vain)
    found = analyse(stages, slow_flow, np.random.default_rng(0), criteria=criteria)
    assert [record.unfinished for record in found.stages] == [False, True]
    assert "in vain" in found.stages[-1].skipped
    assert "b + c" in [str(one.expression) for one in found.laws]


def test_doubt_about_a_law_is_asked_once(monkeypatch):
    """Each candidate is compared to all laws that are sure: thousands of times."""
    first = searched(POLYNOMIAL).laws[0]
    asked = []
    monkeypatch.setattr(law, "in_doubt", lambda *a: asked.append(a))
    again = replace(first)
    assert [again.sure for _ in range(3)] == [True] * 3
    assert len(asked) == 1


def test_terms_are_given_anew():
    POLYNOMIAL.expressions().clear()
    assert len(POLYNOMIAL.expressions()) == len(POLYNOMIAL)
