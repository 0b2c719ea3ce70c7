"""Judging on all runs, some at a time, says what judging them at once says."""

from dataclasses import fields, replace

import numpy as np
import pytest

from discovery import Trajectories, datasets, libraries
from discovery.data.frame import Frame
from discovery.data.parameters import parted
from discovery.estimation.iterates.sampling import Sampling
from discovery.estimation.passage import Passage, Reading
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.formulas.parsing import parse_formula
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import operators
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.evidence import Evidence, Resamples, Runs, gather, weighed
from discovery.laws.judging.judge import Judge, Refined
from discovery.laws.judging.law import Findings
from discovery.laws.whole.judged import judged_on_all
from discovery.laws.whole.seen import Statement, Whole
from discovery.libraries.monomials import symbols_of


def numbers(evidence):
    """All that evidence says, as one array."""
    out = []
    for field in fields(Evidence):
        value = getattr(evidence, field.name)
        if isinstance(value, Resamples):
            out += [getattr(value, own.name) for own in fields(Resamples)]
        elif value is not None:
            out.append(np.ravel(np.array(value, dtype=float)))
    return np.concatenate(out)


def formula(text, names):
    known = dict(zip(names, symbols_of(names), strict=True))
    return libraries.custom(parse_formula(text, known, "a law").as_ordered_terms(), names)


CASES = [
    ("kepler", "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)", 0.01, Sampling.FLOW),
    ("kepler", "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)", 0.0, Sampling.FLOW),
    ("lotka_volterra", "x + y - log(x) - log(y)", 0.05, Sampling.FLOW),
    ("harmonic_oscillator", "q**2 + 1.05*p**2", 0.02, Sampling.FLOW),
    ("harmonic_oscillator", "q**2 + p**2", 0.02, Sampling.MAP),
]


@pytest.mark.parametrize(("system", "law", "noise", "sampling"), CASES)
def test_evidence_of_parts_is_that_of_all(system, law, noise, sampling):
    runs = datasets.load(system, 24, 60, noise=noise, seed=1)
    told = runs.rows.std(axis=0) * max(noise, 1e-6)
    orbits = prepare(runs, told, sampling)
    library = formula(law, runs.names)
    one = np.ones(len(library))
    expected = gather(library, one, orbits, np.random.default_rng(0), candidate=3)
    law_of = Statement(library, one, *_with(library, one, orbits))
    parts = [law_of.on(orbits.take(np.arange(a, b))) for a, b in ((0, 5), (5, 6), (6, 24))]
    found = weighed(Runs.joined(parts), np.random.default_rng(0), candidate=3)
    # Without noise the chance of a drift is that of rounding.
    least = 1e-9 if noise else 1e-7
    np.testing.assert_allclose(numbers(found), numbers(expected), rtol=1e-9, atol=least)


def _with(library, one, orbits):
    from discovery.criteria import LAWS
    from discovery.laws.judging.drift import Weighting, values_of

    _, noise = values_of(library, one, orbits.smoothed.states, orbits.smoothed.errors)
    like = Weighting.of(noise, orbits.offsets)
    # Whatever the mean weight of a sample, that of all is one in the end.
    return LAWS, replace(like, mean=2 * like.mean)


@pytest.fixture(scope="module")
def judged():
    """A law of the oscillator, judged in memory, and what it was judged on."""
    runs = datasets.load("harmonic_oscillator", 40, 80, noise=0.01, seed=0)
    frame, parts = Frame.of(runs), parted(runs)
    framed = frame.runs(runs)
    orbits = prepare(framed)
    rng = np.random.default_rng(0)
    fit, held = Split.choose(runs.n_runs, rng)
    split = Split.of(orbits, fit, held, rng)
    library = libraries.custom(["q**2", "p**2"], runs.names)
    ops = operators(library, split.fit.smoothed, split.fit.offsets, split.fit.scale)
    candidate = Candidate((0, 1), np.ones(2), 1.0, 2.0)
    refined = Refined(candidate, DriftTest(library, np.ones(2), split.fit), np.full(2, 0.01))
    law = Judge(library, split, np.random.default_rng(1)).law(ops, refined)
    passage = Passage.of(Reading(runs.roles), frame, parts, Sampling.FLOW, framed, orbits)
    return runs, law, split, passage, runs.run_ids[fit]


