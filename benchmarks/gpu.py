"""The tables of `benchmarks/curvature.py` and steps of `NaturalGradient` on a GPU, under JAX.

    KERAS_BACKEND=jax python benchmarks/gpu.py

Says so in a sentence, and does nothing else, where there is no GPU.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"


def main():
    """Print the tables, or why not."""
    try:
        import jax

        gpus = jax.devices("gpu")
    except (ImportError, RuntimeError) as error:
        print(f"No GPU is at hand under JAX, so there is nothing to measure ({error}).")
        return
    import curvature
    import keras
    import optimizers

    print(f"GPU: {gpus[0].device_kind}")
    # Double precision is what the agreement is measured in; times are in single precision.
    jax.config.update("jax_enable_x64", True)
    curvature.against_nested((4, 5, 6, 8))
    curvature.training_step(curvature.STEPS, batch=4096)
    for dtype in ("float32", "float64"):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        for width in (68, 400):
            optimizers.step_against_gradient(width)


if __name__ == "__main__":
    sys.exit(main())
