"""Curvature, training steps and geodesics on CPU and GPU under JAX, in one run.

    KERAS_BACKEND=jax python benchmarks/gpu.py
    … --quick                                                        # small sizes, a minute

Each row is compiled once for each device and called until `--budget` seconds have passed, at most
thirty times; the time is the median, without compilation and with data that are on the device
already. Without a GPU the column stays empty. JAX may multiply single-precision matrices on a GPU
with fewer digits; JAX_DEFAULT_MATMUL_PRECISION=highest forbids that.
"""

import argparse
import os
import time

import numpy as np

CORES = len(os.sched_getaffinity(0))
# All of these are read when Keras and JAX are imported, which happens in `main`.
os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The number of JAX's threads. jaxlib 0.10 solves a batch of triangular systems on the same threads
# that wait for the solution: with two of them, a training step on a large batch never ended.
os.environ.setdefault("NPROC", str(max(CORES, 16)))

LEAST, MOST = 3, 30  # calls that are timed


def measured(case, device, budget):
    """Milliseconds of a call on `device`, and its result as one flat array."""
    import jax
    import keras

    double = case.dtype == "float64"
    with jax.default_device(device), jax.enable_x64(double):
        keras.config.set_floatx(case.dtype)
        keras.config.set_dtype_policy(case.dtype)
        keras.utils.set_random_seed(0)
        function, arguments = case.make()
        arguments = jax.device_put(arguments, device)
        compiled = jax.jit(function)
        result = jax.block_until_ready(compiled(*arguments))
        result = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(result)])
        times, end = [], time.perf_counter() + budget
        while len(times) < LEAST or (len(times) < MOST and time.perf_counter() < end):
            begun = time.perf_counter()
            jax.block_until_ready(compiled(*arguments))
            times.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(times)), result


def difference(result, reference):
    """Relative difference |a − b| / |b| of two flat arrays."""
    return float(np.linalg.norm(result - reference) / np.linalg.norm(reference))


def table(cases, cpu, gpu, budget):
    """Print a row for each case; give the differences between the devices, by number type."""
    print("| what | size | CPU ms | GPU ms | ratio |\n|---|---|---|---|---|", flush=True)
    differences = {}
    for case in cases:
        slow, reference = measured(case, cpu, budget)
        if not np.all(np.isfinite(reference)):
            raise FloatingPointError(f"{case.what}, {case.size}: not finite on the CPU")
        row = f"| {case.what} | {case.size} | {slow:.2f} |"
        if gpu is None:
            print(f"{row}  |  |", flush=True)
            continue
        try:
            fast, result = measured(case, gpu, budget)
        except Exception as error:  # one row that fails must not hide the others
            print(
                f"{row} {type(error).__name__}: {str(error).splitlines()[0][:90]} |  |", flush=True
            )
            continue
        print(f"{row} {fast:.2f} | {slow / fast:.1f} |", flush=True)
        differences.setdefault(case.dtype, []).append((difference(result, reference), case))
    return differences


def main():
    """Print the devices and the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--budget", type=float, default=1.0, help="seconds of calls for a number")
    options = parser.parse_args()
    begun = time.perf_counter()
    # Here, so that --help needs no JAX.
    import jax
    import keras
    from gpu_cases import cases

    cpu = jax.devices("cpu")[0]
    try:
        gpu = jax.devices("gpu")[0]
    except RuntimeError:
        gpu = None
    precision = jax.config.jax_default_matmul_precision or "default"
    print(f"CPU: {cpu.device_kind}, {CORES} cores; GPU: {gpu.device_kind if gpu else 'none'}")
    print(f"JAX {jax.__version__}, Keras {keras.__version__}; matrix products: {precision}\n")
    if gpu is None:
        print("JAX finds no GPU here, so that column is empty.\n")
    differences = table(cases(options.quick), cpu, gpu, options.budget)
    print()
    for dtype, found in differences.items():
        largest, case = max(found, key=lambda pair: pair[0])
        print(
            f"Results differ between the devices by at most {largest:.1e} (relative, {dtype}; "
            f"{case.what}, {case.size})."
        )
    print(f"All in all {time.perf_counter() - begun:.0f} s, compilation included.")


if __name__ == "__main__":
    main()
