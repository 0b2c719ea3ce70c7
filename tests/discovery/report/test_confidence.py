"""Confidence: the share of resamples of the judging runs on which the same laws pass."""

from dataclasses import replace

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.judging.conclusion import Conclusion
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries import custom
from discovery.report.assembly import MOST, report_on

ENERGY = ("q**2", "p**2")


def found(*terms, noise=0.02, runs=30):
    """What a search among given terms finds in runs of an oscillator."""
    data = datasets.load("harmonic_oscillator", runs, 60, noise=noise, seed=0)
    rng = np.random.default_rng(0)
    split = Split.draw(prepare(data), rng)
    return analyse([Closed(custom(list(terms), data.names))], split, rng)


def confidence(findings, verdict="laws"):
    conclusion = Conclusion(verdict, "")
    told = report_on(findings, conclusion, names=("q", "p"), noise={}, title="", drift_rates={})
    return told.confidence


def test_a_clear_law_is_sure():
    assert confidence(found(*ENERGY)) == 1.0


def test_a_law_that_some_resamples_refuse():
    findings = found(*ENERGY)
    (law,) = findings.laws
    half = np.arange(len(law.exact_in)) % 2 == 0
    assert confidence(replace(findings, laws=[replace(law, exact_in=half)])) == 0.5


def test_an_imitation_of_a_found_law_lowers_nothing():
    """The energy's square is refused for its many terms, and is no law beside the energy."""
    findings = found(*ENERGY, "q**4", "p**4", "q**2*p**2")
    assert len(findings.laws) == 1
    assert findings.rejected.all()


@pytest.mark.parametrize("runs", [10, 30])
def test_none_is_never_sure(runs):
    """Laplace's rule of succession over the runs that judge."""
    findings = found("q", "p", runs=runs)
    assert findings.n_judges == round(0.4 * runs)
    assert findings.rejected.all()
    n = findings.n_judges
    assert confidence(findings, "none") == pytest.approx((n + 1) / (n + 2))
    many = replace(findings, n_judges=10**6)
    assert confidence(many, "none") == MOST < 0.995


def test_none_says_how_small_a_drift_would_have_been_seen():
    loud, calm = (
        datasets.load("van_der_pol", 20, 80, noise=noise, seed=0) for noise in (0.05, 0.005)
    )
    resolutions = []
    for data in (loud, calm):
        finder = ConservedQuantityFinder(library="polynomial", random_state=0)
        report = finder.fit(data.rows, groups=data.groups).report_
        assert report.verdict == "none"
        resolutions.append(report.resolution)
    assert 0.005 < resolutions[0] < 0.05
    assert resolutions[0] == pytest.approx(10 * resolutions[1], rel=0.5)
