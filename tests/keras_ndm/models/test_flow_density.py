"""Densities by charts: they are densities, are learned, and say what they cannot take."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_ndm import FlowDensity, NaturalGradient, backend, charts, geometry

tfb = backend.tfp.bijectors


def normal(n=200, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype("float32")


def small():
    return charts.Autoregressive(hidden=(8,))


def compiled(density, rate=1e-2, **options):
    density.compile(keras.optimizers.Adam(rate), **options)
    return density


@pytest.fixture(scope="module")
def conditional():
    """x ~ N((2c, c²), 0.3²), fitted."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(1)
    c = rng.uniform(-1, 1, (1000, 1)).astype("float32")
    x = np.concatenate([2 * c, c**2], 1) + 0.3 * rng.normal(size=(1000, 2))
    density = compiled(FlowDensity(small(), condition=1), 2e-2)
    options = {"batch_size": 50, "epochs": 20, "verbose": 0}
    history = density.fit((x, c), validation_data=(x[:250], c[:250]), **options)
    return density, x.astype("float32"), c, history.history


@pytest.mark.parametrize(
    "chart", [small(), charts.Atlas(2, small())], ids=["one chart", "two charts"]
)
def test_the_density_integrates_to_one(chart, randomize):
    density = FlowDensity(chart)
    density.adapt(normal())
    randomize(density, scale=0.2)
    axis = np.linspace(-9, 9, 128)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    total = np.exp(density.log_prob(grid)).sum() * (axis[1] - axis[0]) ** 2
    # Of the grid's sum for smooth functions that are zero at its ends.
    assert abs(total - 1) < 1e-3


def test_samples_have_the_density(randomize):
    density = FlowDensity(charts.Atlas(2, small()))
    density.adapt(np.concatenate([normal() - 3, normal() + 3]))
    randomize(density, scale=0.2)
    x = density.sample(20000, seed=0)
    assert x.shape == (20000, 2)
    np.testing.assert_array_equal(x, density.sample(20000, seed=0))
    # Importance weights q/p of another density q have mean one.
    q = np.exp(-0.5 * np.sum((x - 3) ** 2, 1)) / (2 * np.pi)
    weights = q / np.exp(density.log_prob(x))
    assert abs(weights.mean() - 1) < 5 * weights.std() / np.sqrt(len(x)) < 0.5


def test_a_context_moves_the_density(conditional):
    density, x, c, history = conditional
    # The entropy of the noise is the least loss.
    least = np.log(2 * np.pi * np.e * 0.3**2)
    assert least - 0.1 < history["val_loss"][-1] < least + 0.15
    there = density.sample(500, [0.8], seed=0).mean(0)
    np.testing.assert_allclose(there, [1.6, 0.64], atol=0.1)
    each = density.sample(len(c), c, seed=0)
    assert np.abs(each[:, 0] - 2 * c[:, 0]).mean() < 0.4
    one = density.log_prob(x[:3], c[0])
    np.testing.assert_allclose(one, density.log_prob(x[:3], np.repeat(c[:1], 3, 0)), rtol=1e-6)


def test_a_fitted_density_is_saved(conditional, tmp_path):
    density, x, c, _ = conditional
    density.save(tmp_path / "d.keras")
    again = keras.models.load_model(tmp_path / "d.keras")
    np.testing.assert_allclose(again.log_prob(x, c), density.log_prob(x, c), atol=1e-5)
    np.testing.assert_array_equal(again.sample(5, c[:5], seed=1), density.sample(5, c[:5], seed=1))


@pytest.mark.slow
def test_a_new_process_predicts_the_same(conditional, tmp_path):
    density, x, c, _ = conditional
    density.save(tmp_path / "d.keras")
    np.savez(tmp_path / "in.npz", x=x[:5], c=c[:5])
    code = (
        "import keras, keras_ndm, numpy as np, sys\n"
        "a = np.load('in.npz'); d = keras.models.load_model('d.keras')\n"
        "np.save('out.npy', d.log_prob(a['x'], a['c']))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    before = density.log_prob(x[:5], c[:5])
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), before, atol=1e-5)


