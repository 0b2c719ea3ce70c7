"""Training of networks whose derivatives are candidate fields."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from discovery.libraries.monomials import symbols_of
from discovery.symmetries import lie_operators
from discovery.symmetries.candidates.network_fields import NetworkFields
from discovery.symmetries.problem import Prepared

# Hidden units, steps of the descent at most, and points that it sees.
_WIDTH, _STEPS, _POINTS = 16, 60, 200
# ε in turn: first all fields get nearer, then those that can become symmetries.
_FLOORS = (1e-2, 1e-4, 1e-6, 1e-8)


def train(prepared: Prepared) -> NetworkFields:
    """Train the hidden units on the points that fields are found on."""
    n = prepared.points.shape[1]
    symbols, rows = symbols_of(prepared.names), prepared.fit[:_POINTS]
    points, geometry = prepared.points[rows], prepared.geometry.take(rows)
    start = NetworkFields(symbols, prepared.roles, prepared.points, np.zeros((_WIDTH, 1)))
    rng = np.random.default_rng(prepared.rng.integers(2**31))
    start.weights = rng.normal(size=(_WIDTH, start.width + 1))
    most = n * (n + 1) // 2

    def objective(flat: np.ndarray, floor: float) -> tuple[float, np.ndarray]:
        network = start.with_weights(flat)
        here, along = (
            lie_operators.lie_operators(f, points, geometry, prepared.keeps, prepared.with_metric)
            for f in (network, network.tangents())
        )
        defects, vectors = lie_operators.spectrum(here)
        defects, vectors = defects[:most], vectors[:, :most]
        hidden = vectors.reshape(-1, n, vectors.shape[1])[1 + network.width :]
        total = np.zeros((_WIDTH, network.width + 1))
        sides = ((here.numerator(), along.numerator()), (here.denominator(), along.denominator()))
        for (own, other), factor in zip(sides, (1.0, -(defects**2)), strict=True):
            moved = (other.T @ (own @ vectors)).reshape(_WIDTH, -1, n, vectors.shape[1])
            weight = 2 * factor / (defects**2 + floor)
            total += np.einsum("hfnk,hnk,k->hf", moved, hidden, weight)
        return float(np.sum(np.log(defects**2 + floor))), total.ravel()

    flat, options = start.weights.ravel(), {"maxiter": _STEPS}
    for floor in _FLOORS:
        flat = optimize.minimize(
            objective, flat, args=(floor,), jac=True, method="L-BFGS-B", options=options
        ).x
    return start.with_weights(flat)
