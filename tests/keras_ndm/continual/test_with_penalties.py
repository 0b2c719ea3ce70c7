"""A prior beside penalties of a layer: both are in the loss, and both in the logs."""

import keras
import numpy as np
import pytest

import keras_ndm


@pytest.mark.slow_on_jax
def test_penalties_are_counted_beside_the_past():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 2)).astype("float32")
    inputs = keras.Input((2,))
    metric = keras_ndm.MetricLayer(hidden=(4,))
    evolution = keras_ndm.EvolutionLayer(metric, curvature_weight=0.0, volume_weight=1.0)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(evolution(inputs))))
    # Nothing moves, so the mean over batches of unlike size is the same in every fit.
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x *= np.repeat([3.0, 1.0, 0.3, 0.1], 8).astype("float32")[:, None]
    prior = keras_ndm.ContinualPrior()
    logs = []
    for _ in range(3):
        fit = model.fit(x, x, batch_size=8, shuffle=False, callbacks=[prior], verbose=0)
        logs.append({name: values[-1] for name, values in fit.history.items()})
        prior.consolidate(x, x)
    assert logs[0]["continual_penalty"] == 0 < logs[0]["volume"]
    assert logs[1]["volume"] == pytest.approx(logs[0]["volume"], rel=1e-3)
    assert logs[2]["volume"] == pytest.approx(logs[0]["volume"], rel=1e-3)
