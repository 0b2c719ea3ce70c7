"""discover, end to end: runs in, trained manifold, report out."""

import numpy as np
import pytest

from discovery import Trajectories, datasets, discover
from discovery.estimation.manifold import train_manifold

keras = pytest.importorskip("keras")
keras_ndm = pytest.importorskip("keras_ndm")

NOISE = 0.01


def exact_of(report):
    return [str(q.expression) for q in report.quantities if q.verdict == "exact"]


@pytest.fixture(scope="module")
def kepler():
    return datasets.load("kepler", 40, 100, noise=NOISE, seed=0)


@pytest.fixture(scope="module")
def report(kepler):
    return discover(kepler, random_state=0, verbose=False)


def test_three_laws_of_kepler(report):
    assert (report.verdict, report.n_conserved) == ("laws", 3)
    clean = datasets.load("kepler", 30, 100, seed=99)
    for quantity in report.quantities[:3]:
        values = quantity(clean.states)
        within = values - values.mean(axis=1, keepdims=True)
        # Rounded coefficients are exact or the formula is known to about the noise's share.
        assert within.std() < 0.01 * values.std(), str(quantity.expression)
    assert any("sqrt" in text for text in exact_of(report))


def test_the_metric_is_the_noise(report, kepler):
    """What the manifold learned, or differences where they say less: the noise that was added."""
    clean = datasets.load("kepler", 40, 100, seed=0)
    np.testing.assert_allclose(
        list(report.noise.values()), NOISE * clean.rows.std(axis=0), rtol=0.15
    )


def oscillator(regular=True, lengths=None, noise=0.02, seed=0):
    rng = np.random.default_rng(seed)
    lengths = [60] * 30 if lengths is None else lengths
    states, times = [], []
    for n in lengths:
        gaps = np.full(n, 0.25) if regular else rng.uniform(0.1, 0.4, n)
        t, phase, amplitude = np.cumsum(gaps), rng.uniform(0, 6.3), rng.uniform(0.5, 2)
        clean = amplitude * np.c_[np.cos(t + phase), -np.sin(t + phase)]
        states.append(clean + noise * rng.standard_normal((n, 2)))
        times.append(t)
    return Trajectories(states=states, times=times, names=["x", "u"])


SAMPLING = {
    "irregular times": {"regular": False},
    "unequal lengths": {"lengths": [20, 100, 45, 60, 33] * 6},
}


def discover_quickly(runs, **options):
    """Find laws with a manifold of short training: a linear flow needs no more."""
    model = train_manifold(runs, seed=0, verbose=False, steps=300)
    return discover(runs, model, random_state=0, **options)


@pytest.mark.parametrize("sampling", SAMPLING.values(), ids=SAMPLING)
def test_sampling(sampling):
    found = discover_quickly(oscillator(**sampling), library="polynomial")
    assert exact_of(found) == ["u**2/2 + x**2/2"]
    np.testing.assert_allclose(list(found.noise.values()), 0.02, rtol=0.2)


def test_angles_that_wind():
    """A pendulum that turns over, its angle given on the circle: jumps at π are no motion."""
    unwound = datasets.load("pendulum", 60, 80, noise=0.01, seed=0)
    states = unwound.states.copy()
    assert np.abs(states[..., 0]).max() > np.pi
    states[..., 0] = (states[..., 0] + np.pi) % (2 * np.pi) - np.pi
    runs = Trajectories(states=states, names=unwound.names, roles=unwound.roles)
    assert exact_of(discover_quickly(runs)) == ["omega**2/2 - cos(theta)"]


@pytest.fixture(scope="module")
def pairs():
    runs = oscillator()
    states = np.asarray(runs.states)
    # 1770 pairs: six whole batches of 295, so that nothing is compiled for a last short one.
    return runs, states[:, :-1].reshape(-1, 2), states[:, 1:].reshape(-1, 2)


def test_a_fitted_manifold(pairs):
    runs, now, following = pairs
    keras.utils.set_random_seed(0)
    model = keras_ndm.NeuralDifferentialManifold(hidden=(32,))
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    model.fit(now, following, batch_size=295, epochs=50, verbose=0)
    before = [np.array(w) for w in model.get_weights()]
    found = discover(runs, model=model, random_state=0)
    assert exact_of(found) == ["u**2/2 + x**2/2"]
    # Analysis reads the model and leaves it as it was.
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.slow
def test_a_functional_model_of_ones_own(pairs):
    runs, now, following = pairs
    keras.utils.set_random_seed(0)
    x = keras.Input((2,))
    chart = keras_ndm.CoordinateLayer("standardize")
    chart.adapt(now)
    z = chart(x)
    h = keras.layers.Dense(32, activation="tanh")(z)
    step = keras.layers.Dense(2, kernel_initializer="zeros")(h)
    mean = keras.layers.Add()([x, step])
    metric = keras_ndm.EvolutionLayer(keras_ndm.MetricLayer(), volume_weight=1e-3)(z)
    model = keras_ndm.ManifoldModel(inputs=x, outputs=mean, metric=metric)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    model.fit(now, following, batch_size=295, epochs=50, verbose=0)
    found = discover(runs, model=model, random_state=0)
    assert exact_of(found) == ["u**2/2 + x**2/2"]


def test_seed_decides_the_answer_and_progress_goes_to_stderr(pairs, capsys):
    runs = pairs[0][:12]
    loud = discover(runs, library="polynomial", random_state=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "training the manifold" in err
    quiet = discover(runs, library="polynomial", random_state=1, verbose=False)
    assert capsys.readouterr() == ("", "")
    assert loud.to_dict() == quiet.to_dict()


def test_control_has_no_law():
    runs = datasets.load("damped_oscillator", 40, 80, noise=0.01, seed=0)
    found = discover_quickly(runs, verbose=False)
    assert (found.verdict, found.n_conserved) == ("none", 0)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize(
    "name", ["isotropic_oscillator", "henon_heiles", "rigid_body", "lotka_volterra", "lorenz"]
)
def test_full_size(name, noise):
    runs = datasets.load(name, 100, 200, noise=noise, seed=0)
    assert discover(runs, random_state=0, verbose=False).n_conserved == datasets.info(name).count
