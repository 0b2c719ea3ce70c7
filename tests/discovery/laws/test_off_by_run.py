"""A column that is off by another number in each run: found, said, and not where nothing is."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories
from discovery.analysis import again, searched
from discovery.estimation.preparation import prepare
from discovery.laws.off_by_run import Off, off_by_run
from discovery.libraries.families import polynomial

WRONG = {
    "offset": lambda x, size: x + size[:, None],
    "gain": lambda x, size: x * (1 + size[:, None]),
}


def oscillators(kind=None, friction=0.0, seed=0):
    """Runs of an oscillator at 1 % noise, its place off by run; and by how much."""
    rng = np.random.default_rng(seed)
    t = 0.15 * np.arange(80)
    phase, size = rng.uniform(0, 6.3, (30, 1)), rng.uniform(0.5, 2, (30, 1))
    fading = size * np.exp(-friction * t / 2)
    x, v = fading * np.cos(t + phase), -fading * np.sin(t + phase)
    error = 0.05 * rng.standard_normal(30)
    if kind:
        x = WRONG[kind](x, error)
    noisy = np.stack([x, v], axis=2) + 0.01 * rng.standard_normal((30, 80, 2))
    return Trajectories(noisy, times=t, names=["x", "v"]), error


@pytest.mark.parametrize("kind", WRONG)
def test_a_column_that_is_off_is_found(kind):
    runs, error = oscillators(kind)
    off = off_by_run([polynomial(runs.names, 2)], prepare(runs), [0, 1])
    found = next(one for one in off if (one.column, one.kind) == (0, kind))
    assert np.corrcoef(found.errors, -error)[0, 1] > 0.98


def test_what_is_flat_as_it_is_needs_no_error():
    """An expansion may be flat and no law: a little less noise with errors tells nothing."""
    runs, _ = oscillators()
    assert not off_by_run([polynomial(runs.names, 2)], prepare(runs), [0, 1])


def test_what_loses_energy_is_not_off():
    runs, _ = oscillators(friction=0.1)
    assert not off_by_run([polynomial(runs.names, 4)], prepare(runs), [0, 1])


def shares():
    """Runs of two columns that obey nothing, and of what is left of a whole."""
    rng = np.random.default_rng(1)
    t = 0.15 * np.arange(80)
    a, b = (
        sum(rng.normal(size=(30, 1)) * np.sin(rng.uniform(0.5, 2, (30, 1)) * t + k) for k in (1, 4))
        for _ in range(2)
    )
    noise = 0.01 * rng.standard_normal((30, 80, 3))
    return Trajectories(np.stack([a, b, 5 - a - b], axis=2) + noise, times=t, names=["a", "b", "c"])


def test_what_all_runs_obey_needs_no_error():
    runs = shares()
    assert not off_by_run([polynomial(runs.names, 2)], prepare(runs), [0, 1, 2])


def test_an_error_beside_what_all_runs_obey():
    runs, error = oscillators("offset")
    states = np.stack(runs.states)
    rng = np.random.default_rng(0)
    rest = 5 - states[:, :, 1:] + 0.01 * rng.standard_normal((30, 80, 1))
    runs = Trajectories(np.concatenate([states, rest], 2), times=runs.times, names=["x", "v", "c"])
    off = off_by_run([polynomial(runs.names, 2)], prepare(runs), [0])
    found = next(one for one in off if one.kind == "offset")
    assert np.corrcoef(found.errors, -error)[0, 1] > 0.98


def test_an_error_beyond_the_spread_is_none():
    """Runs of a second, 40 apart in what would be errors of 40: anything is constant then."""
    rng = np.random.default_rng(0)
    t = 0.15 * np.arange(80)
    x = np.cos(t + rng.uniform(0, 6.3, (30, 1)))
    states = np.stack([x, rng.uniform(-1, 1, (30, 1)) + 0 * x], axis=2)
    orbits = prepare(Trajectories(states + 0.01 * rng.standard_normal(states.shape), times=t))
    for off in off_by_run([polynomial(["x", "c"], 2)], orbits, [0]):
        assert np.abs(off.errors).max() <= 1.01 * orbits.scale[off.column]


def test_a_report_says_which_column_may_be_off():
    report = ConservedQuantityFinder(random_state=0).fit(oscillators("offset")[0]).report_
    assert report.verdict == "undecided" and report.n_conserved == 0
    assert "were x to have an offset of its own in each run" in report.reason


def test_a_report_of_what_has_no_law_says_none():
    runs, _ = oscillators(friction=0.1)
    report = ConservedQuantityFinder(library=["x**2", "v**2", "x*v"], random_state=0).fit(runs)
    assert report.report_.verdict == "none"


def test_what_decays_is_not_looked_for_in_changed_runs_without_a_law(monkeypatch):
    """Of these nothing is asked but whether anything is conserved."""
    asked, decaying = [], searched.with_decaying
    off = Off(0, "offset", np.zeros(30), 1.0)
    monkeypatch.setattr(again, "_off", lambda *_: [off])
    monkeypatch.setattr(
        searched, "with_decaying", lambda *args: asked.append(args) or decaying(*args)
    )
    runs, _ = oscillators(friction=0.1)
    report = ConservedQuantityFinder("polynomial", random_state=0).fit(runs).report_
    assert report.n_conserved == 0 and len(asked) == 1
