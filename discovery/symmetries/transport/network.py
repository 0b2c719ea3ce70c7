"""Points joined by edges along which Killing fields are carried, and the loops that these close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csgraph, csr_matrix
from scipy.spatial import cKDTree

from discovery.criteria import SYMMETRIES
from discovery.symmetries.geometry import curvature
from discovery.symmetries.geometry.metric_at_points import MetricField
from discovery.symmetries.geometry.sources import ExactMetric
from discovery.symmetries.transport.edges import transport

# Edges from each point.
_NEIGHBOURS = 5


def over_spread(points: np.ndarray) -> np.ndarray:
    """Return points from their mean, each coordinate over its spread."""
    spread = points.std(axis=0)
    return (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


@dataclass(frozen=True)
class Frames:
    """Orthonormal frames at points: (ξ/ℓ, ω) in them against components in coordinates.

    Attributes
    ----------
    down : (A, m, m) array
        From the frame to (ξ_k, ω_jk with j < k).
    up : (A, m, m) array
        Its inverse.
    """

    down: np.ndarray
    up: np.ndarray

    @classmethod
    def of(cls, local: MetricField, points: np.ndarray, geometry: MetricField) -> Frames:
        """Return frames at some of the points.

        Parameters
        ----------
        local : MetricField
            At the points of the frames.
        points : (N, n) array
            All points, which tell the size ℓ of the region.
        geometry : MetricField
            At all points.
        """
        units = curvature.pairs(points.shape[1])
        length = curvature.region_size(geometry.metric, points)
        down = _blocks(np.linalg.cholesky(local.metric), units, length)
        return cls(down, np.linalg.inv(down))

    def take(self, rows: Sequence[int]) -> Frames:
        """Return the frames at some of the points."""
        return Frames(self.down[rows], self.up[rows])

    @property
    def size(self) -> int:
        """Number m of unknowns."""
        return self.down.shape[1]


@dataclass(frozen=True)
class Network:
    """Edges between points with what transport along them does, in the frames at their ends.

    Attributes
    ----------
    base : int
        Where the spanning tree begins.
    carried : (A, m, m) array
        Transport from the base along the tree; zeros where it does not reach.
    reached : (A,) array of bool
    edges, matrices : (E, 2) array of int, (E, m, m) array
        Those that are not in the tree.
    """

    base: int
    carried: np.ndarray
    reached: np.ndarray
    edges: np.ndarray
    matrices: np.ndarray

    @classmethod
    def of(
        cls, metric: ExactMetric, anchors: np.ndarray, frames: Frames, allowed: float
    ) -> Network | None:
        """Join points by edges.

        Parameters
        ----------
        metric : callable or FormulaMetric
        anchors : (A, n) array
            The points.
        frames : Frames
            At the points.
        allowed : float
            Largest error of an edge.

        Returns
        -------
        Network or None
            None where edges reach too few of the points.
        """
        edges, base = _edges(anchors)
        plain, error = transport(metric, anchors[edges[:, 0]], anchors[edges[:, 1]], allowed)
        matrices = frames.up[edges[:, 1]] @ plain @ frames.down[edges[:, 0]]
        fine = error <= allowed
        edges, matrices = edges[fine], matrices[fine]
        count = len(anchors)
        index = csr_matrix((np.arange(1, len(edges) + 1), edges.T), shape=(count, count))
        order, before = csgraph.breadth_first_order(index, base, directed=False)
        if len(order) < SYMMETRIES.reached * count:
            return None
        carried = np.zeros((count, frames.size, frames.size))
        carried[base] = np.eye(frames.size)
        of_tree = np.zeros(len(edges), dtype=bool)
        for here in order[1:]:
            parent = before[here]
            forward = index[parent, here]
            which = (forward or index[here, parent]) - 1
            step = matrices[which] if forward else np.linalg.inv(matrices[which])
            carried[here] = step @ carried[parent]
            of_tree[which] = True
        reached = np.isin(np.arange(count), order)
        closing = ~of_tree & reached[edges].all(axis=1)
        return cls(base, carried, reached, edges[closing], matrices[closing])

    def loops(self) -> np.ndarray:
        """Return rows (E·m, m): what each further edge changes of initial values at the base."""
        start, end = self.edges.T
        change = self.matrices @ self.carried[start] - self.carried[end]
        return change.reshape(-1, self.carried.shape[1]) / np.sqrt(max(len(change), 1))


def _edges(anchors: np.ndarray) -> tuple[np.ndarray, int]:
    """Return edges (E, 2) to near points, with those that join all, and the middle point."""
    scaled = over_spread(anchors)
    base = int(np.argmin(np.sum(scaled**2, axis=1)))
    near = min(_NEIGHBOURS + 1, len(anchors))
    _, index = cKDTree(scaled).query(scaled, k=near)
    index = index.reshape(len(anchors), near)
    pairs = [(i, j) for i, row in enumerate(index) for j in row if i != j]
    distance = np.linalg.norm(scaled[:, None] - scaled, axis=2) + 1e-12
    tree = csgraph.minimum_spanning_tree(distance).tocoo()
    pairs += list(zip(tree.row, tree.col, strict=True))
    edges = np.unique(np.sort(np.array(pairs).reshape(-1, 2), axis=1), axis=0)
    return edges, base


def _blocks(factor: np.ndarray, pairs: np.ndarray, length: float) -> np.ndarray:
    """Return (A, m, m): (ξ/ℓ, ω) in orthonormal frames to (ξ_k, ω_jk), g = factor factorᵀ."""
    count, n, _ = factor.shape
    size = n + len(pairs)
    down = np.zeros((count, size, size))
    down[:, :n, :n] = length * factor
    if len(pairs):
        upper = np.triu_indices(n, 1)
        turned = np.einsum("bja,pac,bkc->bjkp", factor, pairs, factor)
        down[:, n:, n:] = turned[:, upper[0], upper[1]]
    return down