def stored(runs, folder):
    for k in range(0, runs.n_runs, 8):
        runs[k : k + 8].to_file(folder / f"p{k}.parquet")
    return Trajectories.scan(folder)


def test_the_law_on_files_is_the_law_in_memory(judged, tmp_path):
    runs, law, split, passage, found_on = judged
    whole = Whole(stored(runs, tmp_path).pieces(900), passage, found_on)
    again = judged_on_all(Findings([law]), split.held, whole, np.random.default_rng(1))
    assert (again.n_rows, again.n_runs) == (len(runs.rows), runs.n_runs)
    assert again.findings.n_judges == split.held.n_runs and not again.lost
    (found,) = again.findings.laws
    assert found.verdict == law.verdict == "exact"
    # Whether what moves follows the states is asked of the sample, which found the law.
    alone = replace(law.evidence.resamples, moving=found.evidence.resamples.moving)
    of_law = replace(law.evidence, moving=found.evidence.moving, resamples=alone)
    np.testing.assert_allclose(numbers(found.evidence), numbers(of_law), rtol=1e-9, atol=1e-9)


def test_a_law_of_the_sample_alone_is_lost(judged, tmp_path):
    runs, law, split, passage, found_on = judged
    states = runs.states.copy()
    at = np.flatnonzero(~np.isin(runs.run_ids, found_on))[:4]
    states[at] *= np.exp(-0.003 * np.arange(80))[:, None]  # some runs lose a fifth
    damped = Trajectories(states=states, times=runs.times, names=runs.names, roles=runs.roles)
    whole = Whole(stored(damped, tmp_path).pieces(900), passage, found_on)
    other = replace(law, alternatives=(law,))
    again = judged_on_all(Findings([other]), split.held, whole, np.random.default_rng(1))
    assert [law.verdict for law in again.findings.laws] in ([], ["approximate"])
    assert [one.expression for one in again.lost] == [law.expression]


def test_another_form_takes_the_place(judged, tmp_path):
    runs, law, split, passage, found_on = judged
    part = {"library": law.library.restrict([0]), "coefficients": np.ones(1)}
    wrong = replace(law, **part, alternatives=(law,))
    whole = Whole(stored(runs, tmp_path).pieces(900), passage, found_on)
    again = judged_on_all(Findings([wrong]), split.held, whole, np.random.default_rng(1))
    (found,) = again.findings.laws
    np.testing.assert_array_equal(found.coefficients, law.coefficients)
    assert not again.lost and found.alternatives == ()


def odd(runs):
    """Runs that keep q² + p²/1.137 and their law as a sample may tell it."""
    states = runs.states * [1.0, np.sqrt(1.137263)]
    return Trajectories(states=states, times=runs.times, names=runs.names, roles=runs.roles)


def test_a_law_is_refitted_and_judged_by_other_runs(judged, tmp_path):
    runs, law, split, passage, found_on = judged
    wrong = replace(law, coefficients=law.coefficients * [1.1, 1.0])
    scan = stored(odd(runs), tmp_path)
    told = []
    for rows in (300, 900, 5000):
        whole = Whole(scan.pieces(rows), passage, found_on)
        again = judged_on_all(Findings([wrong]), split.held, whole, np.random.default_rng(1))
        (found,) = again.findings.laws
        assert found.verdict == "exact" and not again.lost
        q, p = found.coefficients
        assert abs(q / p - 1.137263) < 4 * np.max(found.errors / found.coefficients) < 0.02
        # Another candidate that the same runs judge.
        assert found.candidate > law.candidate
        told.append([*found.coefficients, *found.errors, *numbers(found.evidence)])
    np.testing.assert_allclose(told[1:], [told[0]] * 2, rtol=1e-9, atol=1e-12)


def test_laws_that_become_one_count_once(judged, tmp_path):
    runs, law, split, passage, found_on = judged
    wrong = [replace(law, coefficients=law.coefficients * [a, 1.0]) for a in (1.1, 1.2)]
    whole = Whole(stored(runs, tmp_path).pieces(900), passage, found_on)
    again = judged_on_all(Findings(wrong), split.held, whole, np.random.default_rng(1))
    (found,) = again.findings.laws
    np.testing.assert_array_equal(found.coefficients, law.coefficients)


def test_nothing_found_is_nothing_read(judged):
    _, _, split, passage, found_on = judged
    rng = np.random.default_rng(0)
    assert judged_on_all(Findings(), split.held, Whole([], passage, found_on), rng) is None
