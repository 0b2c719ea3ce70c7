"""Two functions that are nearly conserved, each by itself, and the law beside them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from scipy import stats
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, datasets, libraries
from discovery.criteria import FORMULAS
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws import search as search_module
from discovery.laws.judging.law import Findings, Law
from discovery.laws.search import Search, analyse
from discovery.laws.stages import stages_of

NAMES = ("x", "y", "u", "v")
SQUARES = ["x**2", "y**2", "u**2", "v**2"]
QUARTIC = [*SQUARES, "x**4", "x**2*u**2", "u**4", "y**4", "y**2*v**2", "v**4", "x*y", "x**2*y**2"]


def split_of(strength, seed=0):
    """Oscillators that `strength` x² y² couples."""
    times, rng = np.linspace(0, 30, 120), np.random.default_rng(seed)

    def motion(t, s):
        x, y, u, v = s
        return [u, v, -x * (1 + 2 * strength * y**2), -y * (2 + 2 * strength * x**2)]

    ways = [
        solve_ivp(motion, (0, 30), start, t_eval=times, rtol=1e-8, atol=1e-10).y.T
        for start in rng.uniform(-1, 1, (50, 4))
    ]
    states = np.array(ways)
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    orbits = prepare(Trajectories(states=states, times=times, names=NAMES))
    return Split.draw(orbits, rng), rng


def found(strength, terms, seed=0):
    """What libraries hold of them."""
    stages = stages_of([libraries.custom(some, NAMES) for some in terms])
    laws = analyse(stages, *split_of(strength, seed)).laws
    return [law for law in laws if law.verdict == "exact"]


@pytest.mark.parametrize("seed", [5, 8])
def test_the_sum_of_two_energies_with_what_couples_them(seed):
    """Neither energy is a law, though no band shows how it moves; nor are their squares."""
    (law,) = found(0.016, [SQUARES, QUARTIC], seed)
    c = dict(zip(map(str, law.library.expressions()), law.coefficients, strict=True))
    assert set(c) == {*SQUARES, "x**2*y**2"}
    assert c["y**2"] / c["x**2"] == pytest.approx(2, rel=0.01)
    assert c["x**2*y**2"] / c["x**2"] == pytest.approx(0.032, rel=0.2)


@pytest.mark.parametrize(("strength", "seed"), [(0.02, 3), (0.02, 2), (0.03, 0)])
def test_what_couples_in_the_middle_range(strength, seed):
    """One energy moves by its flatness alone; squares of it are there; a sum has both energies."""
    (law,) = found(strength, [SQUARES, QUARTIC], seed)
    assert set(map(str, law.library.expressions())) == {*SQUARES, "x**2*y**2"}


def test_the_library_that_leaves_least_motion():
    """1/r is near to what couples: it gives way to the term that leaves less."""
    (law,) = found(0.012, [[*SQUARES, "1/sqrt(x**2 + y**2)"], QUARTIC])
    assert set(map(str, law.library.expressions())) == {*SQUARES, "x**2*y**2"}


OTHERS = ["1/sqrt(x**2 + y**2)", "atan(x**2*y**2/5)", "sinh(x**2*y**2/5)"]


@pytest.mark.parametrize("term", OTHERS)
def test_another_library_has_to_leave_clearly_less(term):
    """Of the last two one is nearer to the noise of these data than the truth is."""
    (law,) = found(0.016, [[*SQUARES, "x**2*y**2"], [*SQUARES, term]], 5)
    assert set(map(str, law.library.expressions())) == {*SQUARES, "x**2*y**2"}


def test_a_simpler_sum_that_leaves_as_much_takes_the_place():
    (law,) = found(0.016, [[*SQUARES, OTHERS[2]], [*SQUARES, "x**2*y**2"]], 5)
    assert set(map(str, law.library.expressions())) == {*SQUARES, "x**2*y**2"}


def test_uncoupled_energies_are_two_laws():
    assert len(found(0.0, [SQUARES])) == 2


@pytest.mark.slow
@pytest.mark.parametrize("doubtful", [False, True])
def test_what_is_a_form_of_one_law_is_no_part(monkeypatch, doubtful):
    """Neither of one that is sure, nor of one in doubt."""
    monkeypatch.setattr(Law, "doubtful", doubtful)
    (one, other), search = found(0.0, [SQUARES]), Search(*split_of(0.0))
    terms = set(libraries.custom(SQUARES, NAMES).expressions())
    search.moving = [one, other]
    assert search._own_parts(terms) == [one, other]
    search.chosen = Findings([one])
    assert search._own_parts(terms) == [other]


@pytest.mark.slow
@pytest.mark.parametrize("doubtful", [False, True])
def test_a_form_of_one_part_goes_unless_it_is_beyond_doubt(monkeypatch, doubtful):
    monkeypatch.setattr(Law, "doubtful", doubtful)
    (one, other), search = found(0.0, [SQUARES]), Search(*split_of(0.0))
    (search.whole,), search.parts = found(0.02, [SQUARES, QUARTIC]), [one, other]
    assert search._of_parts(replace(one)) == doubtful
    # Another form of the sum, that is no simpler, stays.
    assert not search._of_parts(replace(search.whole))


@pytest.mark.parametrize(("n_laws", "room"), [(1, True), (2, False)])
def test_parts_and_laws_are_no_more_than_a_flow_leaves_room_for(monkeypatch, n_laws, room):
    """Two functions that hardly move beside two laws of four coordinates: one imitates."""
    parts, search = found(0.0, [SQUARES]), Search(*split_of(0.0))
    asked = []
    monkeypatch.setattr(search_module, "coupled", lambda *given: asked.append(given))
    monkeypatch.setattr(search, "_own_parts", lambda terms: parts)
    search.chosen = Findings([SimpleNamespace(sure=True, verdict="exact")] * n_laws)
    library = libraries.custom(SQUARES, NAMES)
    search._coupled(SimpleNamespace(library=library, split=search.split), None)
    assert bool(asked) == room


def test_chances_of_all_libraries_sum_to_one_interval(monkeypatch):
    levels = []
    monkeypatch.setattr(search_module, "coupled", lambda *given: levels.append(given[3]))
    found(0.02, [SQUARES, *([*QUARTIC, f"x**{k}"] for k in range(5, 10))])
    assert len(levels) == 6 and sum(levels) < 2 * stats.norm.sf(FORMULAS.interval)


@pytest.mark.slow
def test_an_imitation_that_is_refused_gives_way_to_the_law():
    """A mass on an ellipsoid: sin θ imitates the metric's cos 2θ to less than a percent."""
    runs = datasets.load("particle_on_ellipsoid_of_revolution", 100, 200, noise=0.01, seed=0)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    momentum, energy = report["angular momentum about the axis of phi"], report["energy"]
    theta, turning = sympy.symbols("theta omega_theta")
    assert turning**2 * sympy.cos(2 * theta) in energy.coefficients
    assert not energy.expression.has(sympy.sin)
    clean = datasets.load("particle_on_ellipsoid_of_revolution", 20, 120, seed=9)
    for law in (momentum, energy):
        values = law(clean.states)
        assert values.std(axis=1).max() < 3e-3 * values.std()


@pytest.mark.slow
def test_imitations_of_laws_that_are_found_are_no_parts():
    """Two wells side by side: exponentials that imitate each energy are refused, and not summed."""
    runs = datasets.random("separable", 9300, 60, 100, noise=0.01)
    finder = ConservedQuantityFinder(random_state=0).fit(runs)
    assert finder.n_conserved_ == 2
    assert all(law.expression.is_polynomial() for law in finder.quantities_[:2])
