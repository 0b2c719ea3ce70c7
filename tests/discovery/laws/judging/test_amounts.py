"""Sums of amounts without negative numbers stand where laws were differences of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories
from discovery.laws.judging.amounts import in_amounts
from discovery.laws.judging.verdict import Verdict
from discovery.laws.search import Search
from discovery.libraries import custom

T = np.linspace(0, 6, 60)


def enzyme(total=None, noise=0.01):
    """Runs of E + S <-> ES -> E + P; in all of one total of the enzyme, if that is given."""
    rng = np.random.default_rng(0)
    starts = rng.uniform([0.5, 0.3, 0.05, 0.05], [2.0, 1.2, 0.3, 0.3], (24, 4))
    if total:
        starts[:, 1] = total - starts[:, 2]

    def rate(_, state):
        s, e, es, _ = state
        bound, freed, made = 1.5 * s * e, 0.5 * es, 0.6 * es
        return [freed - bound, freed + made - bound, bound - freed - made, made]

    clean = np.array([solve_ivp(rate, (0, 6), x, t_eval=T, rtol=1e-9).y.T for x in starts])
    noisy = clean + noise * clean.std(axis=(0, 1)) * rng.standard_normal(clean.shape)
    return noisy


def found(states, names):
    runs = Trajectories(states, T, names)
    finder = ConservedQuantityFinder(library=list(names), random_state=0).fit(runs)
    return {str(q.expression) for q in finder.quantities_}, finder.report_


@pytest.mark.parametrize("names", ["S E C P", "P x v q", "R V Q T"])
def test_the_totals_of_an_enzyme(names):
    names = names.split()
    laws, _ = found(enzyme(), names)
    s, e, es, p = names
    assert laws == {str(sum(map(sympy.Symbol, own))) for own in ((e, es), (s, es, p))}


def test_a_total_that_is_the_same_in_all_runs_takes_part():
    laws, report = found(enzyme(total=0.8), ["S", "E", "C", "P"])
    assert laws == {"C + P + S"}
    assert {str(q.expression) for q in report.identities} == {"C + E"}


def test_what_may_be_negative_is_no_amount():
    """The same columns from other zeros: a difference may be the law as well as a sum."""
    laws, _ = found(enzyme() - [1.0, 0.5, 0.5, 0.5], ["S", "E", "C", "P"])
    assert len(laws) == 2 and "C + P + S" not in laws


def test_what_runs_refute_leaves_the_rest(monkeypatch):
    """Of two sums one is refused: the other stands beside what was found."""
    judge = Search._judged
    monkeypatch.setattr(
        Search, "_judged", lambda *a: replace(judge(*a), verdict=Verdict.APPROXIMATE)
    )
    laws, report = found(enzyme(), ["S", "E", "C", "P"])
    assert "C + E" in laws and report.n_conserved == 2
    assert any("-" in law for law in laws)


def test_laws_stay_where_identities_leave_too_few_sums():
    """Of two identities that say the same no sum is independent."""

    def of(*numbers):
        terms = dict(zip("abc", numbers, strict=True))
        library = custom([name for name, number in terms.items() if number], list("abc"))
        own = np.array([number for number in numbers if number], dtype=float)
        return SimpleNamespace(verdict=Verdict.EXACT, library=library, coefficients=own)

    states = np.random.default_rng(0).uniform(1, 2, (50, 3))
    orbits = SimpleNamespace(measured=SimpleNamespace(states=states), noise=np.full(3, 0.01))
    laws, identities = [of(1, -1, 0)], [of(0, 1, 1), of(0, 2, 2)]
    assert in_amounts(laws, identities, orbits, None) == laws
