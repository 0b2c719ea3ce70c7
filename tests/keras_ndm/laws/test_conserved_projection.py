"""Predictions on the level set of their input: exact, trainable, saved, whatever the model."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import sympy
from keras import ops

import keras_ndm

NAMES = ("x", "y", "u", "v")
X, Y, U, V = sympy.symbols("x y u v")
ENERGY = (U**2 + V**2) / 2 - 1 / sympy.sqrt(X**2 + Y**2)
MOMENTUM = X * V - Y * U


LAWS = [ENERGY, MOMENTUM]


def states(rng, *shape):
    """Return bound states far from circular orbits, at which both laws have one slope."""
    angle, r = rng.uniform(0, 2 * np.pi, shape), rng.uniform(0.9, 1.1, shape)
    place = np.stack([r * np.cos(angle), r * np.sin(angle)], -1)
    turned = np.stack([-np.sin(angle), np.cos(angle)], -1)
    return np.concatenate([place, 0.75 * turned + 0.4 * place], -1)


def laws(x):
    x, y, u, v = np.moveaxis(np.asarray(x), -1, 0)
    return np.stack([(u**2 + v**2) / 2 - 1 / np.hypot(x, y), x * v - y * u], -1)


def layer(**more):
    return keras_ndm.ConservedProjection([ENERGY, MOMENTUM], names=NAMES, **more)


def test_the_laws_are_those_of_the_input(float64, rng):
    given = states(rng, 50)
    guess = given + 0.05 * rng.normal(size=given.shape)
    kept = ops.convert_to_numpy(layer()([given, guess]))
    np.testing.assert_allclose(laws(kept), laws(given), atol=1e-12)
    # No farther than about as far as it had to go.
    moved, gone = (np.linalg.norm(a, axis=1) for a in (kept - guess, guess - given))
    assert moved.mean() < gone.mean()


def test_it_moves_along_the_scale(float64, rng):
    """The shortest way in the metric N⁻¹ is along N ∇C, by an independent path: SymPy's slopes."""
    scale = np.array([0.1, 2.0, 0.5, 1.0])
    one = keras_ndm.ConservedProjection([MOMENTUM], names=NAMES, scale=scale, steps=1)
    given = states(rng, 5)
    guess = given + 1e-6 * rng.normal(size=given.shape)
    moved = ops.convert_to_numpy(one([given, guess])) - guess
    slope = sympy.lambdify((X, Y, U, V), [MOMENTUM.diff(s) for s in (X, Y, U, V)])
    for step, state in zip(moved, guess, strict=True):
        way = scale**2 * np.array(slope(*state))
        cosine = step @ way / np.linalg.norm(step) / np.linalg.norm(way)
        assert abs(cosine) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("shape", [(6, 4), (6, 7, 4)])
def test_windows_have_their_mean(float64, rng, shape):
    given = states(rng, 6)
    windows = given[:, None] + 0.01 * rng.normal(size=(6, 5, 4))
    start = given if len(shape) == 2 else given[:, None]
    kept = laws(ops.convert_to_numpy(layer()([windows, start + 0.03 * rng.normal(size=shape)])))
    target = laws(windows).mean(axis=1)
    target = target if len(shape) == 2 else target[:, None]
    np.testing.assert_allclose(kept, target + 0 * kept, atol=1e-10)


def test_a_prediction_that_is_right_stays(rng):
    given = states(rng, 8).astype("float32")
    np.testing.assert_allclose(layer()([given, given]), given, atol=1e-6)


