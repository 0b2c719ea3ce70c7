"""Symmetries of learned metrics, and algebras of conserved quantities.

Prints one row a task as it is done:

    python benchmarks/recovered_symmetries.py dimension  # 10 geometries at 0, 1 and 3 % noise
    python benchmarks/recovered_symmetries.py dimension --only bumpy --noise 0.01 --seeds 10
    python benchmarks/recovered_symmetries.py algebra    # so(4), su(3) by Poisson brackets
    python benchmarks/recovered_symmetries.py data       # so(4) and su(3) from runs, by discover
"""

import argparse
import time

import keras
import numpy as np
import sympy
from keras import ops

from discovery import (
    ConservedQuantityFinder,
    SymmetryFinder,
    algebra,
    datasets,
    discover,
    noether,
)
from keras_ndm import LagrangianManifold, geometry

ANGLES = ("angle", "angle")
CIRCLE = (-np.pi, np.pi)


def diagonal(*columns):
    """Give diag(columns) at each point."""
    n = len(columns)
    zero = ops.zeros_like(columns[0])
    rows = [ops.stack([columns[i] if i == j else zero for j in range(n)], -1) for i in range(n)]
    return ops.stack(rows, -2)


def conformal(x, factor):
    """Give a multiple of the identity at each point."""
    return factor[:, None, None] * ops.eye(x.shape[-1], dtype=x.dtype)


def induced(*tangents):
    """Give the metric of an embedding from its tangent vectors."""

    def dot(u, v):
        return sum(a * b for a, b in zip(u, v, strict=True))

    return ops.stack([ops.stack([dot(u, v) for v in tangents], -1) for u in tangents], -2)


def sphere(x):
    """Give the unit sphere's metric, any dimension, stereographic."""
    return conformal(x, 4 / (1 + ops.sum(x**2, -1)) ** 2)


def ellipsoid(a, b, c):
    """Give the metric of an ellipsoid in angles from the pole and round it."""

    def metric(x):
        s, k = ops.sin(x[:, 0]), ops.cos(x[:, 0])
        sp, cp = ops.sin(x[:, 1]), ops.cos(x[:, 1])
        return induced((a * k * cp, b * k * sp, -c * s), (-a * s * sp, b * s * cp, 0 * s))

    return metric


def bumpy(x):
    """Give the metric of a sheet without symmetry."""
    u, v = x[:, 0], x[:, 1]
    one, zero = ops.ones_like(u), ops.zeros_like(u)
    hu = 0.5 * (1.3 * ops.cos(1.3 * u + 0.4) * ops.sin(0.9 * v) + 0.4 * u)
    hv = 0.5 * (0.9 * ops.sin(1.3 * u + 0.4) * ops.cos(0.9 * v) - 0.3 * v)
    return induced((one, zero, hu), (zero, one, hv))


def torus(x):
    """Give the metric of a torus with radii 2 and 1, in its angles."""
    return diagonal(ops.ones_like(x[:, 0]), (2 + ops.cos(x[:, 0])) ** 2)


def product(x):
    """Give the metric of S² × R."""
    factor = 4 / (1 + x[:, 0] ** 2 + x[:, 1] ** 2) ** 2
    return diagonal(factor, factor, ops.ones_like(factor))


# name: metric, box of the coordinates, roles, dimension of the symmetry space
GEOMETRIES = {
    "sphere": (sphere, [(-1, 1)] * 2, None, 3),
    "hyperbolic": (
        lambda x: conformal(x, 4 / (1 - ops.sum(x**2, -1)) ** 2),
        [(-0.55, 0.55)] * 2,
        None,
        3,
    ),
    "plane": (lambda x: conformal(x, ops.ones_like(x[:, 0])), [(-1, 1)] * 2, None, 3),
    "flat_torus": (
        lambda x: diagonal(ops.ones_like(x[:, 0]), 2 * ops.ones_like(x[:, 0])),
        [CIRCLE] * 2,
        ANGLES,
        2,
    ),
    "torus": (torus, [CIRCLE] * 2, ANGLES, 1),
    "ellipsoid_of_revolution": (ellipsoid(1, 1, 1.5), [(0.5, 2.6), CIRCLE], ANGLES, 1),
    "triaxial_ellipsoid": (ellipsoid(1, 1.3, 1.7), [(0.5, 2.6), CIRCLE], ANGLES, 0),
    "bumpy": (bumpy, [(-1, 1)] * 2, None, 0),
    "three_sphere": (sphere, [(-1, 1)] * 3, None, 6),
    "S2xR": (product, [(-1, 1)] * 3, None, 4),
}


