"""The verdict on a formula: what it may imitate depends on the free numbers in it."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets
from discovery.criteria import LawCriteria
from discovery.formulas.simplicity import free_numbers
from discovery.laws.judging.evidence import Evidence, Resamples
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import (
    Formula,
    Verdict,
    checks,
    exact_in,
    told,
    verdict_of,
)
from discovery.libraries.choice import custom
from discovery.libraries.fitted import Fitted
from discovery.libraries.monomials import symbols_of

NAMES = ("x", "y", "u", "v")


def seen(bound=0.01, least=0.0, **others):
    """Evidence for a law whose drift lies between two bounds, or as told."""
    smoothed = others.pop("smoothed", 0.9)
    values = {
        "flatness": 1.0,
        "flatness_interval": (0.95, 1.05),
        "smoothed_flatness": smoothed,
        "smoothed_flatness_interval": (smoothed - 0.05, smoothed + 0.05),
        "signal": 50.0,
        "drift": float(np.sqrt((bound**2 + least**2) / 2)),
        "drift_interval": (least, bound),
        "noise": 0.1,
        "spread": 1.0,
        "drift_excluded": bound,
        "drift_chance": 0.5,
        "moving": 0.5,
        "slope": 1.0,
        "cancelled": 0.5,
        "terms": 1.0,
        "resamples": Resamples(*(np.array([np.nan]) for _ in fields(Resamples))),
    }
    return Evidence(**values | others)


def judged(evidence, coefficients, chance=1.0):
    """The checks on a formula of so many terms, no two of one kind."""
    coefficients = np.asarray(coefficients, dtype=float)
    return checks(evidence, Formula(terms_of(len(coefficients)), coefficients, chance))


def verdict(evidence, coefficients, chance=1.0):
    return verdict_of(judged(evidence, coefficients, chance))


def different(numbers):
    return 0.37 + 0.71 * np.arange(numbers)


def terms_of(n):
    """Return a library of n terms, no two of one kind."""
    return custom(["u**2", "x", "x**3", "x*y**2", "y**4", "u*v**3", "log(x)"][:n], NAMES)


def test_free_numbers():
    kinds = custom(["u**2", "v**2", "x**2", "1/sqrt(x**2 + y**2)", "x*y"], NAMES).kinds()
    assert free_numbers(np.array([1, 1, 1, -2, 3.0]), kinds) == 3
    assert free_numbers(np.array([1, -1, 1, -2, 3.0]), kinds) == 3
    assert free_numbers(np.array([1, 1, 0.5, -2, 3.0]), kinds) == 4


@pytest.mark.parametrize(
    ("numbers", "bound", "expected"),
    [
        (3, 0.19, "exact"),
        (3, 0.21, "rejected"),
        (4, 0.09, "exact"),
        (4, 0.11, "rejected"),
        (6, 0.049, "exact"),
        (6, 0.051, "rejected"),
    ],
)
def test_more_free_numbers_must_be_known_better(numbers, bound, expected):
    assert verdict(seen(bound), different(numbers)) == expected


def test_coefficients_too_simple_by_chance_need_no_better_knowledge():
    coefficients = np.arange(1.0, 5.0)
    assert verdict(seen(0.15), coefficients, chance=0.001) == "exact"
    assert verdict(seen(0.15), coefficients, chance=0.1) == "rejected"


def test_signs_of_motion_count_against_long_formulas():
    for n, moving, expected in [(3, 0.03, "exact"), (4, 0.05, "exact"), (4, 0.03, "approximate")]:
        assert verdict(seen(0.01, moving=moving), different(n)) == expected
    # Some motion for sure, however little, where anything could be fitted.
    assert verdict(seen(least=0.005), different(4)) == "exact"
    assert verdict(seen(0.02, least=0.005), different(6)) == "rejected"


def test_a_law_tells_orbits_apart():
    assert verdict(seen(signal=0.6), [1]) == "exact"
    assert verdict(seen(signal=0.4), [1]) == "rejected"


def test_what_moves_more_than_its_noise_is_no_law():
    wide = {"smoothed_flatness_interval": (1.0, 2.0), "bound": 0.1}
    assert verdict(seen(smoothed=1.4, **wide), [1]) == "exact"
    assert verdict(seen(smoothed=1.6, **wide), [1]) == "rejected"


def test_what_surely_moves_more_than_its_noise_is_no_law():
    assert verdict(seen(bound=0.1, smoothed=1.2), [1]) == "exact"
    assert verdict(seen(bound=0.1, smoothed=1.3), [1]) == "rejected"


def test_a_law_shows_no_motion():
    assert verdict(seen(bound=0.1, moving=2e-3), [1]) == "exact"
    assert verdict(seen(bound=0.1, moving=5e-4), [1]) == "rejected"


def test_motion_below_rounding_is_none():
    """Clean data: any motion shows, also that of the integrator."""
    assert verdict(seen(bound=2e-6, least=1e-6, moving=1e-9), [1]) == "exact"
    assert verdict(seen(bound=2e-3, least=1e-3, moving=1e-9), [1]) == "approximate"


def test_an_estimate_of_no_drift_is_no_rest():
    """Noise makes the estimate of a drift's square negative, which is told as none."""
    assert verdict(seen(drift=0.0, moving=1e-9), [1]) == "approximate"
    assert verdict(seen(drift=0.0, moving=1e-9, clean=True), [1]) == "exact"


