"""Random systems: their laws hold, no more of them than stated, a seed decides everything."""

import pickle
import subprocess
import sys
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
import pytest
from scipy.linalg import eigh

from discovery import datasets

RUNS, STEPS = 16, 40
KINDS = datasets.random_kinds()
EACH = [(kind, seed) for kind in KINDS for seed in (1000, 1001)]
LAWFUL = [pair for pair in EACH if datasets.info("{}/{}".format(*pair)).count]


@cache
def clean(kind, seed):
    return datasets.random(kind, seed, RUNS, STEPS)


@pytest.mark.parametrize(("kind", "seed"), LAWFUL)
def test_laws_are_conserved(kind, seed):
    runs = clean(kind, seed)
    for law, function in runs.truth.items():
        values = function(runs.states)
        drift = np.abs(values - values[:, :1]).max()
        assert drift <= 1e-8 * np.ptp(values[:, 0]), law


@pytest.mark.parametrize(("kind", "seed"), LAWFUL)
def test_count_is_the_rank_of_the_gradients(kind, seed):
    runs = clean(kind, seed)
    states = runs.states[:, ::13].reshape(-1, 1, runs.rows.shape[1])
    shifts = 1e-4 * np.diag(runs.rows.std(axis=0))
    laws = runs.truth.values()
    rows = np.stack([law(states + shifts) - law(states - shifts) for law in laws], axis=1)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    singular = np.linalg.svd(rows, compute_uv=False)
    # Differences are good to about 1e-7; true rank deficits stay below 1e-5 at every point.
    rank = np.median((singular > 1e-5 * singular[:, :1]).sum(axis=1))
    assert rank == datasets.info(runs.name).count


@pytest.mark.parametrize(("kind", "seed"), EACH)
def test_states_obey_the_equations(kind, seed):
    """The fourth-order difference of a finely sampled run agrees with the right-hand side."""
    system = datasets.info(f"{kind}/{seed}")
    dt = system.dt / 50
    states = datasets.random(kind, seed, 3, 5, dt=dt).states
    slope = (8 * (states[:, 3] - states[:, 1]) - states[:, 4] + states[:, 0]) / (12 * dt)
    expected = system.rhs(states[:, 2])
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("kind", "seed"), EACH)
def test_runs_are_bounded_and_excite_every_direction(kind, seed):
    runs = clean(kind, seed)
    states = (runs.rows - runs.rows.mean(axis=0)) / runs.rows.std(axis=0)
    assert np.abs(states).max() < 20
    if runs.grid_spacing is None:
        singular = np.linalg.svd(states, compute_uv=False)
        assert singular[-1] > 1e-2 * singular[0]


def quietest(states, degree):
    """Return how far the quietest polynomials move within runs, over their spread, ascending.

    They are found on half of the runs and measured on the others.
    """
    scaled = (states - states.mean(axis=(0, 1))) / states.std(axis=(0, 1)) / 2
    powers = [
        list(one)
        for n in range(1, degree + 1)
        for one in combinations_with_replacement(range(states.shape[-1]), n)
    ]
    values = np.stack([scaled[..., one].prod(axis=-1) for one in powers], axis=-1)
    values -= values.mean(axis=(0, 1))
    parts = []
    for half in (values[::2], values[1::2]):
        inside = half - half.mean(axis=1, keepdims=True)
        parts.append([np.tensordot(v, v, ((0, 1), (0, 1))) for v in (inside, half)])
    (within, total), (within_others, total_others) = parts
    # A well that is long in one direction makes powers of very different size.
    scale = np.sqrt(np.diag(total))
    _, vectors = eigh(within / np.outer(scale, scale), total / np.outer(scale, scale))
    vectors /= scale[:, None]
    moved = [v @ within_others @ v / (v @ total_others @ v) for v in vectors[:, :6].T]
    return np.sort(np.sqrt(np.abs(moved)))


@pytest.mark.parametrize(("kind", "seed"), [("wells", 1001), ("magnetic", 1003)])
def test_wells_have_no_second_law(kind, seed):
    states = datasets.random(kind, seed, 100, 120).states
    energy, next_one = quietest(states, 4)[:2]
    assert energy < 1e-5
    assert next_one > 0.15


def test_seed_decides_system_orbits_and_noise():
    first, again, other = (datasets.random("central", s, 3, 10, noise=0.1) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.rows, again.rows)
    assert first.equations == again.equations != other.equations


def test_noise_leaves_the_orbits():
    clean_rows, noisy_rows = (
        datasets.random("central", 5, RUNS, STEPS, noise=n).rows for n in (0, 0.05)
    )
    # 640 samples give a standard deviation to 3 %.
    added = (noisy_rows - clean_rows).std(axis=0)
    np.testing.assert_allclose(added, 0.05 * clean_rows.std(axis=0), rtol=0.12)


def test_a_system_is_loaded_by_its_name():
    runs = datasets.random("wells", 1001, 3, 10)
    others = datasets.load(runs.name, 3, 10, seed=2)
    assert (others.name, others.equations) == (runs.name, runs.equations)
    assert np.abs(others.rows - runs.rows).max() > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_runs_below_a_saddle_stay_there(seed):
    """Of the same energy there are others, behind the saddle, that run away in finite time."""
    runs = datasets.load("quadratic/47", 20, 60, seed=seed)
    assert np.abs(runs.states).max() < 1.5


def test_random_systems_are_not_among_the_names():
    clean("central", 1000)
    assert "central/1000" not in datasets.names()


def test_a_law_is_unpickled_in_a_new_process(tmp_path):
    runs = clean("central", 1000)
    law = runs.truth["E"]
    path = tmp_path / "law.pickle"
    path.write_bytes(pickle.dumps((law, runs.states, law(runs.states))))
    code = (
        f"import pickle; law, states, values = pickle.load(open({str(path)!r}, 'rb'));"
        " assert (law(states) == values).all()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_kind_lists_the_known():
    with pytest.raises(ValueError, match=r"unknown kind 'centrall'.*central_space"):
        datasets.random("centrall", 1)


def test_negative_seed():
    with pytest.raises(ValueError, match="at least 0"):
        datasets.random("central", -1)


@pytest.mark.parametrize("name", ["centrall/1", "central/-1", "central/x", "central/"])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="unknown system"):
        datasets.load(name)
