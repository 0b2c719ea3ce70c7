"""What the data cannot carry is undecided, with the reason and what to measure next."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.conclusion import conclude
from discovery.laws.judging.law import Findings, StageRecord


def report_of(runs, **options):
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0, **options)
    return finder.fit(runs.rows, groups=runs.groups, times=runs.row_times).report_


def short_arcs():
    """A tenth of a turn, from orbits that are far apart: every flow has local laws there."""
    return datasets.load("kepler", 60, 30, noise=0.001, seed=0, dt=0.02)


def few_runs():
    return datasets.load("rigid_body", 6, 100, noise=0.001, seed=0)


def loud():
    """Noise as large as the motion, of a system that has no law."""
    return datasets.load("van_der_pol", 40, 100, noise=0.6, seed=0)


def straight_lines():
    """Free flight that never turns round: laws of an open arc."""
    rng = np.random.default_rng(0)
    speed, start = rng.uniform(0.5, 1.5, (40, 1)), 4 * rng.normal(size=(40, 1))
    t = 0.05 * np.arange(60)
    states = np.stack(np.broadcast_arrays(start + speed * t, speed), axis=-1)
    states = states + 0.003 * rng.standard_normal(states.shape)
    return Trajectories(states=states, times=t, names=["x", "u"])


def few_and_noisy():
    """Nothing moves in an oscillator's energy, and little is excluded."""
    return datasets.load("henon_heiles", 10, 40, noise=0.15, seed=0)


def repeats():
    """One experiment, twenty times."""
    t = 0.1 * np.arange(120)
    states = np.stack([np.cos(t), -np.sin(t)], axis=-1)
    states = states + 0.02 * np.random.default_rng(0).standard_normal((20, 120, 2))
    return Trajectories(states=states, times=t, names=["x", "u"])


UNDECIDED = {
    "one motion": (repeats, "repeat one motion.*different initial states"),
    "neither seen nor excluded": (
        few_and_noisy,
        r", .*x0\*\*2.*, shows no motion.*not excluded",
    ),
    "short arcs": (short_arcs, "short arcs.*measure longer runs"),
    "few runs": (few_runs, "6 runs are too few.*at least 2 more runs"),
    "loud noise": (loud, "noise is .*%.*measure more precisely"),
    "open arcs": (straight_lines, "short arcs"),
}


@pytest.mark.parametrize(("make", "reason"), UNDECIDED.values(), ids=UNDECIDED)
def test_undecided(make, reason):
    report = report_of(make(), library="polynomial")
    assert report.verdict == "undecided"
    assert report.n_conserved == 0
    assert report.confidence == 0.0
    assert all(q.verdict in ("undecided", "along_run") for q in report.quantities)
    assert re.search(reason, report.reason), report.reason
    assert str(report).splitlines()[2].startswith("undecided")


def test_the_same_system_measured_longer_is_decided():
    """The verdict is about the data, not about the system."""
    runs = datasets.load("kepler", 60, 150, noise=0.001, seed=0)
    report = report_of(runs, library="polynomial")
    assert (report.verdict, report.n_conserved) == ("laws", 1)
    assert "1 independent conserved quantity" in report.reason


def test_what_is_neither_seen_nor_excluded_beside_a_law():
    """Angular momentum, and an energy whose potential noise leaves open."""
    found = Findings([law_of("exact", 0.01)], unresolved=law_of("rejected", 0.4))
    told = conclude(found, orbits_of(swings(0.6)))
    assert told.verdict == "laws"
    assert "a further function, x*v, shows no motion but the noise's" in told.reason
    assert "40% of its spread is not excluded" in told.reason
    found = replace(found, unresolved=law_of("rejected", 0.4, numbers=6))
    assert "a further function shows" in conclude(found, orbits_of(swings(0.6))).reason
    assert "further" not in conclude(replace(found, unresolved=None), orbits_of(swings(0.6))).reason


def test_a_count_that_is_not_sure_says_why():
    """The law is sure, and what it nearly tells may be one law more; or the law itself is not."""
    quarter, none = np.arange(400) % 4 == 0, np.zeros(400, dtype=bool)
    law, orbits = law_of("exact", 0.01), orbits_of(swings(0.6))
    assert conclude(Findings([law]), orbits).reason == "1 independent conserved quantity."
    told = conclude(Findings([law], rejected=none), orbits).reason
    assert "the law passes in 100% of the draws, and in 100% a formula" in told
    assert told.endswith("there may be one law more.")
    law.exact_in = quarter
    told = conclude(Findings([law]), orbits).reason
    assert told.endswith("drawn anew, the law passes in 25% of the draws.")


