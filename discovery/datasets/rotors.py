"""Rigid bodies."""

from __future__ import annotations

from discovery.datasets.initial_states import directions
from discovery.datasets.system import System, register

rigid_body = System(
    name="rigid_body",
    doc="Free asymmetric top, moments of inertia 1, 2, 3, in body axes. Rates 0.8 to 2 in every "
    "direction.",
    equations="omega1' = -omega2*omega3, omega2' = omega3*omega1, omega3' = -omega1*omega2/3",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §36 and §37",
    names=("omega1", "omega2", "omega3"),
    roles=("angular_velocity",) * 3,
    flow=lambda w1, w2, w3: (-w2 * w3, w3 * w1, -w1 * w2 / 3),
    sample=lambda rng, n: rng.uniform(0.8, 2.0, (n, 1)) * directions(rng, n, 3),
    dt=0.15,
    laws={
        "E": lambda w1, w2, w3: (w1**2 + 2 * w2**2 + 3 * w3**2) / 2,
        "L2": lambda w1, w2, w3: w1**2 + 4 * w2**2 + 9 * w3**2,
    },
    count=2,
)

register(rigid_body)
