"""Symmetries of three surfaces, read off metrics that were learned from noisy accelerations.

Free particles move on a sphere, a torus and a bumpy sheet. All that is given are their coordinates,
velocities and accelerations with 1 % noise; the coordinates are not those in which the symmetries
look simple. A `LagrangianManifold` learns the metric, a `SymmetryFinder` its Killing fields, and
each is drawn on the surface. The bumpy sheet has none, and none is found.

    python examples/killing_fields.py [picture.png]

About a minute on two cores.
"""

import argparse

import keras
import matplotlib
import numpy as np

from discovery import SymmetryFinder, algebra
from keras_ndm import LagrangianManifold

matplotlib.use("Agg")
import matplotlib.pyplot as plt

NOISE = 0.01


def sphere(u, v):
    """Stereographic coordinates of the unit sphere."""
    s = 1 + u**2 + v**2
    return np.stack([2 * u / s, 2 * v / s, (1 - u**2 - v**2) / s], axis=-1)


def torus(u, v):
    """Angles round the tube and round the axis; radii 1 and 2."""
    ring = 2 + np.cos(u)
    return np.stack([ring * np.cos(v), ring * np.sin(v), np.sin(u)], axis=-1)


def bumpy(u, v):
    """A sheet without any symmetry."""
    return np.stack(
        [u, v, 0.5 * np.sin(1.3 * u + 0.4) * np.sin(0.9 * v + 0.3) + 0.2 * u**2], axis=-1
    )


SURFACES = {
    "sphere": (sphere, 1.0, None),
    "torus": (torus, np.pi, ("angle", "angle")),
    "bumpy sheet": (bumpy, 1.0, None),
}


def tangents(surface, q, h=1e-4):
    """First (n, 2, 3) and second (n, 2, 2, 3) derivatives of a surface by central differences."""
    units = h * np.eye(2)

    def at(shift):
        return surface(*(q + shift).T)

    first = np.stack([(at(e) - at(-e)) / (2 * h) for e in units], axis=1)
    second = [[at(a + b) - at(a - b) - at(b - a) + at(-a - b) for b in units] for a in units]
    return first, np.stack([np.stack(row, axis=1) for row in second], axis=1) / (4 * h**2)


def free_motion(surface, size, n, rng):
    """Coordinates, velocities and noisy accelerations of free particles on a surface."""
    q = rng.uniform(-size, size, (n, 2))
    first, second = tangents(surface, q)
    metric = np.einsum("nik,njk->nij", first, first)
    root = np.linalg.cholesky(np.linalg.inv(metric))
    v = np.einsum("nij,nj->ni", root, rng.normal(size=(n, 2)))
    # The acceleration in space is normal to the surface: its tangential part vanishes.
    bend = np.einsum("nijk,ni,nj,nlk->nl", second, v, v, first)
    a = -np.linalg.solve(metric, bend[:, :, None])[:, :, 0]
    return q, v, a + NOISE * a.std(axis=0) * rng.normal(size=a.shape)


def draw(axis, surface, size, field, title):
    """Draw a surface with a field's arrows."""
    grid = np.meshgrid(*[np.linspace(-size, size, 61)] * 2, indexing="ij")
    x, y, z = np.moveaxis(surface(*grid), -1, 0)
    axis.plot_surface(x, y, z, color="0.85", edgecolor="none", alpha=0.6, shade=True)
    q = np.stack(np.meshgrid(*[np.linspace(-0.9 * size, 0.9 * size, 10)] * 2), -1).reshape(-1, 2)
    if field is not None:
        first, _ = tangents(surface, q)
        arrows = np.einsum("ni,nik->nk", field(q), first)
        arrows *= 0.25 * np.ptp(surface(*q.T)) / 2 / np.abs(arrows).max()
        axis.quiver(*surface(*q.T).T, *arrows.T, color="tab:blue", linewidth=1.2)
    axis.set_title(title, fontsize=9)
    axis.set_box_aspect(np.ptp(np.stack([x, y, z]), axis=(1, 2)))
    axis.set_axis_off()


def main(target):
    """Learn, find, print and draw."""
    rng = np.random.default_rng(0)
    figure = plt.figure(figsize=(11, 9))
    for row, (name, (surface, size, roles)) in enumerate(SURFACES.items()):
        keras.utils.set_random_seed(0)
        q, v, a = free_motion(surface, size, 2048, rng)
        angles = tuple(range(2)) if roles else ()
        model = LagrangianManifold(angles=angles, hidden=(16, 16), potential=False)
        model.polish((q, v), a)

        points = rng.uniform(-size, size, (400, 2))
        finder = SymmetryFinder(metric=model, names=("u", "v"), roles=roles, random_state=0)
        finder.fit(points)
        print(f"{name}: {finder.n_symmetries_} symmetries", flush=True)
        print("    smallest defects:", np.array2string(finder.spectrum_[:5], precision=4))
        for symmetry in finder.symmetries_:
            print("   ", symmetry)
        if finder.symmetries_:
            print("    algebra", algebra.of_symmetries(finder.symmetries_, points))
        fields = [(s, s.expression) for s in finder.symmetries_]
        fields = fields or [(None, f"no symmetry: smallest defect {finder.spectrum_[0]:.2f}")]
        for column, (field, title) in enumerate(fields[:3]):
            axis = figure.add_subplot(3, 3, 3 * row + column + 1, projection="3d")
            draw(axis, surface, size, field, f"{name}\n{title}")
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    print("picture:", target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "picture", nargs="?", default="killing_fields.png", help="where it is written"
    )
    main(parser.parse_args().picture)