def swings(size):
    """Runs that turn round, each beside its own centre."""
    phase = np.arange(0, 4 * np.pi, 0.2)
    return np.linspace(-1, 1, 20)[:, None] + size * np.sin(phase)


def arcs(length):
    """Runs that never turn round, each from its own place."""
    return np.linspace(-1, 1, 20)[:, None] + length * np.linspace(0, 1, 60)


def orbits_of(values, columns=1):
    path = raw_path(np.tile(values.reshape(-1, 1), columns), np.full(columns, 1e-3))
    offsets = values.shape[1] * np.arange(len(values) + 1)
    return Orbits(path, path, offsets, path.states.std(axis=0))


def law_of(verdict, excluded, numbers=1):
    """Return a law of which only the verdict and the drift that is excluded are asked."""
    evidence = SimpleNamespace(drift_excluded=excluded)
    return SimpleNamespace(
        verdict=verdict,
        evidence=evidence,
        exact_in=np.ones(400, dtype=bool),
        library=SimpleNamespace(learned=False),
        expression="x*v",
        free_numbers=numbers,
    )


def conclusion(values, stages=()):
    return conclude(Findings(stages=list(stages)), orbits_of(values))


def concluded(values):
    return conclusion(values).verdict


def test_how_short_an_arc_is():
    """Motion's share of the variance: .1 and .3 of swings, .3 and .5 of arcs."""
    assert concluded(swings(0.3)) == "undecided"
    assert concluded(swings(0.6)) == "none"
    assert concluded(arcs(1.4)) == "undecided"
    assert concluded(arcs(2.2)) == "none"


def test_what_was_not_searched_may_hold_a_law():
    """What is skipped for its size or left halfway may hold a law; what overflows is another's."""
    left = [StageRecord(f"poly({k})", 9, np.empty(0), 0, unfinished=True) for k in (2, 2, 3, 4, 5)]
    large = StageRecord("chain", 900, np.empty(0), 0, "900 terms", unfinished=True)
    singular = StageRecord("exponential", 9, np.empty(0), 0, "overflows")
    whole = StageRecord("radial", 9, np.empty(0), 0)
    found = conclusion(swings(0.6), [whole, singular])
    assert found.verdict == "none"
    assert "not searched" not in found.reason
    assert conclusion(swings(0.6), [whole, singular, *left]).verdict == "none"
    found = conclusion(swings(0.6), [whole, singular, large, *left])
    assert found.verdict == "undecided"
    assert "not searched: chain;" in found.reason
    assert "not searched to the end: poly(2), poly(3), poly(4), 1 more;" in found.reason
    assert "give roles or a library= of fewer functions" in found.reason
    found = conclude(Findings(stages=[large]), orbits_of(swings(0.6), 4), ["position"] * 4)
    assert "give fewer columns, bodies= or a library= of fewer functions" in found.reason


def test_no_law_is_a_verdict_too():
    report = report_of(datasets.load("van_der_pol", 40, 100, noise=0.01, seed=0))
    assert (report.verdict, report.n_conserved, report.quantities) == ("none", 0, [])
    assert 0.9 <= report.confidence <= 1.0


def test_one_run_is_undecided():
    """Rows without groups: a number that stays the same may be any number."""
    runs = datasets.load("harmonic_oscillator", 1, 400, noise=0.01, seed=0)
    with pytest.warns(UserWarning, match="groups="):
        report = ConservedQuantityFinder(random_state=0).fit(runs.rows).report_
    assert (report.verdict, report.n_conserved) == ("undecided", 0)
    assert "one run cannot tell a law" in report.reason


def test_runs_in_one_path_are_told_by_its_jumps():
    """Where runs follow each other without groups; noise, and a fast part of a motion, are none."""
    runs = datasets.load("harmonic_oscillator", 6, 100, noise=0.01, seed=0)
    t = np.linspace(0, 30, 600)
    steep = np.stack([np.tanh(8 * np.sin(t)), 8 * np.cos(t) / np.cosh(8 * np.sin(t)) ** 2], axis=1)

    def reason(states):
        path = raw_path(states, 0.01 * states.std(axis=0))
        orbits = Orbits(path, path, np.array([0, len(states)]), states.std(axis=0))
        return conclude(Findings([]), orbits).reason

    assert "the path jumps" in reason(runs.rows)
    noise = np.random.default_rng(0).standard_normal((600, 2))
    for states in (runs.rows[:100], steep, noise):
        assert "jumps" not in reason(states)