def test_what_drifts_is_not_nearly_conserved():
    assert verdict(seen(bound=0.019, moving=1e-9), [1]) == "approximate"
    assert verdict(seen(bound=0.021, moving=1e-9), [1]) == "rejected"


def test_an_identity_is_short_and_its_terms_cancel():
    same = {"signal": 0.1, "cancelled": 0.4}
    assert verdict(seen(**same), np.ones(6)) == "identity"
    assert verdict(seen(**same), np.ones(7)) == "rejected"
    assert verdict(seen(**same | {"cancelled": 0.6}), np.ones(6)) == "rejected"


def test_what_is_hidden_in_noise_is_no_identity():
    """Its terms may vary as much as it does itself: nothing was seen to cancel."""
    same = {"signal": 0.1, "cancelled": 0.4}
    assert verdict(seen(0.19, **same), np.ones(2)) == "identity"
    assert verdict(seen(0.19, **same, terms=0.5), np.ones(2)) == "rejected"


def test_what_is_left_without_a_shared_factor_must_be_an_identity_too():
    same = {"signal": 0.1, "cancelled": 0.01}
    formula = Formula(terms_of(2), np.ones(2))
    assert verdict_of(checks(seen(**same), formula)) == "identity"
    assert verdict_of(checks(seen(**same), replace(formula, divided=2.0))) == "rejected"


@pytest.mark.parametrize("cancelled", [0.01, 1e-7])
def test_an_identity_holds_at_each_state_by_its_own_noise(cancelled):
    same = {"signal": 0.1, "cancelled": cancelled}
    formula = Formula(terms_of(2), np.ones(2), apart=1.1)
    assert verdict_of(checks(seen(**same), formula)) == "identity"
    apart = replace(formula, apart=1.3)
    assert verdict_of(checks(seen(**same), apart)) == "rejected"
    assert verdict_of(checks(seen(**same, clean=True), apart)) == "identity"


def by_conditions(evidence, terms, coefficients, chance):
    """Return the verdict as one chain of conditions."""
    n_terms, drift, (least, bound) = len(terms), evidence.drift, evidence.drift_interval
    free = free_numbers(coefficients, terms.kinds())
    plain, simple = free <= 3 or chance <= 0.01, free <= 5
    if evidence.cancelled <= 2e-6:
        return "identity" if n_terms <= 6 else "rejected"
    calm = simple or least <= 2e-6
    still = calm and evidence.moving >= (1e-3 if plain else 0.04)
    at_rest = (drift if evidence.clean else bound) <= 2e-6
    still = still or at_rest
    most = 1.5 if simple or at_rest else 1.2
    flat = evidence.smoothed_flatness <= most and evidence.smoothed_flatness_interval[0] <= 1.2
    strictness = (1.0 if plain else 2.0) * (1.0 if simple else 2.0)
    if flat and still:
        if evidence.signal >= 0.5 and evidence.drift_excluded <= 0.2 / strictness:
            return "exact"
        same = evidence.signal <= 0.3 and n_terms <= 6
        zero = n_terms == 1 and terms.is_coordinate
        shown = bound * evidence.spread / evidence.terms <= 0.2 / strictness
        if same and (zero or (evidence.cancelled <= 0.5 and shown)):
            return "identity"
    limit = 0.02 if simple else 0.02 / 2.0
    if evidence.signal >= 0.5 and bound <= limit:
        return "approximate"
    return "rejected"


def any_evidence(rng):
    """Evidence with values around every limit, on them, and some that are no numbers."""
    near = lambda *limits: float(rng.choice(limits) * rng.choice([0.5, 0.99, 1, 1.01, 2]))  # noqa: E731
    odd = lambda value: float(rng.choice([value, np.nan, np.inf], p=[0.98, 0.01, 0.01]))  # noqa: E731
    return seen(
        smoothed_flatness=odd(near(0.9, 1.2, 1.5)),
        smoothed_flatness_interval=(odd(near(0.7, 0.7, 1.2)), 2.0),
        signal=odd(near(0.3, 0.5, 50.0)),
        drift=odd(near(2e-6, 0.01)),
        drift_interval=(odd(near(0.0, 2e-6, 1e-3)), odd(near(2e-6, 0.01, 0.02))),
        clean=bool(rng.random() < 0.5),
        drift_excluded=odd(near(0.005, 0.025, 0.05, 0.1, 0.2)),
        moving=odd(near(1e-3, 0.04, 0.5)),
        cancelled=odd(near(2e-6, 0.5, 0.5, 1.0)),
        terms=float(rng.choice([0.06, 0.2, 1.0])),
    )