def free_motion(name, n, noise, rng):
    """States and noisy accelerations of free particles; noise relative to the spread of each."""
    metric, box, *_ = GEOMETRIES[name]
    low, high = np.array(box).T
    q = rng.uniform(low, high, (n, len(box)))

    def tied(x):  # TensorFlow finds no derivative of a constant; this adds one that is zero
        return metric(x) + 0.0 * x[:, :1, None]

    tensor = ops.convert_to_tensor(q)
    g, christoffel = (
        ops.convert_to_numpy(part) for part in (tied(tensor), geometry.christoffel(tied, tensor))
    )
    v = np.einsum("nij,nj->ni", np.linalg.cholesky(np.linalg.inv(g)), rng.normal(size=q.shape))
    a = -np.einsum("nkij,ni,nj->nk", christoffel, v, v)
    spread = np.maximum(a.std(axis=0), 0.1)  # free motion in flat charts has none of its own
    return q, v, a + noise * spread * rng.normal(size=a.shape)


def dimension(options):
    """Train a metric from accelerations and count its Killing fields."""
    print("| geometry | true | noise | seed | found | confidence | last of them, next | s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.only or GEOMETRIES:
        _, box, roles, true = GEOMETRIES[name]
        low, high = np.array(box).T
        for noise in options.noise:
            for seed in range(options.seeds):
                begin = time.time()
                rng = np.random.default_rng(seed)
                q, v, a = free_motion(name, options.samples, noise, rng)
                keras.utils.set_random_seed(seed)
                angles = tuple(i for i, role in enumerate(roles or ()) if role == "angle")
                model = LagrangianManifold(angles=angles, hidden=options.hidden, potential=False)
                model.polish((q, v), a, iterations=options.iterations)
                points = rng.uniform(low, high, (500, len(box)))
                finder = SymmetryFinder(metric=model, roles=roles, random_state=seed).fit(points)
                k = finder.n_symmetries_
                last = f"{finder.spectrum_[k - 1]:.4f}" if k else "–"
                print(
                    f"| {name} | {true} | {noise:.0%} | {seed} | {k}{'' if k == true else ' ✗'} | "
                    f"{finder.confidence_:.2f} | {last}, {finder.spectrum_[k]:.3f} | "
                    f"{time.time() - begin:.0f} |",
                    flush=True,
                )
                if options.formulas:
                    for symmetry in finder.symmetries_:
                        print(f"    {symmetry}", flush=True)
                    if k:
                        print(
                            f"    {algebra.of_symmetries(finder.symmetries_, points)}", flush=True
                        )


R = "sqrt(x**2 + y**2 + z**2)"
L = ["y*pz - z*py", "z*px - x*pz", "x*py - y*px"]
LRL = [
    f"py*({L[2]}) - pz*({L[1]}) - x/{R}",
    f"pz*({L[0]}) - px*({L[2]}) - y/{R}",
    f"px*({L[1]}) - py*({L[0]}) - z/{R}",
]
KEPLER = [f"(px**2 + py**2 + pz**2)/2 - 1/{R}", *L, *LRL]
OSCILLATOR = ["(px**2 + x**2)/2", "(py**2 + y**2)/2", "(pz**2 + z**2)/2", *L[:2]]
SPACE = ("x", "y", "z", "px", "py", "pz")
CANONICAL = ("position",) * 3 + ("momentum",) * 3


def brackets(options):
    """Poisson algebras from the exact conserved quantities; the spread of Killing eigenvalues."""
    del options
    print(
        "| system | algebra | generators | closure | relative spread of Killing eigenvalues | s |"
    )
    print("|---|---|---|---|---|---|")
    for title, quantities in (("Kepler, bound", KEPLER), ("oscillator", OSCILLATOR)):
        begin = time.time()
        pairing = noether.pair(quantities, SPACE, CANONICAL)
        span = time.time() - begin
        spread, closure = killing_spread(pairing.generators, quantities is KEPLER)
        print(
            f"| {title} | {pairing.algebra} | {len(pairing.generators)} | {closure:.1e} | "
            f"{spread:.1e} | {span:.1f} |",
            flush=True,
        )


def from_data(options):
    """The same algebras from runs alone: their laws, then the laws' brackets."""
    print("| system | noise | by | laws | algebra | spread of Killing eigenvalues | s |")
    print("|---|---|---|---|---|---|---|")
    rename = sympy.symbols(SPACE, real=True)
    for name in ("kepler_3d", "isotropic_oscillator_3d"):
        for noise in options.noise:
            for way, analyse in (("finder", by_finder), ("discover", by_model)):
                runs = datasets.load(name, 60, 150, noise=noise)
                begin = time.time()
                report = analyse(runs)
                laws = [q.expression for q in report.quantities[: report.n_conserved]]
                new = dict(zip(report.names, rename, strict=True))
                laws = [law.subs({s: new[str(s)] for s in law.free_symbols}) for law in laws]
                pairing = noether.pair(laws, SPACE, CANONICAL, np.asarray(runs.rows))
                span = time.time() - begin
                spread = "–"
                if pairing.algebra in ("so(4)", "su(3)"):
                    spread = f"{killing_spread(pairing.generators, name == 'kepler_3d')[0]:.1e}"
                print(
                    f"| {name} | {noise:.0%} | {way} | {report.n_conserved} | "
                    f"{pairing.algebra} | {spread} | {span:.0f} |",
                    flush=True,
                )


def by_finder(runs):
    """Find laws without a model."""
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    finder.fit(runs.rows, groups=runs.groups, times=runs.row_times)
    return finder.report_


def by_model(runs):
    """Find laws with a manifold trained first."""
    return discover(runs, random_state=0, verbose=False)


def killing_spread(generators, kepler):
    """Spread of the eigenvalues of the Killing form, in normalized combinations of generators.

    In such as L, A/√(−2H) for Kepler, for which so(4) has constants ±1, and those orthonormal in
    the trace form of u(3) for the oscillator, all eigenvalues are equal. Each is replaced by the
    combination of the generators that comes nearest to it: what these get wrong makes a spread.
    """
    symbols = sympy.symbols(SPACE, real=True)
    local = dict(zip(SPACE, symbols, strict=True))
    rng = np.random.default_rng(0)
    states = rng.normal(scale=0.7, size=(4000, 6))
    if kepler:
        energy, *rest = [sympy.sympify(q, locals=local) for q in KEPLER]
        values = evaluate([energy], symbols, states)[:, 0]
        size = np.linalg.norm(states[:, :3], axis=1)
        states = states[(values < -0.2) & (size > 0.4)][:400]
        energy, *rest = nearest([energy, *rest], generators, symbols, states)
        unit = sympy.sqrt(-2 * energy)
        basis = rest[:3] + [a / unit for a in rest[3:]]
    else:
        x, p = sympy.Matrix(symbols[:3]), sympy.Matrix(symbols[3:])
        fradkin = (p * p.T + x * x.T) / 2
        turn = x * p.T - p * x.T
        basis = [2 * fradkin[0, 1], 2 * fradkin[0, 2], 2 * fradkin[1, 2]]
        basis += [turn[0, 1], turn[0, 2], turn[1, 2], fradkin[0, 0] - fradkin[1, 1]]
        basis += [(fradkin[0, 0] + fradkin[1, 1] - 2 * fradkin[2, 2]) / sympy.sqrt(3)]
        states = states[:400]
        basis = nearest(basis, generators, symbols, states)
    slopes = evaluate([h.diff(s) for h in basis for s in symbols], symbols, states)
    poisson = np.kron([[0.0, 1.0], [-1.0, 0.0]], np.eye(3))
    fitted = algebra.of_functions(
        evaluate(basis, symbols, states),
        slopes.reshape(len(states), len(basis), len(symbols)),
        poisson[None],
    )
    eigenvalues = np.linalg.eigvalsh(fitted.killing_form)
    return float(np.ptp(eigenvalues) / np.abs(eigenvalues.mean())), fitted.closure


def evaluate(expressions, symbols, states):
    """Give the values (N, k) of expressions at states (N, 6)."""
    columns = sympy.lambdify(symbols, list(expressions), cse=True)(*states.T)
    return np.stack(np.broadcast_arrays(states[:, 0], *columns)[1:], axis=1)


def nearest(functions, generators, symbols, states):
    """Give the combinations of generators that come nearest to functions at states."""
    own = evaluate(generators, symbols, states)
    wanted = evaluate(functions, symbols, states)
    found = np.linalg.lstsq(own, wanted, rcond=1e-10)[0]
    found[np.abs(found) < 1e-12] = 0.0
    return [sympy.Add(*(c * g for c, g in zip(row, generators, strict=True))) for row in found.T]


TASKS = {"dimension": dimension, "algebra": brackets, "data": from_data}


def main():
    """Run a task."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("--only", nargs="*", choices=list(GEOMETRIES))
    parser.add_argument("--noise", nargs="*", type=float, default=[0.0, 0.01, 0.03])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--hidden", nargs="*", type=int, default=[16, 16])
    parser.add_argument("--formulas", action="store_true")
    options = parser.parse_args()
    TASKS[options.task](options)


if __name__ == "__main__":
    main()
