"""Geodesics between two points, beside L-BFGS on the same energy with the same gradients.

    KERAS_BACKEND=tensorflow python benchmarks/geodesics.py          # or KERAS_BACKEND=jax

50 pairs of points, 32 segments, metrics of random networks with mild and strong weights.
Milliseconds a pair after the first call, which compiles; L-BFGS takes five of the pairs.

    KERAS_BACKEND=jax python benchmarks/geodesics.py --diffrax

Instead: 2000 geodesics of the unit sphere from their start, a length of 1 with 32 samples and an
error of 1e-8, in double precision, by `geometry.Geodesics` and by diffrax on the same metric (needs
`pip install diffrax`), with the error of their ends.
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops
from scipy.optimize import minimize

import keras_ndm
from keras_ndm.geometry.connecting import segment_terms
from keras_ndm.rowwise import Rows

PAIRS, SEGMENTS = 50, 32


def network(dimension, strength, rng):
    """A metric of random weights."""
    layer = keras_ndm.MetricLayer(hidden=(32, 32))
    layer(np.zeros((1, dimension), "float32"))
    for variable in layer.trainable_variables:
        if variable.ndim == 2:
            scale = strength / np.sqrt(variable.shape[0])
            variable.assign(scale * rng.normal(size=variable.shape))
    return layer


def by_lbfgs(layer, a, b):
    """Lengths (batch,) of the paths that SciPy's L-BFGS-B finds, each pair on its own."""
    terms = Rows(segment_terms(layer, newton=False), layer.variables)
    share = np.linspace(0, 1, SEGMENTS + 1)[:, None]

    def lengths(x):
        return np.sqrt(terms((x[1:] + x[:-1]) / 2, np.diff(x, axis=0))[0]).sum()

    found = []
    for start, end in zip(a, b, strict=True):
        path = start * (1 - share) + end * share

        def energy(inner, path=path):
            path[1:-1] = inner.reshape(-1, path.shape[1])
            squares, along, turn, _ = terms((path[1:] + path[:-1]) / 2, np.diff(path, axis=0))
            slope = along[:-1] - along[1:] + (turn[:-1] + turn[1:]) / 4
            return squares.sum() / 2, slope.ravel()

        minimize(energy, path[1:-1].ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
        found.append(lengths(path))
    return np.array(found)


def row(dimension, strength, pairs):
    """Print one line of the table."""
    rng = np.random.default_rng(dimension)
    layer = network(dimension, strength, rng)
    a, b = rng.normal(size=(2, pairs, dimension))
    start = time.perf_counter()
    found = keras_ndm.geometry.connect(layer, a, b, SEGMENTS)
    first = time.perf_counter() - start
    start = time.perf_counter()
    found = keras_ndm.geometry.connect(layer, a, b, SEGMENTS)
    ours = (time.perf_counter() - start) * 1000 / pairs
    start = time.perf_counter()
    few = min(5, pairs)
    other = by_lbfgs(layer, a[:few], b[:few])
    theirs = (time.perf_counter() - start) * 1000 / few
    straight = keras_ndm.geometry.connecting.Paths(
        Rows(segment_terms(layer), layer.variables), a, b, SEGMENTS
    )
    line = np.sqrt(straight.now[0]).sum(axis=1)
    cells = [
        f"{dimension} | {strength:g} | {first:.1f} s | {ours:.2f}",
        f"{found.converged.sum()} of {pairs} | {np.mean(found.length / line):.3f}",
        f"{theirs:.1f} | {np.max(other / found.length[:few]):.4f}",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def sphere(z):
    """Metric of the unit sphere in (polar angle, azimuth)."""
    ones = ops.ones_like(z[:, 0])
    return ops.stack([ones, ops.sin(z[:, 0]) ** 2], axis=1)[:, :, None] * ops.eye(2, dtype=z.dtype)


def on_sphere(z, v):
    """Points of the sphere in space, and velocities there."""
    (s, c), (sp, cp) = ((np.sin(angle), np.cos(angle)) for angle in z.T)
    place = np.stack([s * cp, s * sp, c], axis=1)
    along = np.stack([c * cp, c * sp, -s], axis=1) * v[:, :1]
    return place, along + np.stack([-s * sp, s * cp, 0 * s], axis=1) * v[:, 1:]


def by_diffrax(start, velocity, tolerance):
    """Ends (batch, 2) by Dormand and Prince's method with diffrax' step control."""
    import diffrax
    import jax
    import jax.numpy as jnp

    def metric(z):
        return jnp.diag(jnp.stack([1.0, jnp.sin(z[0]) ** 2]))

    def rate(t, state, _):
        z, v = state
        slope = jax.jacfwd(metric)(z)  # [i, j, k] = ∂_k g_ij
        force = jnp.einsum("ijk,j,k->i", slope, v, v) - jnp.einsum("jki,j,k->i", slope, v, v) / 2
        return v, -jnp.linalg.solve(metric(z), force)

    @jax.jit
    @jax.vmap
    def follow(z, v):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(rate), diffrax.Dopri5(), 0.0, 1.0, 1.0 / 32, (z, v),
            saveat=diffrax.SaveAt(ts=jnp.linspace(0.0, 1.0, 33)), max_steps=None,
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
        ).ys[0][-1]  # fmt: skip

    return lambda: np.asarray(follow(start, velocity))


def beside_diffrax(count=2000, tolerance=1e-8):
    """Print what 2000 geodesics take, at first and again, and how far off they end."""
    import jax

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(0)
    start = np.stack([rng.uniform(1.1, 2.0, count), rng.uniform(-3, 3, count)], axis=1)
    turn = rng.uniform(-np.pi, np.pi, count)
    velocity = np.stack([np.cos(turn), np.sin(turn) / np.sin(start[:, 0])], axis=1)
    place, along = on_sphere(start, velocity)
    truth = np.cos(1.0) * place + np.sin(1.0) * along
    geodesics = keras_ndm.geometry.Geodesics(sphere, 32, tolerance=tolerance)
    ours = lambda: np.asarray(geodesics(start, velocity)[0][-1])  # noqa: E731
    print("| 2000 geodesics of the sphere at 1e-8 | first call, s | again, s | error |")
    print("|---|---|---|---|")
    for name, follow in (
        ("keras_ndm", ours),
        ("diffrax", by_diffrax(start, velocity, tolerance)),
    ):
        times = []
        for _ in range(4):
            begin = time.perf_counter()
            ends = follow()
            times.append(time.perf_counter() - begin)
        error = np.abs(on_sphere(ends, velocity)[0] - truth).max()
        print(f"| {name} | {times[0]:.2f} | {min(times[1:]):.3f} | {error:.1e} |", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--strength", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--diffrax", action="store_true")
    options = parser.parse_args()
    if options.diffrax:
        if keras.config.backend() != "jax":
            parser.error("--diffrax needs KERAS_BACKEND=jax")
        return beside_diffrax()
    warnings.simplefilter("ignore", RuntimeWarning)
    print(
        "| d | weights | first call | ms a pair | converged | length over straight | "
        "L-BFGS, ms a pair | its length over ours, at most |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for strength in options.strength:
        for dimension in options.dimensions:
            row(dimension, strength, options.pairs)


if __name__ == "__main__":
    main()
