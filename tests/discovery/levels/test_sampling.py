"""States to order: on the level set, with the law that they should have, and errors in words."""

import numpy as np
import pytest
from scipy import stats

from discovery import ConservedQuantityFinder, DiscoveryReport, Trajectories
from discovery.datasets.integrate import integrate
from discovery.report.quantity import Quantity

ENERGY, MOMENTUM = -0.5, 0.8
LAWS = {"energy": ENERGY, "angular momentum": MOMENTUM}


def areas(potential, reach, level, weight=None, n=400_000):
    """Return points of the plane with V ≤ E, equally many everywhere or by a weight up to 1."""
    rng = np.random.default_rng(1)
    points = rng.uniform(-reach, reach, (n, 2))
    points = points[potential(*points.T) <= level]
    if weight is None:
        return points
    return points[rng.uniform(size=len(points)) < weight(*points.T)]


def test_distances_of_one_energy_and_angular_momentum(kepler):
    sample = kepler.sample(1000, values=LAWS, random_state=0)
    x, y, u, v = np.asarray(sample).T
    r = np.hypot(x, y)
    np.testing.assert_allclose((u**2 + v**2) / 2 - 1 / r, ENERGY, atol=1e-10)
    np.testing.assert_allclose(x * v - y * u, MOMENTUM, atol=1e-10)
    assert sample.law_error <= 1e-10
    # Kepler's equation: the mean anomaly is uniform.
    eccentric = np.arccos(np.clip((1 - r) / 0.6, -1, 1))
    anomaly = (eccentric - 0.6 * np.sin(eccentric)) / np.pi
    assert stats.kstest(anomaly, "uniform").statistic < 0.05
    assert 500 < sample.effective_size <= len(sample)


def test_places_of_one_energy_and_no_other_piece_of_the_level_set(henon_heiles):
    places = np.asarray(henon_heiles.sample(1000, values={0: 0.1}, random_state=0))[:, :2]
    inside = areas(
        lambda q, p: (q**2 + p**2) / 2 + q**2 * p - p**3 / 3 + (p > 0.8) + (np.abs(q) > 0.8),
        1.0,
        0.1,
    )
    for i in range(2):
        assert stats.ks_2samp(places[:, i], inside[:, i]).statistic < 0.06


def test_velocities_count_by_the_mass_matrix(pendula):
    energy = -1.0
    angles = np.asarray(pendula.sample(1000, values={"energy": energy}, random_state=0))[:, :2]
    inside = areas(
        lambda a, b: -2 * np.cos(a) - np.cos(b),
        np.pi,
        energy,
        lambda a, b: np.sqrt((2 - np.cos(a - b) ** 2) / 2),
    )
    between, expected = (np.cos(z[:, 0] - z[:, 1]) for z in (angles, inside))
    # In angles and angular velocities it would be 0.09.
    assert stats.ks_2samp(between, expected).statistic < 0.06
    assert np.abs(angles).max() <= np.pi


def test_all_laws_of_a_state(kepler):
    state = kepler.runs.rows[7]
    sample = kepler.sample(50, like=state, random_state=0)
    for law in kepler.quantities:
        np.testing.assert_allclose(law(np.asarray(sample)), law(state), atol=1e-10)
    assert sample.shape == (50, 4) and sample[3].shape == (4,)


def test_a_state_by_its_names(kepler):
    state = kepler.runs.rows[7]
    named = dict(zip("vuyx", state[::-1], strict=True))
    one, same = (kepler.sample(5, like=s, random_state=0).states for s in (state, named))
    np.testing.assert_array_equal(one, same)


def test_a_law_by_its_formula_in_any_form(kepler):
    sample = kepler.sample(20, values={"v*x - u*y": 0.8}, random_state=0)
    x, y, u, v = np.asarray(sample).T
    np.testing.assert_allclose(x * v - y * u, 0.8, atol=1e-10)


def test_the_seed_decides(kepler):
    one, same, other = (kepler.sample(20, values=LAWS, random_state=s).states for s in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "either like="),
        ({"values": LAWS, "like": [1, 0, 0, 1]}, "either like="),
        ({"values": {"entropy": 1.0}}, "no law 'entropy'.*energy"),
        ({"values": {9: 1.0}}, "no law 9"),
        ({"values": {"energy": np.nan}}, "finite number"),
        ({"values": {"energy": 1000.0}}, "far from the runs"),
        ({"values": {"energy": -0.5, "angular momentum": 1.1}}, "is empty"),
        ({"values": {"energy": -0.5, "angular momentum": 1.0}}, "depend on each other"),
        ({"values": {}}, "Expected laws and their values"),
        ({"like": [1.0, 0.0]}, "Expected one state"),
        ({"like": "x"}, "like is a str"),
        ({"like": {"x": 1.0}}, "no coordinate 'y'"),
        ({"like": [0.0, 0.0, 1.0, 1.0]}, "no value"),
    ],
)
def test_what_cannot_be_drawn_is_told(kepler, asked, words):
    with pytest.raises(ValueError, match=words):
        kepler.sample(10, random_state=0, **asked)


@pytest.mark.parametrize("n", [0, 1.5, True])
def test_a_number_of_states(kepler, n):
    with pytest.raises(ValueError, match="how many"):
        kepler.sample(n, values=LAWS)


def test_a_loaded_report_asks_for_runs(kepler, tmp_path):
    kepler.save(tmp_path / "report.json")
    loaded = DiscoveryReport.load(tmp_path / "report.json")
    with pytest.raises(ValueError, match="Give runs="):
        loaded.sample(5, values=LAWS)
    sample = loaded.sample(5, values=LAWS, runs=kepler.runs, random_state=0)
    np.testing.assert_allclose(loaded.quantities[0](sample.states), MOMENTUM, atol=1e-10)


@pytest.fixture(scope="module")
def on_spheres():
    """Spins in a field; the length of a spin is one in all runs, or, measured, another in each."""
    rng, times = np.random.default_rng(0), np.linspace(0, 20, 60)
    field, starts = np.array([0.0, np.sin(0.3), np.cos(0.3)]), rng.normal(size=(30, 3))
    starts /= np.linalg.norm(starts, axis=1)[:, None]

    def precession(s):
        return -np.cross(field + np.outer(1.7 * s[:, 2], [0, 0, 1]), s)

    states = integrate(precession, starts, times)
    states = states + 0.01 * rng.normal(size=states.shape)
    runs = Trajectories(states, times=times, names=["sx", "sy", "sz"])
    return ConservedQuantityFinder(random_state=0).fit(runs).report_


def test_samples_obey_what_all_runs_obey(on_spheres):
    sample = on_spheres.sample(100, like=on_spheres.runs.rows[0], random_state=0)
    lengths = np.sum(np.asarray(sample) ** 2, axis=1)
    np.testing.assert_allclose(lengths, lengths[0], atol=1e-10)
    assert lengths[0] == pytest.approx(1, abs=1e-3)
    assert "sx**2 + sy**2 + sz**2 = 1.000" in str(sample)


def test_identities_that_differ_by_run(on_spheres, monkeypatch):
    """With a state the identity has its value there; without one none is known."""
    monkeypatch.setattr(Quantity, "constant", "constant in each run, by its parameters")
    state = np.array([0.7, 0.0, 0.72])
    drawn = on_spheres.sample(20, like=state, random_state=0).states
    np.testing.assert_allclose(np.sum(drawn**2, axis=1), np.sum(state**2), atol=1e-10)
    with pytest.raises(ValueError, match=r"differs from run to run.*give like="):
        on_spheres.sample(20, values={0: 1.0}, random_state=0)
