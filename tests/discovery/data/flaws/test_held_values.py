"""Codes of missing values and sensors that stand still are left out, and nothing measured."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.data.flaws.held_values import held_values
from discovery.data.flaws.samples import Samples
from discovery.data.readiness import check_for_analysis

RUNS, STEPS = 20, 100


def swings(noise=0.01, seed=0):
    """Positions of oscillators, (RUNS, STEPS)."""
    rng = np.random.default_rng(seed)
    t = np.arange(STEPS) * 0.1
    amplitude, phase = rng.uniform(0.5, 2, (RUNS, 1)), rng.uniform(0, 6.3, (RUNS, 1))
    return amplitude * np.cos(t + phase) + noise * rng.standard_normal((RUNS, STEPS))


def held(values):
    """Return which values (RUNS, STEPS) are held, and what is said of them."""
    rows = values.reshape(-1, 1)
    out, remarks = held_values(
        Samples(rows, np.tile(np.arange(STEPS), RUNS), STEPS * np.arange(RUNS + 1)), ["x"]
    )
    return out.reshape(values.shape), remarks


@pytest.mark.parametrize("code", [999.0, -999.0, -1.0, 0.0, 1e20, -1e30, 32767.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("seed", range(3))
def test_codes_in_blocks(code, noise, seed):
    values = swings(noise, seed)
    where = np.zeros(values.shape, dtype=bool)
    for run, start in ((1, 30), (4, 7), (5, 80), (11, 55), (12, 20)):
        where[run, start : start + 12] = True
    values[where] = code
    out, remarks = held(values)
    np.testing.assert_array_equal(out, where)
    assert remarks == [f"x holds {code:.6g} in 60 samples, left out"]


@pytest.mark.parametrize("code", [999.0, 0.0])
def test_codes_strewn_about(code):
    values = swings()
    where = np.random.default_rng(1).random(values.shape) < 0.06
    values[where] = code
    np.testing.assert_array_equal(held(values)[0], where)


def test_two_codes():
    values = swings()
    values[3, 20:30], values[5, 40:60] = 999, -1e20
    out, remarks = held(values)
    assert out.sum() == 30 and len(remarks) == 2


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_sensor_that_stands_still(noise):
    values = swings(noise)
    where = np.zeros(values.shape, dtype=bool)
    for run, start in ((2, 30), (7, 50)):
        values[run, start : start + 15] = values[run, start]
        where[run, start + 1 : start + 15] = True
    out, remarks = held(values)
    np.testing.assert_array_equal(out, where)
    assert remarks == ["x stands still at 2 places, 28 samples left out"]


def test_a_sensor_that_dies():
    """No path has no noise all of a sudden."""
    values = swings(0.05)
    values[3, 60:] = values[3, 60]
    assert held(values)[0].sum() == STEPS - 61


def rare_steps(rng):
    """A level that moves little, and twice to a level not far away that is set by hand."""
    values = rng.normal(0, 0.1, (RUNS, STEPS))
    values[5, 30], values[6, 40] = 1.0, 1.0
    return values


def turning_points(rng):
    """Clean paths in steps of a hundredth: where they turn many neighbours are equal."""
    return np.round(swings(0, int(rng.integers(99))), 2)


def gross_errors(rng):
    """Two values that are off by the same, among rounded ones."""
    values = np.round(swings(0.01, int(rng.integers(99))), 2)
    values[3, 50] = values[8, 20] = 2.5
    return values


def square_wave(rng):
    return np.sign(swings(0, int(rng.integers(99))))


def levels(rng):
    """A lever at 0, 1 or 10."""
    return rng.choice([0.0, 1.0, 10.0], (RUNS, STEPS // 10)).repeat(10, axis=1)


def coarse_numbers(rng):
    return np.round(swings(0.01, int(rng.integers(99))), 1)


def billiard(rng):
    """Velocities of balls, some of them between two walls and the others on springs."""
    values = swings(0.01, int(rng.integers(99)))
    speed = rng.uniform(0.5, 1, (8, 1))
    phase = rng.uniform(0, 6, (8, 1))
    values[:8] = speed * np.sign(np.sin(speed * np.arange(STEPS) * 0.1 + phase))
    return values


def glitches(rng):
    """Counts that wander by two at most, and are anything now and then."""
    walk = np.cumsum(rng.integers(-2, 3, (RUNS, STEPS)), axis=1) + rng.integers(0, 40, (RUNS, 1))
    walk = 40 - np.abs(walk % 80 - 40)
    return np.where(rng.random(walk.shape) < 0.03, rng.integers(0, 40, walk.shape), walk)


def flat_turns(rng):
    """Clean paths, rounded, some of which hardly move at times."""
    values = swings(0, int(rng.integers(99)))
    values[:3] = np.sin(np.arange(STEPS) * 0.1 + rng.uniform(0, 6, (3, 1))) ** 5
    return np.round(values, 3)


def at_rest(rng):
    """Friction that does not slip: paths without noise that come to rest, exactly."""
    t = np.arange(STEPS) * 0.1
    left = np.clip(1 - t / rng.uniform(9, 11, (RUNS, 1)), 0, None) ** 2
    return rng.uniform(1, 2, (RUNS, 1)) * np.cos(6 * t + rng.uniform(0, 6, (RUNS, 1))) * left


def populations(rng):
    return rng.poisson(5 + 4 * np.sin(np.arange(STEPS) * 0.2 + rng.uniform(0, 6, (RUNS, 1))))


def through_minus_one(rng):
    """Paths that pass exactly through -1, in every run."""
    return np.cos(np.arange(STEPS) * np.pi / 20) + np.zeros((RUNS, 1))


def on_an_axis(rng):
    """Some runs stay where they are."""
    values = swings(0, int(rng.integers(99)))
    values[:3] = 0.0
    return values


def from_rest(rng):
    """All runs begin at the same value, and move fast."""
    return np.exp(-np.arange(STEPS) * rng.uniform(0.5, 2, (RUNS, 1)))


MEASURED = {
    f.__name__.replace("_", " "): f
    for f in (
        rare_steps,
        turning_points,
        gross_errors,
        square_wave,
        levels,
        coarse_numbers,
        billiard,
        glitches,
        flat_turns,
        at_rest,
        populations,
        through_minus_one,
        on_an_axis,
        from_rest,
    )
}


@pytest.mark.parametrize("make", MEASURED.values(), ids=MEASURED)
def test_what_is_measured_is_kept(make):
    for seed in range(6):
        out, remarks = held(np.asarray(make(np.random.default_rng(seed)), dtype=float))
        assert not out.any() and not remarks


@pytest.mark.parametrize("name", datasets.names())
def test_simulations_hold_no_values(name):
    runs = datasets.load(name, 12, 40, noise=0.01)
    if "field" in (runs.roles or ()):
        return
    rows = np.round(runs.rows / runs.rows.std(axis=0), 2)
    for given in (runs.rows, rows):
        assert not held_values(Samples(given, runs.row_times, runs.offsets), runs.names)[0].any()


def test_the_law_of_what_is_left():
    """Half the runs have blocks of codes: the law is found, and the report counts them."""
    runs = datasets.load("harmonic_oscillator", 24, 60, noise=0.01, seed=1)
    states = runs.states.copy()
    states[::2, 20:30, 0] = -1.0
    states[1, 40:50, 1] = 999.0
    given = Trajectories(states=states, times=runs.times, names=["q", "p"])
    finder = ConservedQuantityFinder(random_state=0).fit(given)
    assert finder.n_conserved_ == 1
    assert "q holds -1 in 120 samples, left out" in finder.report_.title
    assert "p holds 999 in 10 samples, left out" in finder.report_.title
    values = finder.quantities_[0](runs.rows).reshape(24, 60)
    assert values.std(axis=1).max() < 0.05 * values.std()


def test_a_code_in_all_columns_makes_them_no_copies():
    runs = datasets.load("harmonic_oscillator", 24, 60, noise=0.01, seed=1)
    states = runs.states.copy()
    states[::3, 20:30] = 1e20
    check_for_analysis(Trajectories(states=states))
    states[..., 1] = -2 * states[..., 0]
    with pytest.raises(ValueError, match="are the same"):
        check_for_analysis(Trajectories(states=states))


def test_runs_that_are_held_all_along():
    runs = datasets.load("harmonic_oscillator", 24, 60, noise=0.01, seed=1)
    states = runs.states.copy()
    states[3, :, 0] = states[5, :58, 0] = 999.0
    finder = ConservedQuantityFinder(random_state=0)
    finder.fit(Trajectories(states=states, times=runs.times))
    assert finder.n_conserved_ == 1
    assert "2 runs too short and left out" in finder.report_.title