@pytest.mark.parametrize(
    "formula",
    [
        sympy.exp(-X) + sympy.log(Y) * U**3,
        sympy.sin(X) * sympy.cos(Y) + sympy.tan(U / 3),
        sympy.asin(X / 9) + sympy.acos(Y / 9) + sympy.atan(U),
        sympy.sinh(X) + sympy.cosh(Y) * sympy.tanh(U) + sympy.Abs(V),
        X**Y + 2**X + U ** sympy.Rational(1, 3) + V ** sympy.Rational(-3, 2) + sympy.pi * X**-2,
    ],
)
def test_values_and_steps_are_those_of_sympy(float64, rng, formula):
    one = keras_ndm.ConservedProjection([formula], names=NAMES, steps=1)
    points = rng.uniform(0.5, 1.5, (9, 4))
    value = sympy.lambdify((X, Y, U, V), formula)(*points.T)
    np.testing.assert_allclose(ops.convert_to_numpy(one.law_values(points))[:, 0], value, rtol=1e-6)
    # One step of Newton's method leaves what is of second order.
    near = points + 1e-4 * rng.normal(size=points.shape)
    kept = ops.convert_to_numpy(one([points, near]))
    before, after = (
        np.abs(sympy.lambdify((X, Y, U, V), formula)(*z.T) - value).max() for z in (near, kept)
    )
    assert after < 0.01 * before + 1e-7


