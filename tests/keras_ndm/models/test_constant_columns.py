"""A column that does not vary, or not but for rounding, spoils nothing."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm
from keras_ndm.user_data import rows_of, varies

JITTER = 1.0 + 6e-8 * np.arange(-2, 3)[np.arange(400) % 5]


def with_column(column, n=400):
    x = np.random.default_rng(0).normal(size=(n, 2))
    return np.column_stack([x, np.broadcast_to(column, n)]).astype("float32")


@pytest.mark.parametrize(
    "column", [0.0, 9.81, -1e6, 9.81 * JITTER], ids=["0", "g", "far", "jitter"]
)
@pytest.mark.parametrize(
    "chart",
    ["standardize", "actnorm", ["standardize", "actnorm"], ["linear", "standardize"]],
    ids=str,
)
def test_charts_keep_its_scale(chart, column):
    layer = keras_ndm.CoordinateLayer(chart)
    x = with_column(column)
    layer.adapt(x)
    slopes = np.diagonal(ops.convert_to_numpy(layer.jacobian(x[:1]))[0])
    assert slopes[2] == 1.0
    assert np.abs(ops.convert_to_numpy(layer(x))[:, :2].std(axis=0) - 1).max() < 1e-3


def test_a_small_spread_on_a_large_offset_is_a_spread():
    x = with_column(1e3 + 0.1 * np.random.default_rng(1).normal(size=400))
    layer = keras_ndm.CoordinateLayer()
    layer.adapt(x)
    assert ops.convert_to_numpy(layer(x))[:, 2].std() == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("head", ["cholesky", "diagonal", "constant"])
@pytest.mark.parametrize("unknown", [np.inf, np.nan, 0.0, 1e20])
def test_first_metric_of_others_is_not_spoilt(head, unknown):
    layer = keras_ndm.MetricLayer(head)
    x = np.zeros((1, 3), "float32")
    layer(x)
    layer.initialize_at([4.0, 9.0, unknown])
    g = np.diagonal(ops.convert_to_numpy(layer(x))[0])
    np.testing.assert_allclose(g[:2], [4.0, 9.0], rtol=0.15)
    assert np.isfinite(g).all()


def test_likelihood_leaves_it_out():
    """The others' covariance is what it is without the column, and the column's state is kept."""
    keras.utils.set_random_seed(0)
    x = with_column(5.0)
    y = x + np.float32([0.1, 0.1, 0.0]) * np.random.default_rng(1).normal(size=x.shape)
    model = keras_ndm.NeuralDifferentialManifold(hidden=(4,))
    model.adapt(x, y.astype("float32"))
    mean, covariance = (ops.convert_to_numpy(a) for a in model.moments(ops.convert_to_tensor(x)))
    np.testing.assert_array_equal(mean[:, 2], x[:, 2])
    np.testing.assert_array_equal(covariance[:, 2], np.broadcast_to([0.0, 0.0, 1.0], (400, 3)))
    np.testing.assert_allclose(covariance[:, 0, 0], 0.01, rtol=0.2)


def test_rows_of_data_sets():
    x = with_column(1.0, 20)

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return x[4 * index : 4 * index + 4], None

    np.testing.assert_array_equal(rows_of(Batches()), x)
    np.testing.assert_array_equal(rows_of(x.reshape(4, 5, 3)), x)
    with pytest.raises(ValueError, match="more than once"):
        rows_of(batch for batch in [x])
    with pytest.raises(ValueError, match="1 values that are not finite"):
        rows_of([[1.0, np.inf]])


def test_what_varies_is_told_in_its_precision():
    column = 9.81 * JITTER[:, None]
    assert not varies(column.std(axis=0), column, "float32")[0]
    assert varies(column.std(axis=0), column, "float64")[0]
