"""Your own Keras model with a geometry in it, trained with fit, and laws read off it.

The model predicts the next state of a rigid body (Euler's equations). Two layers make it a
manifold: CoordinateLayer gives it coordinates, MetricLayer a metric, which the likelihood teaches
to be the precision of the noise in each place.
"""

import keras
import numpy as np

import discovery
import keras_ndm

keras.utils.set_random_seed(0)
runs = discovery.datasets.load("rigid_body", n_trajectories=60, n_steps=150, noise=0.02, seed=0)
now = runs.states[:, :-1].reshape(-1, runs.dim)
following = runs.states[:, 1:].reshape(-1, runs.dim)

# Any functional model will do. This one: a residual step in standardized coordinates.
x = keras.Input((runs.dim,))
chart = keras_ndm.CoordinateLayer("standardize")
chart.adapt(now)
z = chart(x)
h = keras.layers.Dense(64, activation="tanh")(z)
h = keras.layers.Dense(64, activation="tanh")(h)
step = keras.layers.Dense(runs.dim, kernel_initializer="zeros")(h)
mean = keras.layers.Add()([x, step])

# The metric g(z); EvolutionLayer adds its penalty (here: an even volume) to the model's loss.
g = keras_ndm.EvolutionLayer(keras_ndm.MetricLayer(), volume_weight=1e-3)(z)

# ManifoldModel trains prediction and metric together; its loss is the Gaussian likelihood.
model = keras_ndm.ManifoldModel(inputs=x, outputs=mean, metric=g)
model.compile(keras.optimizers.Adam(3e-3), jit_compile=True)
model.fit(now, following, batch_size=512, epochs=40, verbose=2)

noise = np.sqrt(np.diagonal(keras_ndm.manifold_of(model).noise_covariance(now), axis1=1, axis2=2))
print("noise that the metric learned:", noise.mean(axis=0).round(4))
print("noise that was added:         ", (0.02 * runs.rows.std(axis=0)).round(4), "\n")

report = discovery.discover(runs, model=model, random_state=0)
print(report)