def any_formula(rng):
    """Return one to seven terms, with as many free numbers or fewer."""
    terms = terms_of(7).restrict(sorted(rng.permutation(7)[: rng.integers(1, 8)]))
    return Formula(terms, 1.0 + np.arange(len(terms)), float(rng.choice([0.001, 0.01, 0.02, 1.0])))


def test_the_table_gives_the_verdicts_of_the_conditions():
    rng = np.random.default_rng(0)
    formulas = [any_formula(rng) for _ in range(60)]
    count = dict.fromkeys(Verdict, 0)
    for k in range(6000):
        evidence, formula = any_evidence(rng), formulas[k % len(formulas)]
        table = checks(evidence, formula)
        found = verdict_of(table)
        count[found] += 1
        expected = by_conditions(evidence, formula.terms, formula.coefficients, formula.by_chance)
        assert found == expected, (evidence, formula)
        assert verdict_of(told(table)) == found
    del count[Verdict.UNDECIDED], count[Verdict.ALONG_RUN], count[Verdict.DECAYING]
    assert min(count.values()) > 100, count


EXACT = seen(bound=0.1)
DECIDING = {
    "flatness": {"smoothed_flatness": 1.6},
    "flatness, lower end of its interval": {"smoothed_flatness_interval": (1.3, 1.4)},
    "motion along runs": {"moving": 5e-4},
    "signal between runs": {"signal": 0.4},
    "drift excluded": {"drift_excluded": 0.21},
    "more than rounding": {"cancelled": 1e-7},
}


@pytest.mark.parametrize("name", DECIDING)
def test_the_check_that_decides_is_the_one_not_passed(name):
    table = told(judged(replace(EXACT, **DECIDING[name]), [1]))
    assert [check.name for check in table if not check.passed] == [name]
    assert verdict_of(table) == ("identity" if name == "more than rounding" else "rejected")


def test_what_decides_a_nearly_conserved_quantity_and_an_identity():
    table = told(judged(seen(least=1e-3, bound=2e-3, moving=1e-9), [1]))
    (decides,) = (check for check in table if not check.passed)
    assert (decides.name, decides.statistic, decides.limit) == ("motion along runs", 1e-9, 1e-3)
    assert (decides.unit, decides.bound) == ("1", "at least")
    assert "small drift" in {check.name for check in table if check.passed}
    table = told(judged(seen(signal=0.1, cancelled=0.4), [1]))
    assert [check.name for check in table if not check.passed] == ["signal between runs"]
    assert {"one value in all runs", "cancellation of terms"} <= {c.name for c in table}
    # Free numbers tighten the limits; drift that is shown counts against many of them.
    table = told(judged(seen(least=0.005), different(6)))
    failed = {check.name: check.limit for check in table if not check.passed}
    assert failed == {"drift, lower end of its interval": 2e-6}
    assert {c.name: c.limit for c in table}["drift excluded"] == 0.2 / 4


def test_on_which_resamples_all_checks_are_passed():
    draws = Resamples(
        smoothed_flatness=np.array([1.0, 1.6, 1.0, 1.0, 1.0, 1.0]),
        smoothed_least=np.array([0.9, 1.1, 1.3, 0.9, 0.9, 0.9]),
        moving=np.array([0.5, 0.5, 0.5, 5e-4, 0.5, 0.5]),
        drift_excluded=np.array([0.1, 0.1, 0.1, 0.1, 0.3, 0.1]),
        signal=np.array([9.0, 9.0, 9.0, 9.0, 9.0, 0.1]),
    )
    table = judged(EXACT, [1])
    assert exact_in(table, draws).tolist() == [True] + 5 * [False]
    # What is not resampled counts as it is.
    assert not exact_in(judged(replace(EXACT, cancelled=1e-7), [1]), draws).any()
    # Motion below rounding is none, whatever its chance.
    at_rest = replace(EXACT, drift=1e-6, clean=True)
    assert exact_in(judged(at_rest, [1]), draws).sum() == 2


def test_an_exact_law_passes_all_that_is_told_of_it():
    table = told(judged(EXACT, [1]))
    assert all(check.passed for check in table)
    text = [str(check) for check in table]
    assert "flatness: 0.9 (at most 1.5), passed" in text
    assert "signal between runs: 50 (at least 0.5), passed" in text
    assert "drift, lower end of its interval: 0 (no limit), passed" in text
    plain = json.loads(json.dumps([check.to_dict() for check in table], allow_nan=False))
    assert plain[0].keys() == {"name", "statistic", "limit", "passed", "unit", "bound"}


