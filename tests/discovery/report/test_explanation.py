"""What explains a report: each of its numbers in a sentence, and every check with its limit."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.libraries import custom


@pytest.fixture(scope="module")
def kepler():
    runs = datasets.load("kepler", 30, 60, noise=0.005, seed=0)
    return ConservedQuantityFinder(random_state=0).fit(runs).report_


def test_every_number_of_a_law_is_explained(kepler):
    text = " ".join(kepler.explain().split())
    assert "3 independent laws" in text and "Motion in 4 coordinates has at most 3." in text
    assert "Confidence" in text and "400 times" in text
    for law in kepler.quantities:
        assert f"{law.name}: {law.formula}" in text
        low, high = law.flatness_interval
        assert f"Flatness {law.flatness:.2f}, 95 % interval [{low:.2f}, {high:.2f}]" in text
        assert f"Signal {law.signal:.3g}" in text and f"the spread is {law.spread:.3g}." in text
        for check in law.checks:
            assert str(check) in text
    # What a word means is said once.
    assert text.count("over what noise explains") == 1
    assert text.count("all checks are passed") == 3
    for line in kepler.searched:
        assert line in text
    assert max(map(len, kepler.explain().splitlines())) <= 100


def test_the_logarithm_of_a_root_is_half_a_logarithm(kepler):
    terms = custom(["u**2", "log(sqrt(x**2 + y**2))"], kepler.names)
    law = replace(kepler.quantities[0], _library=terms, _coefficients=np.array([0.5, 1.0]))
    law = replace(law, _covariance=np.diag([0.0, 0.1**2]))
    law = replace(law, alternatives=(sympy.sympify("log(sqrt(x**2 + y**2))"),))
    text = " ".join(replace(kepler, quantities=[law]).explain().split())
    assert "log(x**2 + y**2)/2: 1 ± 0.1" in text
    assert "The others: log(x**2 + y**2)/2." in text


def test_what_failed_decided(kepler):
    law = kepler.quantities[0]
    first, *others = law.checks
    odd = replace(
        law, verdict="approximate", drift_rate=0.0, checks=(replace(first, passed=False), *others)
    )
    text = " ".join(replace(kepler, quantities=[odd]).explain().split())
    assert f"it is not exact, since these checks are not passed: {first.name}." in text
    assert "Verdict: approximate, no law." in text and "Trend: no trend along the runs." in text


def test_other_verdicts(kepler):
    law = kepler.quantities[0]
    few = [replace(law, verdict="along_run", variation=0.0015)]
    told = replace(kepler, verdict="undecided", reason="one run; measure more.", quantities=few)
    text = told.explain()
    assert "Undecided: One run; measure more." in text and "Confidence" not in text
    assert "moves by at most 0.15 % of what" in " ".join(text.split())
    alike = replace(kepler, identities=[replace(law, verdict="identity")]).explain()
    assert f"Identity: {law.name}: {law.formula}" in alike
    none = replace(kepler, verdict="none", quantities=[], reason="nothing is.", searched=[])
    assert "Count: none. Nothing is." in none.explain() and "   nothing" in none.explain()


def test_learned_laws_and_other_forms(kepler):
    law = replace(kepler.quantities[0], approximation_error=0.02)
    text = " ".join(replace(kepler, quantities=[law]).explain().split())
    assert "leaves 2 % of its variance unexplained" in text
    law = replace(kepler.quantities[0], alternatives=(sympy.Symbol("a-b") ** 2,))
    text = replace(kepler, quantities=[law]).explain()
    assert "Other formulas fit as well, and this is the simplest. The others: 'a-b'**2." in text


def test_a_description_of_less_than_half_is_none(kepler):
    law = replace(kepler.quantities[0], approximation_error=0.02)
    assert law.formula.startswith("a network, 98.0% of whose variance is that of x*v")
    law = replace(law, approximation_error=1.38)
    assert law.formula == "a network, which no short formula describes"
