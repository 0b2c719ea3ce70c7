"""Populations with conservation laws."""

import numpy as np

from discovery.datasets.sampling import in_box, rejection
from discovery.datasets.system import System


def _lotka_volterra_law(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x - np.log(x) + 4 / 3 * y - 2 / 3 * np.log(y)


# The law's least value, at the fixed point (1, 1/2).
_LEAST = float(_lotka_volterra_law(1.0, 0.5))

lotka_volterra = System(
    name="lotka_volterra",
    doc="Prey x and predators y, rates α = 2/3, β = 4/3, γ = δ = 1. Cycles of moderate size, so "
    "that neither population comes close to nothing.",
    equations="x' = 2/3*x - 4/3*x*y, y' = x*y - y",
    source="V. Volterra, Nature 118, 558 (1926)",
    names=("x", "y"),
    roles=("amount", "amount"),
    flow=lambda x, y: (2 / 3 * x - 4 / 3 * x * y, x * y - y),
    sample=lambda rng, n: rejection(
        rng,
        n,
        lambda rng, m: in_box(rng, m, (0.3, 2.4), (0.1, 1.4)),
        lambda s: (
            (_lotka_volterra_law(*s.T) > _LEAST + 0.02)
            & (_lotka_volterra_law(*s.T) < _LEAST + 0.45)
        ),
    ),
    dt=0.2,
    laws={"V": _lotka_volterra_law},
    count=1,
)

SYSTEMS = (lotka_volterra,)