def test_the_checks_come_with_a_quantity():
    runs = datasets.load("harmonic_oscillator", 20, 60, noise=0.01, seed=0)
    finder = ConservedQuantityFinder(library="polynomial", random_state=0)
    (law,) = finder.fit(runs.rows, groups=runs.groups).quantities_
    assert law.verdict == "exact"
    found = {check.name: check for check in law.checks}
    assert 0 < found["drift excluded"].statistic < found["drift excluded"].limit
    assert found["signal between runs"].statistic == law.signal
    assert all(check.passed for check in law.checks)
    plain = law.to_dict()
    assert [check["name"] for check in plain["checks"]] == list(found)
    assert json.loads(json.dumps(plain))["verdict"] == "exact"


def test_a_verdict_is_its_word():
    assert Verdict.EXACT == "exact"
    assert f"{Verdict.EXACT}" == str(Verdict.EXACT) == "exact"
    assert json.dumps(Verdict.IDENTITY) == '"identity"'
    assert repr(Verdict.EXACT) == "'exact'"


def test_other_criteria_give_other_verdicts():
    strict = LawCriteria(resolved_drift=0.05)
    formula = Formula(terms_of(1), np.ones(1))
    assert verdict_of(checks(EXACT, formula)) == "exact"
    assert verdict_of(checks(EXACT, formula, strict)) == "rejected"


def law(expressions, coefficients, **evidence):
    library = custom(expressions, NAMES)
    return Law(library, np.array(coefficients), None, seen(**evidence), "exact", cost=10.0)


def test_doubt():
    kepler = ["u**2", "v**2", "1/sqrt(x**2 + y**2)"]
    assert law(kepler, [1, 1, -2.1], bound=0.02).sure
    longer = law([*kepler, "x**2", "y**2"], [1, 1, -2.1, 0.3, 0.3], bound=0.02)
    assert longer.doubtful and longer.price > longer.complexity
    # Two numbers in many terms, one term alone, and what the data exclude.
    assert law(["u**2", "v**2", "x**4", "y**4"], [1, 1, 0.3, 0.3], bound=0.02).sure
    assert law(["u**2"], [1], bound=0.02, least=0.01).sure
    assert law(kepler, [1, 1, -2.1], bound=0.02, drift_chance=1e-3).doubtful
    assert law(kepler, [1, 1, -2.1], bound=0.02, drift_chance=2e-3).sure
    assert law(kepler, [1, 1, -2.1], bound=0.02, moving=0.03).doubtful
    assert law([*kepler, "x**2"], [1, 1, -2.1, 0.3], bound=1e-4).sure


def test_numbers_inside_a_term_are_as_good_as_terms():
    below = "1/(u**2 + 1.31*v**2 + 0.27*x**2 + 0.63*y**2)"
    exponents = [(0,) * len(NAMES) + (1,)]
    atoms = [*symbols_of(NAMES), below]
    term = Fitted(symbols_of(NAMES), atoms, exponents, "quotient", fitted=4)
    one = Law(term, np.ones(1), None, seen(bound=0.02), "exact", cost=10.0)
    assert one.doubtful
    assert law([below], [1], bound=0.02).sure  # the user's own


def test_a_number_hardly_known_is_in_doubt():
    terms = ["u**2", "x", "x**2"]
    known = law(terms, [1, 0.31, 0.3], bound=0.02)
    assert known.sure and replace(known, error=0.04).sure
    assert replace(known, error=0.06).doubtful
    # Nothing simpler is left for two terms to imitate, nor room where the data exclude it.
    assert replace(law(terms[:2], [1, 0.31], bound=0.02), error=0.4).sure
    assert replace(law(terms, [1, 0.31, 0.3], bound=5e-4), error=0.4).sure


def test_each_number_more_imitates_better():
    terms = ["u**2", "x", "x**3", "x*y**2"]
    assert law(terms[:3], [1, 0.3, 0.7], bound=5e-4).sure
    assert law(terms, [1, 0.3, 0.7, 0.4], bound=5e-4).doubtful


def test_what_moves_along_the_run_is_not_named():
    """Windows of one run: what a formula moves along it is compared with its terms."""
    still = seen(cancelled=0.05, along=0.05)
    assert verdict(still, [1, -1]) == Verdict.IDENTITY
    assert verdict(replace(still, along=0.2), [1, -1]) == Verdict.REJECTED


def test_windows_are_no_runs():
    """What differs from window to window of one run is no evidence of a law."""
    assert verdict(seen(), [1, -1]) == Verdict.EXACT
    assert verdict(seen(cancelled=0.9, along=0.05), [1, -1]) == Verdict.REJECTED
