"""Regression with a covariance at each input."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm

TURN = np.array([[0.8, -0.6], [0.6, 0.8]])
NOISE = TURN @ np.diag([0.5, 0.1]) ** 2 @ TURN.T


def data(n=64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype("float32")
    noise = rng.normal(size=(n, 2)) @ np.linalg.cholesky(NOISE).T
    return x, (x[:, :2] + noise).astype("float32")


def regression(kind="cholesky", **options):
    metric = keras_ndm.MetricLayer(kind, hidden=(4,), dimension=2)
    return keras_ndm.GaussianRegression(targets=2, hidden=(4,), metric=metric, **options)


def fitted():
    keras.utils.set_random_seed(0)
    model = regression()
    model.adapt(*data())
    return model


def exactly_predicted():
    model, (x, _) = fitted(), data()
    model.rescale(x, model.predict(x, verbose=0))


@pytest.fixture
def model():
    return fitted()


def test_the_loss_is_the_likelihood_of_what_is_predicted(model):
    x, y = data()
    model.compile("sgd")
    mean, covariance = model.mean_and_covariance(x)
    residual = y - mean
    squares = np.einsum("ni,nij,nj->n", residual, np.linalg.inv(covariance), residual)
    expected = 0.5 * squares + 0.5 * np.linalg.slogdet(covariance)[1] + np.log(2 * np.pi)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected.mean(), rel=1e-4)
    np.testing.assert_allclose(model.predict(x, verbose=0), mean, atol=1e-5)
    assert model.chi_square(x, y) == pytest.approx(squares.mean() / 2, rel=1e-5)


def test_rescaling_makes_chi_square_one(model):
    x, y = data(seed=1)
    before = model.chi_square(x, y)
    assert model.rescale(x, y) == pytest.approx(before)
    assert abs(before - 1) > 0.1
    assert model.chi_square(x, y) == pytest.approx(1, rel=1e-5)


@pytest.mark.slow
def test_units_of_the_targets_do_not_matter(model):
    x, y = data()
    keras.utils.set_random_seed(0)
    other = regression()
    unit, shift = np.array([1e-3, 1e4], "float32"), np.array([3.0, -2.0], "float32")
    other.adapt(x, y * unit + shift)
    mean, covariance = model.mean_and_covariance(x)
    far, wide = other.mean_and_covariance(x)
    np.testing.assert_allclose((far - shift) / unit, mean, atol=1e-3)
    np.testing.assert_allclose(wide / np.outer(unit, unit), covariance, rtol=1e-3, atol=1e-4)


def test_fit_rescales_on_the_last_rows(model):
    x, y = data(80)
    model.compile("sgd")
    model.fit(x, y, epochs=1, validation_split=0.2, verbose=0)
    assert model.chi_square(x[64:], y[64:]) == pytest.approx(1, rel=1e-4)


@pytest.mark.slow
def test_it_learns_a_correlated_noise():
    keras.utils.set_random_seed(0)
    model = regression("constant")
    model.compile(keras_ndm.NaturalGradient())
    x, y = data(1000)
    model.fit(x, y, batch_size=800, epochs=40, validation_split=0.2, verbose=0)
    _, covariance = model.mean_and_covariance(x[:1])
    np.testing.assert_allclose(covariance[0], NOISE, atol=0.15 * NOISE.max())


LOAD = """
import sys, numpy as np, keras, keras_ndm
model = keras.models.load_model(sys.argv[1])
np.savez(sys.argv[2], *model.mean_and_covariance(np.load(sys.argv[3])))
"""


@pytest.mark.slow
def test_it_loads_in_a_new_process(model, tmp_path):
    x, y = data()
    model.rescale(x, y)
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", x)
    paths = [str(tmp_path / name) for name in ("m.keras", "found.npz", "x.npy")]
    subprocess.run([sys.executable, "-c", LOAD, *paths], check=True)
    with np.load(tmp_path / "found.npz") as found:
        for a, b in zip(found.values(), model.mean_and_covariance(x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_features_take_inputs_of_any_shape():
    features = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(4, "tanh")])
    model = regression(features=features)
    x, y = data()
    images = np.stack([x, -x], axis=2)[..., None]
    model.compile("sgd")
    model.fit(images, y, epochs=1, verbose=0)
    again = keras_ndm.GaussianRegression.from_config(model.get_config())
    again.build(images.shape)
    again.set_weights(model.get_weights())
    for a, b in zip(*(m.mean_and_covariance(images) for m in (model, again)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_target_that_does_not_vary_is_predicted_as_it_is():
    x, y = data()
    y[:, 1] = 9.81
    model = regression()
    model.compile("sgd")
    history = model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    np.testing.assert_allclose(model.predict(x, verbose=0)[:, 1], 9.81, rtol=1e-6)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: keras_ndm.GaussianRegression(0), "received 0"),
        (lambda: keras_ndm.GaussianRegression(2, metric=keras_ndm.MetricLayer()), "dimension=2"),
        (lambda: regression().adapt(data()[0], data()[1][:, 0]), r"y\[:, None\]"),
        (lambda: regression().adapt(*(a * np.nan for a in data())), "NaN or infinite"),
        (lambda: regression().fit(data()[0] + 0j, data()[1]), "inputs are complex"),
        (lambda: fitted().fit(data()[0] * np.inf, data()[1]), "inputs hold .* NaN or infinite"),
        (lambda: regression().mean_and_covariance(data()[0]), "no weights yet"),
        (lambda: regression().adapt(np.zeros((8, 2, 2)), data(8)[1]), "give `features`"),
        (lambda: keras_ndm.GaussianRegression("a"), "received 'a'"),
        (lambda: keras_ndm.GaussianRegression(2.0), "received 2.0"),
        (lambda: keras_ndm.GaussianRegression(2, hidden=16), "sequence of widths"),
        (lambda: regression().adapt(data()[0]), "targets y are missing"),
        (lambda: fitted().chi_square(*(a[:0] for a in data())), "0 and 0"),
        (lambda: fitted().chi_square(data()[0], data()[1][:3]), "3 rows"),
        (lambda: fitted().chi_square(data()[0], data()[1][:, :1]), r"targets .*\(batch, 2\)"),
        (lambda: fitted().mean_and_covariance(np.zeros((3, 5))), r"received \(3, 5\)"),
        (lambda: exactly_predicted(), "predicted exactly"),
        (lambda: regression().compile("sgd", loss="mse"), "its own Gaussian likelihood"),
        (lambda: keras_ndm.MetricLayer("pullback", dimension=2)(np.zeros((1, 3))), "another head"),
    ],
)
def test_refusals(action, words):
    with pytest.raises(ValueError, match=words):
        action()


@pytest.mark.parametrize("kind", ["cholesky", "diagonal", "low_rank", "conformal", "constant"])
def test_a_tensor_of_another_dimension(kind, randomize):
    layer = keras_ndm.MetricLayer(kind, hidden=(4,), dimension=2)
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    assert tuple(layer(z).shape) == tuple(layer.compute_output_shape((5, 3))) == (5, 2, 2)
    randomize(layer)
    dense = ops.convert_to_numpy(layer(z))
    assert (np.linalg.eigvalsh(dense) > 0).all()
    v = np.ones((5, 2), "float32")
    solved = ops.convert_to_numpy(layer.solve(z, v))
    np.testing.assert_allclose(np.einsum("nij,nj->ni", dense, solved), v, atol=1e-4)
    np.testing.assert_allclose(layer.logdet(z), np.linalg.slogdet(dense)[1], atol=1e-4)
    with pytest.raises(ValueError, match="no curvature"):
        layer.scalar_curvature(z)


def test_no_inputs_have_no_means(model):
    mean, covariance = model.mean_and_covariance(np.zeros((0, 3)))
    assert mean.shape == (0, 2)
    assert covariance.shape == (0, 2, 2)
