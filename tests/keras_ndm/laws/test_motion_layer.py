"""A layer that moves states: as exact as its order, trainable through, saved as plain data."""

import json

import keras
import numpy as np
import pytest
import sympy
from keras import ops
from scipy.integrate import solve_ivp

import keras_ndm

X, U = sympy.symbols("x u")
PENDULUM = {"x": U, "u": -sympy.Rational(7, 5) * sympy.sin(X)}
DAMPED = {"x": U, "u": -sympy.sin(X) - U / 5 - sympy.sign(U) / 50}
HALVES = [["x"], ["u"]]


def exact(rates, states, dt):
    """Return the states after dt, by SciPy."""
    rate = sympy.lambdify((X, U), list(rates.values()))
    return np.array(
        [
            solve_ivp(lambda _, s: rate(*s), (0, dt), s, rtol=1e-10, atol=1e-12).y[:, -1]
            for s in states
        ]
    )


@pytest.mark.parametrize("halves", [None, HALVES])
def test_it_is_of_fourth_order(float64, rng, halves):
    states = rng.uniform(-1, 1, (5, 2))
    true, errors = exact(PENDULUM, states, 1.0), []
    for substeps in (2, 4, 8):
        layer = keras_ndm.MotionLayer(PENDULUM, dt=1.0, substeps=substeps, halves=halves)
        errors.append(np.abs(ops.convert_to_numpy(layer(states)) - true).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(np.abs(orders - 4) < 0.6), errors


def test_forces_that_are_no_polynomials(float64, rng):
    states = rng.uniform(0.5, 1, (5, 2))
    layer = keras_ndm.MotionLayer(DAMPED, dt=0.1, substeps=4)
    np.testing.assert_allclose(layer(states), exact(DAMPED, states, 0.1), atol=1e-6)


def test_back_and_forth(float64, rng):
    states = rng.uniform(-1, 1, (3, 4, 2))
    there = keras_ndm.MotionLayer(PENDULUM, dt=0.5, substeps=3, halves=HALVES)
    back = keras_ndm.MotionLayer(PENDULUM, dt=-0.5, substeps=3, halves=HALVES)
    moved = there(states)
    assert moved.shape == (3, 4, 2)
    # A symmetric composition is its own inverse, backwards.
    np.testing.assert_allclose(back(moved), states, atol=1e-13)


def test_its_slopes_are_those_of_the_flow(float64, rng):
    states = rng.uniform(-1, 1, (4, 2))
    layer = keras_ndm.MotionLayer(PENDULUM, dt=0.3, substeps=3, halves=HALVES)
    slopes = ops.convert_to_numpy(
        keras_ndm.backend.jacobian(layer, ops.convert_to_tensor(states, dtype="float64"))
    )
    step = 1e-6 * np.eye(2)
    ahead, behind = (
        np.stack([ops.convert_to_numpy(layer(states + sign * e)) for e in step], axis=2)
        for sign in (1, -1)
    )
    np.testing.assert_allclose(slopes, (ahead - behind) / 2e-6, atol=1e-7)
    # Areas are kept: the map is symplectic.
    np.testing.assert_allclose(np.linalg.det(slopes), 1, atol=1e-12)


def test_a_model_learns_through_it_compiled_and_is_saved(rng, tmp_path):
    states = rng.uniform(-1, 1, (64, 2)).astype("float32")
    layer = keras_ndm.MotionLayer(PENDULUM, dt=0.2, substeps=2, halves=HALVES)
    given = keras.Input((2,))
    model = keras.Model(given, layer(keras.layers.Dense(2)(given)))
    model.compile(keras.optimizers.Adam(0.05), loss="mse", jit_compile=True)
    true = exact(PENDULUM, states, 0.2).astype("float32")
    losses = model.fit(states, true, epochs=40, batch_size=64, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(states), model(states), atol=1e-6)
    # Its file is plain data.
    assert json.loads(json.dumps(layer.get_config()))["rates"]["x"] == ["Symbol", "u"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rates": {}, "dt": 1.0}, "rate of each coordinate"),
        ({"rates": {"x": U}, "dt": 1.0}, "'u'"),
        ({"rates": {"x": ["__import__", "os"]}, "dt": 1.0}, "no part of a formula"),
        ({"rates": PENDULUM, "dt": 0.0}, "other than zero"),
        ({"rates": PENDULUM, "dt": float("nan")}, "finite number"),
        ({"rates": PENDULUM, "dt": 1.0, "substeps": 0}, "whole number"),
        ({"rates": PENDULUM, "dt": 1.0, "halves": [["x"], ["x"]]}, "two groups"),
        ({"rates": DAMPED, "dt": 1.0, "halves": HALVES}, "of its own half"),
    ],
)
def test_what_is_no_motion_is_told(arguments, words):
    with pytest.raises(ValueError, match=words):
        keras_ndm.MotionLayer(**arguments)


def test_other_shapes_are_told():
    with pytest.raises(ValueError, match=r"states .batch, 2"):
        keras_ndm.MotionLayer(PENDULUM, dt=1.0)(np.ones((2, 3)))


def test_other_shapes_are_told_after_a_first_call():
    """States of another width would be cut out of the rows beside them."""
    layer = keras_ndm.MotionLayer(PENDULUM, dt=1.0)
    layer(np.ones((4, 2), "float32"))
    for shape in ((4, 4), (4, 1), (8,)):
        with pytest.raises(ValueError, match=r"states .batch, 2"):
            layer(np.ones(shape, "float32"))