def test_a_layer_can_read_the_context():
    c = np.random.default_rng(0).normal(size=(20, 4, 3)).astype("float32")
    reader = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    density = FlowDensity(small(), condition=reader)
    density.adapt((normal(20), c))
    assert density.log_prob(normal(20), c).shape == (20,)
    assert density.sample(3, c[0], seed=0).shape == (3, 2)
    assert len(density.trainable_variables) == 7  # four of the chart, its context's, two of Dense


@pytest.mark.slow_on_jax
def test_the_number_of_charts_is_chosen():
    far = np.concatenate([normal(300) - 4, normal(300, seed=1) + 4])[:, :1]
    far = np.random.default_rng(2).permutation(far)
    density = FlowDensity(charts.Atlas([1, 2], "linear"))
    with pytest.raises(ValueError, match="validation_split"):
        compiled(density).fit(far)
    density.fit(far, epochs=1, validation_split=0.2, verbose=0)
    assert density.atlas.k == 2 and density.atlas.scores[2] < density.atlas.scores[1] - 0.3
    assert density.get_config()["chart"]["config"]["k"] == 2
    shares = ops.convert_to_numpy(density.atlas.responsibilities(far))
    assert set(np.round(shares[:, 0])) == {0.0, 1.0}
    there = density.atlas.transition(density.atlas.coordinates(far)[:, 0], 0, 1)
    np.testing.assert_allclose(there, density.atlas.coordinates(far)[:, 1], atol=1e-3)


def ring(n=2000, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 2 * np.pi, n)
    x = np.stack([np.cos(t), np.sin(t)], 1) + noise * rng.normal(size=(n, 2))
    return x.astype("float32")


@pytest.mark.slow_on_jax
def test_an_atlas_starts_as_the_best_mixture_of_normal_laws():
    """On a ring: clusters that only meet (k-means) are .04 worse."""
    from sklearn.mixture import GaussianMixture

    x, new = ring(), ring(seed=1)
    density = FlowDensity(charts.Atlas(16, "linear"))
    density.adapt(x)
    found = density.log_prob(new).mean()
    best = GaussianMixture(16, random_state=0).fit(x).score(new)
    assert found > best - 0.015
    # The rows drawn for each chart tell its place: the start depends on no seed of Keras.
    again = FlowDensity(charts.Atlas(16, "linear"))
    keras.utils.set_random_seed(7)
    again.adapt(x)
    assert again.log_prob(new).mean() == pytest.approx(found, abs=1e-5)


def test_an_atlas_starts_at_rows_that_repeat():
    x = np.repeat([[0.0, 1.0], [2.0, 1.0]], 20, axis=0).astype("float32")
    density = FlowDensity(charts.Atlas(3, "linear"))
    density.adapt(x)
    assert np.isfinite(density.log_prob(x)).all()


@pytest.mark.slow
def test_a_learned_torus_has_its_euler_characteristic():
    """Of points drawn from the start of an atlas the densest show the torus."""
    rng = np.random.default_rng(0)
    s, t = rng.uniform(0, 2 * np.pi, (2, 10_000))
    wide = 1 + 0.4 * np.cos(t)
    x = np.stack([wide * np.cos(s), wide * np.sin(s), 0.4 * np.sin(t)], 1)
    density = FlowDensity(charts.Atlas(48, "linear"))
    density.adapt((x + 0.05 * rng.normal(size=x.shape)).astype("float32"))
    drawn = density.sample(2500, seed=0)
    level = density.log_prob(drawn)
    found = geometry.euler_characteristic(drawn[level > np.quantile(level, 0.2)], halves=4)
    assert found.integer == 0


