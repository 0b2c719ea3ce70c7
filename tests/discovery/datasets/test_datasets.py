"""Data sets: each registered system conserves what it says, and no direction is left at rest."""

import pickle
from functools import cache

import numpy as np
import pytest

from discovery import datasets

RUNS, STEPS = 24, 60
LAWFUL = [name for name in datasets.names() if datasets.info(name).count]
MAPS = [name for name in datasets.names() if datasets.info(name).is_map]
CONTROLS = [name for name in datasets.names() if not datasets.info(name).count]


@cache
def clean(name):
    return datasets.load(name, n_trajectories=RUNS, n_steps=STEPS, seed=1)


def gradients(system, states):
    """Central differences of every law, (points, laws, d), each scaled to a unit row."""
    spread = np.maximum(states.std(axis=0), 1e-3)
    step = 1e-4 * spread
    shifts = step * np.eye(system.dim)
    rows = [
        (law(states[:, None] + shifts) - law(states[:, None] - shifts)) / (2 * step) * spread
        for law in system.truth.values()
    ]
    rows = np.stack(rows, axis=1)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.mark.parametrize("name", LAWFUL)
def test_truth_is_conserved(name):
    runs = clean(name)
    for law, function in runs.truth.items():
        values = function(runs.states)
        assert values.shape == (RUNS, STEPS), law
        drift = np.abs(values - values[:, :1]).max()
        # Relative to how much the law differs between runs: what an analysis has to see.
        assert drift <= 1e-8 * np.ptp(values[:, 0]), law


@pytest.mark.parametrize("name", LAWFUL)
def test_count_is_the_rank_of_the_gradients(name):
    system = datasets.info(name)
    states = clean(name).states[:, ::20].reshape(-1, system.dim)
    singular = np.linalg.svd(gradients(system, states), compute_uv=False)
    # Differences are good to about 1e-7; true rank deficits stay below 1e-5 at every point.
    assert np.median((singular > 1e-5 * singular[:, :1]).sum(axis=1)) == system.count


@pytest.mark.parametrize("name", CONTROLS)
def test_controls_have_no_truth(name):
    assert datasets.info(name).count == 0
    assert clean(name).truth == {}


@pytest.mark.parametrize("name", datasets.names())
def test_record_is_complete(name):
    system = datasets.info(name)
    assert system.name == name
    assert system.doc and system.equations and system.source
    assert len(system.roles) == system.dim
    assert f"{system.count} independent" in str(system)
    runs = clean(name)
    assert (runs.name, runs.equations) == (name, system.equations)
    assert (runs.names, runs.roles) == (system.names, system.roles)


@pytest.mark.parametrize("name", MAPS)
def test_iterates_obey_their_map(name):
    states = clean(name).states
    np.testing.assert_allclose(states[:, 1:], datasets.info(name).rhs(states[:, :-1]))
    with pytest.raises(ValueError, match="is a map"):
        datasets.load(name, dt=0.5)


@pytest.mark.parametrize("name", [name for name in datasets.names() if name not in MAPS])
def test_states_obey_the_equations(name):
    """The fourth-order difference of a finely sampled run agrees with the right-hand side."""
    system = datasets.info(name)
    dt = system.dt / 50
    states = datasets.load(name, n_trajectories=3, n_steps=5, seed=2, dt=dt).states
    slope = (8 * (states[:, 3] - states[:, 1]) - states[:, 4] + states[:, 0]) / (12 * dt)
    expected = system.rhs(states[:, 2])
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", datasets.names())
def test_every_direction_is_excited(name):
    """Initial states and velocities each span the space, far above rounding."""
    system = datasets.info(name)
    runs = clean(name)
    states = runs.rows / np.maximum(runs.rows.std(axis=0), 1e-12)
    singular = np.linalg.svd(states - states.mean(axis=0), compute_uv=False)
    assert runs.rows.std(axis=0).min() > 1e-3
    if system.grid_spacing is None:
        assert singular[-1] > 1e-2 * singular[0]


@pytest.mark.parametrize("name", ["kepler", "pendulum", "lotka_volterra"])
def test_noise_is_as_asked(name):
    noisy = datasets.load(name, n_trajectories=RUNS, n_steps=STEPS, noise=0.05, seed=1)
    spread = clean(name).rows.std(axis=0)
    angle = np.array([role == "angle" for role in noisy.roles])
    spread = np.where(angle, np.minimum(spread, np.pi / np.sqrt(3)), spread)
    added = (noisy.rows - clean(name).rows).std(axis=0)
    # 1440 samples give a standard deviation to 2 %.
    np.testing.assert_allclose(added, 0.05 * spread, rtol=0.1)


def test_parameters_are_set_not_measured():
    noisy = datasets.load("kerr", 8, 20, noise=0.05, seed=1).states
    assert np.ptp(noisy[..., 4:], axis=1).max() < 1e-12
    assert np.ptp(noisy[..., :4], axis=1).min() > 1e-3


def test_absolute_noise_by_coordinate():
    noisy = datasets.load("kepler", RUNS, STEPS, seed=1, noise_absolute=[0.1, 0.0, 0.2, 0.3])
    added = (noisy.rows - clean("kepler").rows).std(axis=0)
    np.testing.assert_allclose(added, [0.1, 0.0, 0.2, 0.3], rtol=0.1)


@pytest.mark.parametrize("name", ["kepler", "three_body"])
def test_seed_decides_orbits_and_noise(name):
    def load(**options):
        return datasets.load(name, n_trajectories=3, n_steps=20, **options).rows

    np.testing.assert_array_equal(load(seed=5, noise=0.1), load(seed=5, noise=0.1))
    assert np.abs(load(seed=5) - load(seed=6)).max() > 0.1
    # The same orbits and the same noise draws at every level: the excess is in proportion.
    small, large = load(seed=5, noise=0.1) - load(seed=5), load(seed=5, noise=0.2) - load(seed=5)
    np.testing.assert_allclose(2 * small, large, rtol=1e-9, atol=1e-12)


def test_truth_can_be_pickled():
    energy = clean("kepler").truth["E"]
    states = clean("kepler").states
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(energy))(states), energy(states))


def test_unknown_system_lists_the_known():
    with pytest.raises(ValueError, match=r"Did you mean 'kepler'.*lotka_volterra"):
        datasets.load("keppler")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_trajectories": 0}, "at least 1"),
        ({"n_steps": 1}, "at least 1 and 2"),
        ({"noise": -0.1}, "≥ 0"),
        ({"noise": np.nan}, "≥ 0"),
        ({"noise_absolute": [0.1, 0.2]}, r"shape \(2,\)"),
        ({"noise": 0.1, "noise_absolute": 0.1}, "one of them"),
        ({"dt": 0.0}, "positive"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        datasets.load("kepler", **options)