def test_a_model_trains_through_it_compiled_and_is_read_in_a_new_process(rng, tmp_path):
    window = keras.Input((6, 4))
    last = window[:, -1]
    guess = last + 0.05 * keras.layers.Dense(4)(keras.layers.Flatten()(window))
    model = keras.Model(window, layer(scale=[1, 1, 2, 2])([window, guess]))
    model.compile(keras.optimizers.Adam(1e-3), loss="mse", jit_compile=True)
    given = np.repeat(states(rng, 64)[:, None], 6, axis=1).astype("float32")
    before = model.get_weights()[0]
    history = model.fit(given, given[:, -1], epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0] and np.abs(model.get_weights()[0] - before).max() > 0
    kept = model.predict(given, verbose=0)
    np.testing.assert_allclose(laws(kept), laws(given[:, 0]), atol=2e-5)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "given.npy", given)
    code = (
        "import sys, numpy as np, keras, keras_ndm; d = sys.argv[1];"
        "m = keras.models.load_model(d + '/model.keras');"
        "np.save(d + '/kept.npy', m.predict(np.load(d + '/given.npy'), verbose=0));"
        "assert 'discovery' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "kept.npy"), kept, atol=1e-5)


def test_in_a_subclassed_model(rng):
    class Stepper(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.keep = keras.layers.Dense(4), layer()

        def call(self, x):
            return self.keep([x, x + 0.01 * self.dense(x)])

    model = Stepper()
    model.compile("adam", "mse", jit_compile=True)
    given = states(rng, 32).astype("float32")
    model.fit(given, given, verbose=0)
    np.testing.assert_allclose(laws(model.predict(given, verbose=0)), laws(given), atol=2e-5)


@pytest.mark.parametrize("size", [0.5, 3.0, 100.0])
def test_far_predictions_come_all_the_way(float64, rng, size):
    given = states(rng, 200)
    kept = ops.convert_to_numpy(layer()([given, given + size * rng.normal(size=given.shape)]))
    np.testing.assert_allclose(laws(kept), laws(given), rtol=1e-9, atol=1e-9)


def test_far_predictions_in_single_precision(rng):
    given = states(rng, 200).astype("float32")
    guess = given + 3 * rng.normal(size=given.shape).astype("float32")
    kept = ops.convert_to_numpy(layer()([given, guess]))
    np.testing.assert_allclose(laws(kept), laws(given), rtol=1e-3, atol=1e-3)


def test_laws_with_no_value_at_the_prediction(float64, rng):
    given = states(rng, 3)
    kept = ops.convert_to_numpy(layer()([given, 0 * given]))
    np.testing.assert_allclose(laws(kept), laws(given), atol=1e-10)


def test_far_predictions_in_single_precision_come_to_rounding(rng):
    """The difference of a near and a far number has the far one's rounding."""
    given = states(rng, 50).astype("float32")
    way = rng.normal(size=given.shape).astype("float32")
    circle = keras_ndm.ConservedProjection([X**2 + Y**2 + U**2 + V**2], names=NAMES)
    for size in (1e4, 1e6, 1e10):
        kept = ops.convert_to_numpy(circle([given, size * way])).astype("float64")
        radii = [np.sum(np.square(a), axis=1) for a in (kept, given.astype("float64"))]
        np.testing.assert_allclose(*radii, rtol=1e-6)
    kept = ops.convert_to_numpy(layer()([given, 1e5 * way]))
    np.testing.assert_allclose(laws(kept), laws(given), rtol=1e-3, atol=1e-3)


def test_an_input_without_a_value_gives_nan(rng):
    guess = states(rng, 3).astype("float32")
    given = guess.copy()
    given[0], given[1, 2] = 0.0, np.nan
    kept = ops.convert_to_numpy(layer()([given, guess]))
    assert np.isnan(kept[:2]).all()
    np.testing.assert_allclose(laws(kept[2:]), laws(given[2:]), rtol=1e-5)


def test_an_empty_level_set_keeps_near_the_prediction(float64):
    both = keras_ndm.ConservedProjection([X, X**2], names=["x", "y"])
    # The mean of x is 0 and that of its square is 1.
    window = np.array([[[1.0, 0.0], [-1.0, 0.0]]])
    found = ops.convert_to_numpy(both([window, np.array([[0.3, 0.4]])]))
    assert np.abs(found - [[0.3, 0.4]]).max() < 0.8


def test_derivatives_stay_on_the_level_set(float64, rng):
    """What a prediction's change does is along the level set; c's change is met across it."""
    given = states(rng, 6)
    guess = given + 0.3 * rng.normal(size=given.shape)
    both = ops.convert_to_tensor(np.concatenate([given, guess], axis=1))
    jacobian = keras_ndm.backend.jacobian(lambda z: layer()([z[:, :4], z[:, 4:]]), both)
    jacobian = ops.convert_to_numpy(jacobian)
    slope = sympy.lambdify((X, Y, U, V), [[c.diff(s) for s in (X, Y, U, V)] for c in LAWS])
    kept = ops.convert_to_numpy(layer()([given, guess]))
    for turned, at, begun in zip(jacobian, kept, given, strict=True):
        np.testing.assert_allclose(slope(*at) @ turned[:, 4:], 0, atol=1e-9)
        np.testing.assert_allclose(slope(*at) @ turned[:, :4], slope(*begun), atol=1e-9)


def test_laws_that_are_one_count_once(rng):
    twice = keras_ndm.ConservedProjection([MOMENTUM, 2 * MOMENTUM], names=NAMES)
    given = states(rng, 8).astype("float32")
    kept = ops.convert_to_numpy(twice([given, 1.05 * given]))
    np.testing.assert_allclose(laws(kept)[:, 1], laws(given)[:, 1], atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"laws": []}, "received none"),
        ({"laws": [X]}, "names="),
        ({"laws": [X + sympy.Symbol("w")], "names": NAMES}, "'w'"),
        ({"laws": [sympy.erf(X)], "names": NAMES}, "no part of a formula"),
        ({"laws": ["x**2"], "names": NAMES}, "SymPy expressions"),
        ({"laws": [["__import__", "os"]], "names": NAMES}, "no part of a formula"),
        ({"laws": [X], "names": NAMES, "scale": [1, 1]}, "positive numbers"),
        ({"laws": [X], "names": NAMES, "steps": 0}, "whole number"),
        ({"laws": [{"names": ["q"], "tree": ["Symbol", "q"]}], "names": NAMES}, "in this order"),
    ],
)
def test_what_is_no_law_is_told(arguments, words):
    with pytest.raises(ValueError, match=words):
        keras_ndm.ConservedProjection(**arguments)


def test_other_shapes_are_told():
    with pytest.raises(ValueError, match=r"each .batch, 4"):
        layer()([np.ones((2, 3)), np.ones((2, 3))])
    with pytest.raises(ValueError, match=r"takes .input, prediction"):
        layer()(np.ones((2, 4)))
    with pytest.raises(ValueError, match="received 2 and 3"):
        layer()([np.ones((2, 4)), np.ones((3, 4))])