@pytest.mark.slow_on_jax
def test_charts_side_by_side_are_those_one_by_one(randomize):
    """The charts of an atlas have one program; each has its own weights."""
    density = FlowDensity(charts.Atlas(3, [small(), charts.Permute(), small()]))
    density.adapt(normal())
    randomize(density, scale=0.2)
    atlas, x = density.atlas, ops.convert_to_tensor(normal(5))
    alone = [flow.forward_and_log_det(x) for flow in atlas.flows]
    z = np.stack([ops.convert_to_numpy(z) for z, _ in alone], 1)
    assert np.abs(z[:, 0] - z[:, 1]).max() > 0.1
    np.testing.assert_allclose(atlas.coordinates(x), z, atol=1e-5)
    logs = np.stack([ops.convert_to_numpy(log_det) for _, log_det in alone], 1)
    terms = logs - 0.5 * np.sum(z**2, 2) - np.log(2 * np.pi)
    terms += ops.convert_to_numpy(atlas.log_weights())
    np.testing.assert_allclose(atlas.log_densities(x), terms, atol=1e-4)
    back = [ops.convert_to_numpy(flow.inverse_given(x)) for flow in atlas.flows]
    np.testing.assert_allclose(atlas.points(x), np.stack(back, 1), atol=1e-5)


