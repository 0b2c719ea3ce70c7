"""The neural differential manifold and models of one's own: dynamics, noise, saving, bad input."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm
from keras_ndm.models.likelihood import negative_log_likelihood

ROOT = pathlib.Path(__file__).parents[3]
NOISE = np.array([0.05, 0.02])


def pairs(n_runs=40, steps=60, seed=0, scale=(1.0, 1.0)):
    """Noisy rotations with a shear, in rows (now, next); noise of a different size a coordinate."""
    rng = np.random.default_rng(seed)
    a = 0.15
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    state = rng.normal(size=(n_runs, 2))
    states = [state]
    for _ in range(steps):
        states.append(states[-1] @ turn.T)
    clean = np.stack(states, axis=1)
    noisy = (clean + NOISE * rng.normal(size=clean.shape)) * scale
    rows = lambda x: x.reshape(-1, 2).astype("float32")  # noqa: E731
    return rows(noisy[:, :-1]), rows(noisy[:, 1:]), turn


def small(**options):
    keras.utils.set_random_seed(0)
    metric = keras_ndm.MetricLayer(hidden=(8,))
    model = keras_ndm.NeuralDifferentialManifold(metric=metric, hidden=(16,), **options)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    return model


@pytest.fixture(scope="module")
def fitted():
    x, y, turn = pairs()
    model = small()
    model.fit(x, y, batch_size=200, epochs=25, verbose=0)
    return model, x, y, turn


def test_learns_dynamics_and_noise(fitted):
    model, x, _, turn = fitted
    after, jacobian = model.step(x)
    assert after.shape == x.shape and jacobian.shape == (len(x), 2, 2)
    inner = np.linalg.norm(x, axis=1) < 1.5
    np.testing.assert_allclose(jacobian[inner].mean(0), turn, atol=0.03)
    spread = np.sqrt(np.diagonal(model.noise_covariance(x), axis1=1, axis2=2)[inner].mean(0))
    np.testing.assert_allclose(spread, NOISE, rtol=0.12)
    product = model.metric_tensor(x) @ model.noise_covariance(x)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(2), product.shape), atol=1e-3)


def test_jacobian_is_that_of_the_step(fitted):
    model, x, _, _ = fitted
    x = x[:50].astype("float64")
    _, jacobian = model.step(x)
    for j in range(2):
        shift = 2e-2 * np.eye(2)[j]
        column = (model.step(x + shift)[0] - model.step(x - shift)[0]) / 4e-2
        np.testing.assert_allclose(
            jacobian[:, :, j], column, atol=2e-3
        )  # O(h²) and single precision


def test_covariance_of_the_residual_has_noise_at_both_ends(fitted):
    model, x, y, _ = fitted
    mean, covariance = (ops.convert_to_numpy(t) for t in model.moments(ops.convert_to_tensor(x)))
    white = np.einsum("bi,bij,bj->b", y - mean, np.linalg.inv(covariance), y - mean)
    assert np.mean(white) == pytest.approx(2.0, rel=0.1)
    _, jacobian = model.step(x)
    after = model.noise_covariance(mean)
    before = jacobian @ model.noise_covariance(x) @ np.swapaxes(jacobian, 1, 2)
    np.testing.assert_allclose(covariance, after + before, rtol=1e-3, atol=1e-7)


def test_likelihood_is_that_of_scipy():
    from scipy.stats import multivariate_normal

    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 3, 3))
    covariance = root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(3)
    covariance *= np.outer([1, 1e2, 1e-2], [1, 1e2, 1e-2])
    residual = rng.normal(size=(4, 3)) * [1, 1e2, 1e-2]
    ours = negative_log_likelihood(
        *(ops.convert_to_tensor(t, "float32") for t in (residual, covariance))
    )
    theirs = [
        -multivariate_normal(cov=c).logpdf(r) for r, c in zip(residual, covariance, strict=True)
    ]
    np.testing.assert_allclose(ops.convert_to_numpy(ours), theirs, rtol=1e-4)


def test_sample_weights_and_validation(fitted):
    model, x, y, _ = fitted
    plain = model.evaluate(x, y, verbose=0, batch_size=len(x))
    half = model.evaluate(x, y, sample_weight=np.full(len(x), 0.5), verbose=0, batch_size=len(x))
    half = half if np.isscalar(half) else half[0]
    assert half == pytest.approx(0.5 * plain, rel=1e-4)


def test_predicts_the_same_in_a_new_process(fitted, tmp_path):
    model, x, _, _ = fitted
    path, out = tmp_path / "model.keras", tmp_path / "out.npz"
    model.save(path)
    np.save(tmp_path / "x.npy", x[:20])
    code = (
        "import sys, numpy as np, keras, keras_ndm\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "x = np.load(sys.argv[2])\n"
        "step = model.step(x)\n"
        "np.savez(sys.argv[3], a=step[0], b=step[1], c=model.noise_covariance(x))\n"
    )
    arguments = [str(path), str(tmp_path / "x.npy"), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": keras.config.backend()}
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
    loaded = np.load(out)
    for ours, theirs in zip(
        (*model.step(x[:20]), model.noise_covariance(x[:20])), loaded.values(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)


@pytest.mark.slow_on_jax
def test_units_do_not_matter():
    """Coordinates in units a thousandfold apart train as well."""
    x, y, _ = pairs(n_runs=20, steps=40, scale=(1e3, 1e-2))
    model = small()
    model.fit(x, y, batch_size=200, epochs=30, verbose=0)
    noise = np.sqrt(np.diagonal(model.noise_covariance(x), axis1=1, axis2=2).mean(0))
    np.testing.assert_allclose(noise / (NOISE * [1e3, 1e-2]), 1, rtol=0.3)


def test_steps_of_unequal_length():
    x, y, _ = pairs(n_runs=10, steps=30)
    dt = np.ones((len(x), 1), "float32")
    model = small()
    model.fit((x, dt), y, batch_size=100, epochs=2, verbose=0)
    still, _ = model.step(x, 1e-6 * dt)
    np.testing.assert_allclose(still, x, atol=1e-5)
    one, _ = model.step(x, dt[:, 0])
    assert np.abs(one - x).max() > 1e-2
    manifold = keras_ndm.manifold_of(model)
    assert manifold.timed and manifold.dim == 2
    with pytest.raises(ValueError, match="takes step dt, but none"):
        model.step(x)


@pytest.mark.slow
def test_penalties_and_flow_chart_in_the_model(tmp_path, max_error):
    x, y, _ = pairs(n_runs=10, steps=30)
    chart = ["standardize", keras_ndm.charts.AffineCoupling(hidden=(8,))]
    weights = {"curvature_weight": 1e-9, "volume_weight": keras_ndm.evolution.Budget(0.1)}
    model = small(chart=chart, **weights)
    history = model.fit(x, y, batch_size=100, epochs=2, verbose=0).history
    for name in ("curvature", "volume", "curvature_weight", "volume_weight"):
        assert len(history[name]) == 2 and np.all(np.isfinite(history[name]))
    model.save(tmp_path / "flow.keras")
    again = keras.models.load_model(tmp_path / "flow.keras")
    assert max_error(again.metric_tensor(x), model.metric_tensor(x)) == 0
    assert max_error(again.chart.inverse(again.chart.forward(x)), x) < 1e-4


def own_model(evolution=False):
    keras.utils.set_random_seed(0)
    x = keras.Input((2,))
    z = keras_ndm.CoordinateLayer("actnorm")(x)
    hidden = keras.layers.Dense(16, activation="tanh")(z)
    mean = keras.layers.Add()([x, keras.layers.Dense(2, kernel_initializer="zeros")(hidden)])
    metric = keras_ndm.MetricLayer(hidden=(8,))
    g = keras_ndm.EvolutionLayer(metric, volume_weight=1e-3)(z) if evolution else metric(z)
    return x, mean, g


def test_functional_model_of_ones_own(tmp_path, max_error):
    x, y, turn = pairs()
    inputs, mean, g = own_model(evolution=True)
    model = keras_ndm.ManifoldModel(inputs, mean, metric=g)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    history = model.fit(x, y, batch_size=200, epochs=25, verbose=0).history
    assert "volume" in history
    assert model.predict(x[:7], verbose=0).shape == (7, 2)
    manifold = keras_ndm.manifold_of(model)
    inner = np.linalg.norm(x, axis=1) < 1.5
    spread = np.sqrt(np.diagonal(manifold.noise_covariance(x), axis1=1, axis2=2)[inner].mean(0))
    np.testing.assert_allclose(spread, NOISE, rtol=0.15)
    np.testing.assert_allclose(manifold.step(x)[1][inner].mean(0), turn, atol=0.04)
    model.save(tmp_path / "own.keras")
    again = keras_ndm.manifold_of(keras.models.load_model(tmp_path / "own.keras"))
    assert max_error(again.metric_tensor(x), manifold.metric_tensor(x)) == 0
    assert max_error(again.step(x)[1], manifold.step(x)[1]) == 0


def test_manifold_of_a_plain_functional_model(max_error):
    inputs, mean, g = own_model()
    points = pairs(n_runs=2)[0]
    manifold = keras_ndm.manifold_of(keras.Model(inputs, [mean, g]))
    assert max_error(manifold.step(points)[0], points) < 1e-6
    inverse = manifold.metric_tensor(points) @ manifold.noise_covariance(points)
    assert max_error(inverse, np.broadcast_to(np.eye(2), inverse.shape)) < 1e-4
    assert manifold.chart_forward(points).shape == points.shape
    assert keras_ndm.manifold_of(keras.Model(inputs, g)).step is None


def test_pullback_through_layers_that_are_no_chart(max_error):
    x = keras.Input((2,))
    hidden = keras.layers.Dense(2, activation="tanh")
    g = keras_ndm.MetricLayer()(hidden(x))
    points = pairs(n_runs=2)[0][:20]
    tensor = keras_ndm.manifold_of(keras.Model(x, g)).metric_tensor(points)
    z = ops.convert_to_numpy(hidden(points))
    jacobian = (1 - z**2)[:, :, None] * ops.convert_to_numpy(hidden.kernel).T
    inside = keras.Model(x, g).predict(points, verbose=0)
    assert max_error(tensor, np.swapaxes(jacobian, 1, 2) @ inside @ jacobian) < 1e-5


def _data_set():
    x, y, _ = pairs(n_runs=4)

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return x[index::2], y[index::2]

    return Batches()


def test_fit_adapts_itself_from_a_data_set():
    model = small()
    model.fit(_data_set(), epochs=1, verbose=0)
    x, y, _ = pairs(n_runs=4)
    np.testing.assert_allclose(ops.convert_to_numpy(model.chart.chart.mean), x.mean(0), atol=1e-5)
    assert float(ops.convert_to_numpy(model.adapted)) == 1
    with pytest.raises(ValueError, match=r"adapt\(x, y\) with arrays first"):
        small().fit(((a, b) for a, b in [(x, y)]), verbose=0)


X, Y, _ = pairs(n_runs=2)


def _fitted_small():
    model = small()
    model.adapt(X, Y)
    return model


NO_METRIC = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="flat")])
BAD = {
    "nan": (lambda: small().fit(np.where(X > 0, np.nan, X), Y), "NaN or infinite"),
    "nan in a second fit": (lambda: _fitted_small().fit(X, np.where(Y > 0, np.nan, Y)), "targets"),
    "rank": (lambda: small().fit(X[:, 0], Y), r"\(N, d\)"),
    "targets": (lambda: small().fit(X, Y[:5]), "one shape"),
    "steps": (lambda: small().fit((X, -np.ones(len(X))), Y), "positive"),
    "too few steps": (lambda: small().fit((X, np.ones(3)), Y), "one step dt a state"),
    "dimension": (
        lambda: _fitted_small().step(np.zeros((3, 5))),
        r"dimension 2; received shape \(3, 5\)",
    ),
    "unwanted dt": (lambda: _fitted_small().step(X, np.ones(len(X))), "takes no step dt"),
    "not fitted": (lambda: small().step(X), "call fit"),
    "loss": (lambda: small().compile("adam", loss="mse"), "takes no `loss`"),
    "loss weights": (lambda: small().compile("adam", loss_weights=[2.0]), "no `loss_weights`"),
    "relu": (lambda: keras_ndm.NeuralDifferentialManifold(activation="relu"), "relu"),
    "no metric": (lambda: keras_ndm.manifold_of(NO_METRIC), r"no MetricLayer.*\(flat\)"),
    "no model": (lambda: keras_ndm.manifold_of(3), "received int"),
    "unfitted manifold": (lambda: keras_ndm.manifold_of(small()), "no weights yet"),
    "outputs": (lambda: _own(outputs=keras.layers.Dense(3)), "states' shape"),
    "metric": (lambda: _own(metric=keras.layers.Dense(2)), "MetricLayer or EvolutionLayer"),
}


def _own(outputs=None, metric=None):
    x, mean, g = own_model()
    mean = mean if outputs is None else outputs(x)
    return keras_ndm.ManifoldModel(x, mean, metric=g if metric is None else metric(x))


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()
