"""The kernel of the sample space, made and factored a panel at a time."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ndm.optimizers.natural_gradient.fisher.layer_blocks import DenseBlock
from keras_ndm.optimizers.natural_gradient.fisher.sample_kernel import Kernel

pytestmark = pytest.mark.usefixtures("float64")


BLOCKS = {  # positions, seeds, width, units: by pairs of positions, and by rows
    "dense": (1, 1, 6, 5),
    "columns": (1, 3, 6, 5),
    "positions": (2, 2, 40, 30),
    "rows": (3, 2, 4, 3),
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.slow_on_jax
def test_kernel_by_panels(name, rng):
    """Several panels: (K + λ) c = b as NumPy solves it, with K from the rows."""
    positions, count, width, units = BLOCKS[name]
    samples = 300
    inputs = rng.normal(size=(positions, samples, width))
    deltas = rng.normal(size=(positions, count, samples, units))
    biased = (True, False, True)[:positions]
    tensors = [ops.convert_to_tensor(t) for t in (inputs, deltas)]
    variables = [keras.Variable(np.zeros((width, units))), keras.Variable(np.zeros(units))]
    kernel = Kernel([DenseBlock(*variables, *tensors, biased)])
    rows = np.einsum("tni,tanj->anij", inputs, deltas).reshape(count * samples, -1)
    biases = np.einsum("t,tanj->anj", np.array(biased, float), deltas)
    rows = np.concatenate([rows, biases.reshape(count * samples, -1)], 1)
    right = rng.normal(size=(count, samples))
    damped = rows @ rows.T + 0.5 * np.eye(count * samples)
    expected = np.linalg.solve(damped, np.ravel(right))
    found = ops.convert_to_numpy(kernel.solve(ops.convert_to_tensor(right), 0.5))
    np.testing.assert_allclose(np.ravel(found), expected, atol=1e-9)
    assert float(kernel.trace_bound()) >= (1 - 1e-12) * np.trace(rows @ rows.T)