def test_weights_of_zero_leave_rows_out():
    x = np.concatenate([normal(), normal() + 20])
    weights = np.repeat([1.0, 0.0], len(x) // 2)
    density = compiled(FlowDensity("linear"), 5e-2)
    density.fit(x, sample_weight=weights, epochs=4, batch_size=20, verbose=0)
    assert np.abs(density.sample(500, seed=0).mean(0)).max() < 1.5
    half = float(density.evaluate(x[: len(x) // 2], verbose=0))
    weighed = float(density.evaluate(x, sample_weight=2 * weights, verbose=0, batch_size=len(x)))
    assert weighed == pytest.approx(half, rel=1e-4)


class Batches(keras.utils.PyDataset):
    num_batches = 3

    def __getitem__(self, index):
        x = normal(32, seed=index)
        return ((x, x[:, :1]),)


def test_a_data_set_with_contexts():
    density = compiled(FlowDensity(small(), condition=1), steps_per_execution=3)
    assert np.isfinite(density.fit(Batches(), epochs=1, verbose=0).history["loss"]).all()


def test_log_densities_are_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        density = FlowDensity("linear")
        density.adapt(1000 + normal())
        values = density(1000 + normal())
    finally:
        keras.config.set_dtype_policy(before)
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
    plain = FlowDensity("linear")
    plain.adapt(1000 + normal())
    np.testing.assert_allclose(values, plain(1000 + normal()), atol=1e-3)


def test_the_metric_of_one_chart_is_that_of_its_coordinates(randomize):
    density = FlowDensity("linear")
    density.adapt(normal())
    randomize(density)
    a, b = normal(4), normal(4, seed=1)
    z = [ops.convert_to_numpy(density.atlas.coordinates(p))[:, 0] for p in (a, b)]
    apart = np.linalg.norm(z[0] - z[1], axis=1)
    np.testing.assert_allclose(geometry.distance(density.metric, a, b, 4), apart, rtol=1e-4)


def test_the_density_metric_is_the_density(randomize):
    density, x = FlowDensity(charts.Atlas(2, "linear")), normal()
    density.adapt(x)
    randomize(density, scale=0.2)
    g = ops.convert_to_numpy(density.density_metric(x, floor=0.0)(ops.convert_to_tensor(x)))
    p = np.exp(density.log_prob(x).astype("float64"))
    expected = np.median(p) / (p + p.min())  # d = 2
    np.testing.assert_allclose(g, expected[:, None, None] * np.eye(2), rtol=1e-3)


def adapted(density=None):
    density = FlowDensity("linear") if density is None else density
    density.adapt(normal())
    return density


def holes():
    x = normal()
    x[3, 1] = np.nan
    return x


BAD = {
    "no chart": (lambda: FlowDensity(3.0), "TFP bijector"),
    "no count": (lambda: charts.Atlas(0), "`k` is the number of charts"),
    "half a chart": (lambda: charts.Atlas([1, 2.5]), "received 2.5"),
    "none to choose from": (lambda: charts.Atlas([]), "empty list"),
    "units": (lambda: charts.Atlas(2, "positive"), 'frame="identity"'),
    "condition": (lambda: FlowDensity("linear", condition=-1), "received -1"),
    "condition of no network": (
        lambda: FlowDensity("linear", condition=1).adapt(normal(), normal()[:, :1]),
        "no network",
    ),
    "layer": (lambda: charts.get(charts.Atlas(2)), "Received the chart"),
    "wrong width": (lambda: adapted().log_prob(normal(d=3)), "2 columns"),
    "one point": (lambda: adapted().log_prob(normal()[0]), r"\(N, d\)"),
    "nan": (lambda: adapted().log_prob(holes()), "row 3"),
    "nan to adapt": (lambda: FlowDensity("linear").adapt(holes()), "row 3"),
    "not adapted": (lambda: FlowDensity("linear").sample(3), "call fit"),
    "no rows": (lambda: FlowDensity("linear").adapt(normal(0)), "received none"),
    "sample": (lambda: adapted().sample(-1), "received -1"),
    "few rows": (lambda: FlowDensity(charts.Atlas(9, "linear")).adapt(normal(5)), "9 charts"),
    "context missing": (lambda: FlowDensity(small(), condition=1).adapt(normal()), "missing"),
    "context": (lambda: adapted().log_prob(normal(), normal()), "no context"),
    "width of context": (
        lambda: FlowDensity(small(), condition=1).adapt(normal(), normal()),
        "1 columns",
    ),
    "metrics": (lambda: FlowDensity("linear").compile(metrics=["mae"]), "no targets"),
    "classes": (
        lambda: compiled(adapted()).fit(normal(), class_weight={0: 1.0}),
        "sample_weight",
    ),
    "width at a point": (lambda: adapted()(normal()[:, :1]), r"\(batch, 2\)"),
    "targets": (lambda: compiled(FlowDensity("linear")).fit(normal(), normal()), "no targets"),
    "loss": (lambda: FlowDensity("linear").compile("adam", loss="mse"), "own likelihood"),
    "natural gradient": (lambda: FlowDensity("linear").compile(NaturalGradient()), "linear"),
    "no inverse": (lambda: FlowDensity(tfb.AbsoluteValue()).adapt(normal()), "AbsoluteValue|inver"),
    "outside of its domain": (lambda: FlowDensity("positive").adapt(normal()), "no bijection"),
    "not onto": (lambda: FlowDensity("circular").adapt(normal()), "no bijection"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_outside_the_support_the_density_is_zero():
    density = FlowDensity(["positive", "standardize"])
    density.adapt(np.exp(normal()))
    inside, outside = density.log_prob([[1.0, 1.0], [2.0, 0.5]]), [[-1.0, 1.0], [0.0, 1.0]]
    assert np.isfinite(inside).all()
    assert (density.log_prob(outside) == -np.inf).all()
    assert np.isnan(ops.convert_to_numpy(density(np.array([[np.nan, 1.0]], "float32")))).all()
    density.atlas.flows[0].charts[1].charts[1].mean.assign([np.nan, 0.0])
    assert np.isnan(density.log_prob(outside)).all()


def test_no_points_have_no_densities():
    density = adapted()
    assert density.log_prob(np.zeros((0, 2))).shape == (0,)


@pytest.mark.slow_on_jax
def test_a_chosen_number_of_charts_keeps_its_optimizer(tmp_path, recwarn):
    density = compiled(FlowDensity(charts.Atlas([1, 2], "linear")))
    density.fit(normal(64), validation_data=normal(32), epochs=1, verbose=0)
    density.save(tmp_path / "d.keras")
    again = keras.models.load_model(tmp_path / "d.keras")
    assert not [w for w in recwarn if "Skipping variable loading" in str(w.message)]
    assert int(ops.convert_to_numpy(again.optimizer.iterations)) > 0
