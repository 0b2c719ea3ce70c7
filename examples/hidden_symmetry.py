"""The hidden symmetry of Kepler's problem: from a metric and a potential to so(4).

Rotations of space are symmetries that one sees. Kepler's problem has more: its Killing tensors
with their potentials are the components of the Laplace–Runge–Lenz vector, whose Poisson brackets
with the angular momentum close to so(4) on bound orbits and to so(3,1) on unbound ones.

    python examples/hidden_symmetry.py [picture.png]

Half a minute on two cores.
"""

import argparse

import matplotlib
import numpy as np
import sympy
from keras import ops

from discovery import KillingTensorFinder, SymmetryFinder, datasets, noether

matplotlib.use("Agg")
import matplotlib.pyplot as plt

NAMES = ("x", "y", "z")
STATE = ("x", "y", "z", "p_x", "p_y", "p_z")
V = sympy.Symbol("V", real=True)
COLORS = ("tab:blue", "tab:orange", "tab:green", "tab:red")
ROLES = ("position",) * 3 + ("momentum",) * 3


def flat(x):
    """Kinetic energy of a unit mass."""
    return ops.eye(3, dtype=x.dtype) + 0 * x[:, :1, None]


def attraction(x):
    """Potential −1/r."""
    return -1 / ops.sqrt(ops.sum(x**2, axis=-1))


def find(points):
    """Read the symmetries of space, and the hidden ones, off metric and potential."""
    rotations = SymmetryFinder(metric=flat, potential=attraction, random_state=0).fit(points)
    hidden = KillingTensorFinder(metric=flat, potential=attraction, random_state=0).fit(points)
    print(f"{rotations.n_symmetries_} symmetries of space:")
    for symmetry in rotations.symmetries_:
        print("   ", symmetry)
    print(f"{hidden.n_irreducible_} hidden ones:")
    for tensor in hidden.tensors_:
        print("   ", tensor)
    return rotations, hidden


def as_functions(rotations, hidden):
    """Give the energy, and what each symmetry conserves, as formulas on phase space."""
    x, p = (sympy.Matrix(sympy.symbols(names, real=True)) for names in (STATE[:3], STATE[3:]))
    potential = -1 / sympy.sqrt(x.dot(x))
    linear = [sympy.Matrix(s.components).dot(p) for s in rotations.symmetries_]
    quadratic = [t.expression.subs(V, potential) for t in hidden.tensors_]
    return p.dot(p) / 2 + potential, linear, quadratic


def main(target):
    """Find, name, check on simulated orbits, and draw."""
    runs = datasets.load("kepler_3d", n_trajectories=40, n_steps=240, seed=1)
    states = np.asarray(runs.states)
    rotations, hidden = find(runs.rows[::16, :3])
    energy, linear, quadratic = as_functions(rotations, hidden)

    quantities = [energy, *linear, *quadratic]
    bound = noether.pair(quantities, STATE, ROLES, states=runs.rows)
    fast = runs.rows * [1, 1, 1, 2.5, 2.5, 2.5]
    unbound = noether.pair(quantities, STATE, ROLES, states=fast)
    print(f"algebra beside the energy: {bound.algebra} if bound, {unbound.algebra} if unbound")
    for quantity, symmetry in zip(quantities, bound.symmetries, strict=True):
        print(f"    {quantity}  ↔  {symmetry}")

    symbols = sympy.symbols(STATE, real=True)
    vector = sympy.lambdify(symbols, quadratic)
    along = np.stack(vector(*np.moveaxis(states, -1, 0)), axis=-1)
    drift = np.std(along, axis=1).max() / np.std(along)
    print(f"largest drift of the hidden quantities along {len(states)} orbits: {drift:.1e}")

    # Each tensor's potential is V times the coordinate whose component of the vector it is.
    order = [str(t.potential.coeff(V)) for t in hidden.tensors_]
    vectors = along[..., [order.index(name) for name in NAMES]]
    eccentric = np.argsort(-np.linalg.norm(vectors[:, 0], axis=1))[:4]
    figure = plt.figure(figsize=(11, 4.5))
    space = figure.add_subplot(1, 2, 1, projection="3d")
    plot = figure.add_subplot(1, 2, 2)
    for run, color in zip(eccentric, COLORS, strict=True):
        space.plot(*states[run, :, :3].T, color=color, linewidth=1)
        space.quiver(0, 0, 0, *vectors[run, ::40].T, color=color, linewidth=2)
        plot.plot(runs.times[run], vectors[run, :, 0], color=color)
        plot.plot(runs.times[run], states[run, :, 3], color=color, linestyle=":", linewidth=0.8)
    space.scatter(0, 0, 0, color="k", s=15)
    space.set_title("four orbits; arrows: the vector at six times of each")
    space.set(xlabel="x", ylabel="y", zlabel="z")
    plot.set(xlabel="time", ylabel="value")
    plot.set_title("its first component (lines), the momentum p_x (dots)")
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    print("picture:", target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "picture", nargs="?", default="hidden_symmetry.png", help="where it is written"
    )
    main(parser.parse_args().picture)
