"""Distances in what is conserved: calibrated, the same all over a level set, for scikit-learn."""

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from discovery import DiscoveryReport, Trajectories, datasets


@pytest.fixture(scope="module")
def halves():
    """First and second halves of 60 runs of Kepler's that took no part in the report."""
    runs = datasets.load("kepler", n_trajectories=60, n_steps=120, noise=0.01, seed=5)
    return [run[:60] for run in runs.states], [run[60:] for run in runs.states]


@pytest.fixture(scope="module")
def orbits():
    """Pieces of three orbits, here and there on them, and which each is of."""
    runs = datasets.load("kepler", n_trajectories=3, n_steps=240, noise=0.01, seed=6)
    return [piece for run in runs.states for piece in np.split(run, 12)], np.repeat(
        np.arange(3), 12
    )


def test_pieces_of_one_run_are_as_far_apart_as_noise_says(kepler, halves):
    distances = [kepler.distance(a, b) for a, b in zip(*halves, strict=True)]
    rank = distances[0].rank
    assert rank == kepler.n_conserved
    assert 0.8 * rank < np.mean(np.square(distances)) < 1.6 * rank
    assert np.mean([d.alike for d in distances]) > 0.9
    assert stats.kstest([d.chance for d in distances], "uniform").pvalue > 1e-3


def test_other_runs_are_far(kepler, halves):
    first, second = halves
    far = kepler.distance(first[0], second[1])
    assert far > 50 and not far.alike and "different level sets" in str(far)


def test_which_run_a_piece_continues(kepler, halves):
    first, second = halves
    embedding = kepler.embed(first)
    points, others = np.asarray(embedding), embedding.transform(second)
    nearest = np.linalg.norm(others[:, None] - points, axis=2).argmin(axis=1)
    assert np.mean(nearest == np.arange(len(first))) > 0.95


def test_points_are_as_far_apart_as_runs(kepler, halves):
    first, _ = halves
    points = np.asarray(kepler.embed(first))
    one, other = (np.linalg.norm(points[0] - points[1]), kepler.distance(first[0], first[1]))
    assert one == pytest.approx(other, rel=0.5)


def test_a_law_moved_by_its_error_is_a_standard_error_apart(henon_heiles):
    """By an independent path: the scatter of the mean energy of one state measured anew."""
    rng, state = np.random.default_rng(0), np.array([0.1, 0.2, 0.2, 0.1])
    noise = np.array([henon_heiles.noise[name] for name in henon_heiles.names])
    measured = state + noise * rng.normal(size=(400, 30, 4))
    points = np.asarray(henon_heiles.embed(measured))
    assert np.std(points) == pytest.approx(np.sqrt(0.5), rel=0.1)


def test_runs_of_one_level_set_are_one_neighbourhood(kepler, orbits):
    runs, on = orbits
    pipeline = make_pipeline(kepler.embed(), KNeighborsClassifier(3))
    assert cross_val_score(pipeline, runs, on, cv=3).min() == 1.0
    assert pickle.loads(pickle.dumps(pipeline.fit(runs, on))).score(runs, on) == 1.0
    clusters = make_pipeline(kepler.embed(), KMeans(3, n_init=5, random_state=0)).fit_predict(runs)
    assert adjusted_rand_score(on, clusters) == 1.0


def test_the_same_as_arrays_runs_and_copies(kepler, halves):
    first = np.array(halves[0][:5])
    runs = Trajectories(first, names=kepler.names)
    embedding = kepler.embed(first)
    np.testing.assert_allclose(embedding.transform(runs), embedding.embedding_)
    np.testing.assert_allclose(clone(embedding).fit_transform(list(first)), embedding.embedding_)
    assert kepler.distance(runs[0], first[1]) == kepler.distance(first[0], first[1])
    assert list(embedding.get_feature_names_out()) == [q.name for q in kepler.quantities]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda r: r.distance(r.runs, r.runs[0]), "one was expected"),
        (lambda r: r.distance(np.ones((5, 3)), r.runs[0]), "expected 4 coordinates"),
        (lambda r: r.distance(np.full((5, 4), np.nan), r.runs[0]), "finite"),
        (lambda r: r.embed(r.runs.rows), "one table"),
        (lambda r: r.embed([]), "no runs"),
        (lambda r: r.distance("a", r.runs[0]), "no array of real numbers"),
    ],
)
def test_what_is_no_run_is_told(kepler, asked, words):
    with pytest.raises(ValueError, match=words):
        asked(kepler)


def test_a_loaded_report_asks_for_runs(kepler, tmp_path):
    kepler.save(tmp_path / "report.json")
    loaded = DiscoveryReport.load(tmp_path / "report.json")
    a, b = kepler.runs[0], kepler.runs[1]
    with pytest.raises(ValueError, match="Give runs="):
        loaded.distance(a, b)
    assert loaded.distance(a, b, runs=kepler.runs) == pytest.approx(kepler.distance(a, b))


@pytest.mark.parametrize("runs", ["runs.csv", 3])
def test_what_holds_no_runs_is_told(kepler, runs):
    with pytest.raises(ValueError, match=r"received .* Expected runs: Trajectories"):
        kepler.embed(runs)
