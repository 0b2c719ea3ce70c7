"""Geodesics between two points, beside L-BFGS on the same energy with the same gradients.

    KERAS_BACKEND=tensorflow python benchmarks/geodesics.py          # or KERAS_BACKEND=jax

50 pairs of points, 32 segments, metrics of random networks with mild and strong weights.
Milliseconds a pair after the first call, which compiles; L-BFGS takes five of the pairs.
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
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


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--strength", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--pairs", type=int, default=PAIRS)
    options = parser.parse_args()
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
