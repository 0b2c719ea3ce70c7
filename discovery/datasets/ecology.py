"""Populations and reactions with conservation laws."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import in_box, rejection
from discovery.datasets.system import System, register


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

rock_paper_scissors = System(
    name="rock_paper_scissors",
    doc="Three species, each eating the next; populations 0.25 to 1, so that cycles stay well away "
    "from extinction.",
    equations="x' = x*(y - z), y' = y*(z - x), z' = z*(x - y)",
    source="Y. Itoh, Proc. Japan Acad. 47, 854 (1971)",
    names=("x", "y", "z"),
    roles=("amount",) * 3,
    flow=lambda x, y, z: (x * (y - z), y * (z - x), z * (x - y)),
    sample=lambda rng, n: in_box(rng, n, (0.25, 1.0), (0.25, 1.0), (0.25, 1.0)),
    dt=0.15,
    laws={"total": lambda x, y, z: x + y + z, "product": lambda x, y, z: x * y * z},
    count=2,
)

epidemic = System(
    name="epidemic",
    doc="Susceptible, infectious and removed, β = 1, γ = 1/2; populations of different size, and "
    "outbreaks at different stages.",
    equations="s' = -s*i, i' = s*i - i/2, r' = i/2",
    source="W. O. Kermack and A. G. McKendrick, Proc. R. Soc. A 115, 700 (1927)",
    names=("s", "i", "r"),
    roles=("amount",) * 3,
    flow=lambda s, i, r: (-s * i, s * i - i / 2, i / 2),
    sample=lambda rng, n: in_box(rng, n, (0.5, 1.1), (0.05, 0.4), (0.1, 0.5)),
    dt=0.05,
    laws={
        "total": lambda s, i, r: s + i + r,
        "V": lambda s, i, r: s + i - np.log(s) / 2,
    },
    count=2,
)

enzyme = System(
    name="enzyme",
    doc="Michaelis-Menten kinetics: substrate s, enzyme e, complex c, product p, k1 = 1 and "
    "k-1 = k2 = 1/2, from mixtures of all four.",
    equations="s' = -s*e + c/2, e' = -s*e + c, c' = s*e - c, p' = c/2",
    source="L. Michaelis and M. L. Menten, Biochem. Z. 49, 333 (1913)",
    names=("s", "e", "c", "p"),
    roles=("amount",) * 4,
    flow=lambda s, e, c, p: (-s * e + c / 2, -s * e + c, s * e - c, c / 2),
    sample=lambda rng, n: in_box(rng, n, (0.3, 2.0), (0.2, 1.0), (0.0, 0.6), (0.0, 1.0)),
    dt=0.05,
    laws={
        "enzyme": lambda s, e, c, p: e + c,
        "substrate": lambda s, e, c, p: s + c + p,
    },
    count=2,
)

register(lotka_volterra, rock_paper_scissors, epidemic, enzyme)
