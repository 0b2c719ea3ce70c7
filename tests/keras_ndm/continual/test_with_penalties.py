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
    model.compile("adam", "mse")
    prior = keras_ndm.ContinualPrior()
    seen = []
    for _ in range(3):
        history = model.fit(x, x, callbacks=[prior], verbose=0).history
        seen.append({name for name in history if "volume" in name or "continual" in name})
        prior.consolidate(x, x)
    assert seen[0] and seen[0] <= seen[1] == seen[2]
    assert "continual_penalty" in seen[1]
