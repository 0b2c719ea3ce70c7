"""Symmetries of models in general: of outputs, flows and steps, with and without a metric."""

import keras
import numpy as np
import pytest
from keras import ops

from discovery import SymmetryFinder
from discovery.symmetries.conditions import Flow, Output, Step

POINTS = np.random.default_rng(0).uniform(-1, 1, (400, 2))


def radius(x):
    return ops.sum(x**2, axis=-1)


def turning(x):
    """A limit cycle, round the origin."""
    pull = 1 - ops.sum(x**2, axis=-1, keepdims=True)
    return ops.stack([-x[:, 1], x[:, 0]], axis=-1) + pull * x


def skew(x):
    return ops.stack([x[:, 1], -x[:, 0] - x[:, 0] ** 3 + 0.3 * x[:, 1] ** 2 + 0.2], axis=-1)


def plane(x):
    return ops.eye(2, dtype=x.dtype) + 0 * x[:, :1, None]


def found(keeps, **options):
    options = {"library": "affine", "random_state": 0, **options}
    finder = SymmetryFinder(keeps=keeps, **options).fit(POINTS)
    return [s.expression for s in finder.symmetries_]


def test_fields_that_keep_an_output():
    assert found(Output(radius)) == ["-y ∂x + x ∂y"]
    assert found(Output(lambda x: x[:, 0] ** 3 + 2 * x[:, 1] ** 2)) == []
    both = Output(lambda x: ops.stack([radius(x), radius(x) ** 2], axis=-1))
    assert found(both) == ["-y ∂x + x ∂y"]


def test_fields_that_commute_with_a_flow():
    assert found(Flow(turning)) == ["-y ∂x + x ∂y"]
    assert found(Flow(skew)) == []
    linear = found(Flow(lambda x: ops.stack([-x[:, 1], x[:, 0]], axis=-1)))
    assert set(linear) == {"-y ∂x + x ∂y", "x ∂x + y ∂y"}


def test_fields_that_commute_with_a_step():
    assert found(Step(lambda x: x + 0.2 * turning(x))) == ["-y ∂x + x ∂y"]
    assert found(Step(lambda x: x + 0.2 * skew(x))) == []


def test_conditions_beside_a_metric():
    assert len(found((), metric=plane)) == 3
    assert found([Output(radius)], metric=plane) == ["-y ∂x + x ∂y"]
    assert found([Flow(skew)], metric=plane) == []


def test_a_fitted_network_that_has_a_symmetry():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(32, "tanh"),
            keras.layers.Dense(32, "tanh"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-2), loss="mse")
    x = np.random.default_rng(1).uniform(-1, 1, (2000, 2))
    model.fit(x, np.sum(x**2, axis=1), epochs=60, batch_size=200, verbose=0)
    finder = SymmetryFinder(keeps=Output(model), library="affine", tolerance=0.1, random_state=0)
    assert finder.fit(0.8 * POINTS).n_symmetries_ == 1
    rotation = finder.symmetries_[0](np.array([[1.0, 0.0], [0.0, 1.0]]))
    rotation = rotation / rotation[0, 1]
    np.testing.assert_allclose(rotation, [[0.0, 1.0], [-1.0, 0.0]], atol=0.1)


@pytest.mark.parametrize(
    ("keeps", "message"),
    [
        (radius, "must hold"),
        ([Output(radius), 3], "must hold"),
        (Output, "must hold"),
        (Output(lambda x: 1.0), "must map"),
        (Output(lambda x: 0 * radius(x) + 2), "constant"),
        (Output(lambda x: radius(x) / 0.0), "finite"),
        (Flow(radius), "one a coordinate"),
        (Flow(lambda x: 0 * x), "vanishes"),
        (Step(lambda x: x), "moves no point"),
    ],
)
def test_conditions_that_make_no_sense(keeps, message):
    with pytest.raises(ValueError, match=message):
        found(keeps)
