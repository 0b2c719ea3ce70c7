"""A compiled function on any number of rows."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ndm.rowwise import Rows


@pytest.mark.parametrize("n", [1, 70, 4096, 5000])
def test_chunks_and_padding_leave_no_trace(n):
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    rows = Rows(lambda x, y: (layer(x), ops.sum(x, axis=-1) * y), layer.variables)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=n).astype("float32")
    for _ in range(2):  # the second time with other weights
        mapped, product = rows(x, y)
        kernel, bias = layer.get_weights()
        np.testing.assert_allclose(mapped, x @ kernel + bias, atol=1e-5)
        np.testing.assert_allclose(product, x.sum(axis=1) * y, atol=1e-5)
        layer.set_weights([2.0 * kernel, bias + 1.0])
    assert mapped.dtype == product.dtype == np.float64
