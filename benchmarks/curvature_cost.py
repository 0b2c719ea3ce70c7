"""What curvature costs, against nested differentiation and against the plain training step.

    KERAS_BACKEND=tensorflow python benchmarks/curvature_cost.py          # or KERAS_BACKEND=jax
    … --quick                                                        # small sizes, a few seconds

Every ratio is between times taken in the same run.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

import keras_ndm
from keras_ndm import MetricLayer
from keras_ndm.geometry import curvature

POINTS = 100


def best(function, repeats=5, budget=20.0):
    """Shortest time of a call, after one to warm up; at most `budget` seconds in all."""
    function()
    times, end = [], time.perf_counter() + budget
    while len(times) < repeats and time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) if times else float("nan")


def loss_and_gradient(loss, variables, model=None, xla=True):
    """Compile loss, with what the model's layers add, and its gradient on the backend in use.

    With XLA, as Keras' `fit` does by default on both backends.
    """
    if keras.config.backend() == "jax":
        import jax

        def pure(values):
            mapping = list(zip(variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
                value = loss()
            return sum(scope.losses, start=value)

        values = [v.value for v in variables]
        compiled = jax.jit(jax.value_and_grad(pure)).lower(values).compile()
        step = lambda: jax.block_until_ready(compiled(values))  # noqa: E731
        step.megabytes = compiled.memory_analysis().temp_size_in_bytes / 1e6
        return step
    import tensorflow as tf

    @tf.function(autograph=False, jit_compile=xla)
    def both():
        with tf.GradientTape() as tape:
            value = loss()
            value = sum(model.losses, start=value) if model is not None else value
        return value, tape.gradient(value, [v.value for v in variables])

    step = lambda: [t.numpy() for t in both()[1] if t is not None]  # noqa: E731
    step.megabytes = float("nan")  # TensorFlow does not tell what a compiled function allocates
    return step


def nested_scalar(metric, z):
    """Ricci scalar by nested differentiation of the metric as TensorFlow or JAX users write it."""
    n = z.shape[-1]
    if keras.config.backend() == "jax":
        import jax

        one = lambda x: metric(x[None])[0]  # noqa: E731
        dg = jax.vmap(jax.jacfwd(one))(z)
        ddg = jax.vmap(jax.jacfwd(jax.jacfwd(one)))(z)
    else:
        import tensorflow as tf

        with tf.GradientTape() as outer:
            outer.watch(z)
            with tf.GradientTape() as inner:
                inner.watch(z)
                g = metric(z)
            dg = inner.batch_jacobian(g, z)
        ddg = outer.batch_jacobian(dg, z)
    dg = ops.transpose(dg, (0, 3, 1, 2))
    ddg = ops.transpose(ddg, (0, 4, 3, 1, 2))
    return curvature.scalar_from(metric(z), ops.reshape(dg, (-1, n, n, n)), ddg)


def against_nested(sizes):
    """Loss E[R²] and its gradient, 3 × 64 network, 100 points."""
    print(
        f"\nLoss and gradient of E[R²], 3 × 64 network, {POINTS} points ({keras.config.backend()})"
    )
    print(
        f"{'n':>3} {'jets ms':>9} {'nested ms':>10} {'ratio':>7} "
        f"{'largest difference, float64':>28}"
    )
    for n in sizes:
        jets, nested = both_ways(n)
        ours, theirs = best(jets), best(nested, repeats=3)
        print(
            f"{n:>3} {1e3 * ours:>9.1f} {1e3 * theirs:>10.1f} {theirs / ours:>7.1f} "
            f"{difference(n):>28.1e}",
            flush=True,
        )


def both_ways(n):
    """Give the compiled loss and gradient, by jets and by nested differentiation."""
    layer = MetricLayer(hidden=(64, 64, 64), floor=0.1)
    z = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(POINTS, n)), "float32")
    layer(z)
    variables = layer.trainable_variables
    jets = loss_and_gradient(lambda: ops.mean(layer.scalar_curvature(z) ** 2), variables)
    # TensorFlow cannot differentiate nested batch_jacobian under XLA (LookupError: no gradient
    # for XlaDynamicUpdateSlice), so there it is a plain tf.function.
    nested = loss_and_gradient(
        lambda: ops.mean(nested_scalar(layer.call, z) ** 2), variables, xla=False
    )
    return jets, nested


def difference(n):
    """Largest relative difference of R between jets and nested differentiation in float64."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        layer = MetricLayer(hidden=(64, 64, 64), floor=0.1, dtype="float64")
        z = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(20, n)), "float64")
        layer(z)
        for dense in layer.network[:-1]:
            dense.activation = keras_ndm.geometry.activations.get("softplus")
        ours, theirs = layer.scalar_curvature(z), nested_scalar(layer.call, z)
        ours, theirs = ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs)
        return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
    finally:
        keras.config.set_floatx(before)


def training_step(sizes, batch=256):
    """Time a step with both penalties against that of the same model without them."""
    print(f"\nTraining step, batch {batch}: regression through a model of width max(128, 2n)")
    print(
        f"{'n':>4} {'head':>10} {'curvature':>10} {'plain ms':>9} {'with ms':>8} {'ratio':>6} "
        f"{'MB':>7}"
    )
    for n, head in sizes:
        exact = n <= 8
        steps = [step_of(n, head, exact, penalties, batch) for penalties in (False, True)]
        times = [best(step) for step in steps]
        memory = steps[1].megabytes
        kind = "exact" if exact else "stochastic"
        print(
            f"{n:>4} {head:>10} {kind:>10} {1e3 * times[0]:>9.1f} {1e3 * times[1]:>8.1f} "
            f"{times[1] / times[0]:>6.2f} {memory:>7.1f}",
            flush=True,
        )


def step_of(n, head, exact, penalties, batch):
    """Give the compiled loss and gradient of one row of the table."""
    width = max(128, 2 * n)
    rng = np.random.default_rng(0)
    x = ops.convert_to_tensor(rng.normal(size=(batch, n)), "float32")
    kind = keras_ndm.metric_heads.LowRank(4) if head == "low_rank" else head
    weight = 1e-6 if penalties else 0.0
    estimator = "exact" if exact else "stochastic"
    # Past n = 8 the curvature is taken on an eighth of the batch: unbiased all the same.
    layer = keras_ndm.EvolutionLayer(
        MetricLayer(kind),
        weight,
        weight,
        estimator=estimator,
        share=1.0 if exact else 0.125,
        returns="input",
    )
    inputs = keras.Input((n,))
    hidden = layer(inputs)
    for _ in range(3):
        hidden = keras.layers.Dense(width, activation="tanh")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(n)(hidden))

    def loss():
        return ops.mean((model(x, training=False) - x) ** 2)

    return loss_and_gradient(loss, model.trainable_variables, model)


STEPS = [
    (2, "cholesky"),
    (4, "cholesky"),
    (8, "cholesky"),
    (8, "diagonal"),
    (32, "low_rank"),
    (64, "low_rank"),
    (128, "low_rank"),
    (256, "low_rank"),
    (256, "diagonal"),
    (512, "low_rank"),
    (512, "diagonal"),
]


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    quick = parser.parse_args().quick
    if keras.config.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    sizes = (3,) if quick else (4, 5, 6)
    against_nested(sizes)
    training_step(STEPS[:2] if quick else STEPS)


if __name__ == "__main__":
    main()
