"""Negative controls: dissipative systems without any conserved quantity."""

import numpy as np

from discovery.datasets.sampling import in_box
from discovery.datasets.system import System

lorenz = System(
    name="lorenz",
    doc="Convection model on its chaotic attractor, σ = 10, ρ = 28, β = 8/3; runs start around "
    "the attractor.",
    equations="x' = 10*(y - x), y' = x*(28 - z) - y, z' = x*y - 8/3*z",
    source="E. N. Lorenz, J. Atmos. Sci. 20, 130 (1963)",
    names=("x", "y", "z"),
    roles=("other",) * 3,
    flow=lambda x, y, z: (10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z),
    sample=lambda rng, n: in_box(rng, n, (-15, 15), (-15, 15), (10, 40)),
    dt=0.025,
    laws={},
    count=0,
)

van_der_pol = System(
    name="van_der_pol",
    doc="Self-excited oscillator with μ = 1: every run ends on the same limit cycle.",
    equations="x' = v, v' = (1 - x**2)*v - x",
    source="B. van der Pol, Phil. Mag. 2, 978 (1926)",
    names=("x", "v"),
    roles=("position", "velocity"),
    flow=lambda x, v: (v, (1 - x**2) * v - x),
    sample=lambda rng, n: in_box(rng, n, (-3, 3), (-3, 3)),
    dt=0.1,
    laws={},
    count=0,
)

damped_pendulum = System(
    name="damped_pendulum",
    doc="Plane pendulum with friction 0.15; swings of any size and some full turns.",
    equations="theta' = omega, omega' = -sin(theta) - 0.15*omega",
    source="S. H. Strogatz, Nonlinear Dynamics and Chaos (1994), §6.7",
    names=("theta", "omega"),
    roles=("angle", "angular_velocity"),
    flow=lambda theta, omega: (omega, -np.sin(theta) - 0.15 * omega),
    sample=lambda rng, n: in_box(rng, n, (-np.pi, np.pi), (-2.5, 2.5)),
    dt=0.1,
    laws={},
    count=0,
)

damped_oscillator = System(
    name="damped_oscillator",
    doc="Unit mass on a unit spring with friction 0.1.",
    equations="q' = p, p' = -q - 0.1*p",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §25",
    names=("q", "p"),
    roles=("position", "momentum"),
    flow=lambda q, p: (p, -q - 0.1 * p),
    sample=lambda rng, n: in_box(rng, n, (-2, 2), (-2, 2)),
    dt=0.15,
    laws={},
    count=0,
)

SYSTEMS = (lorenz, van_der_pol, damped_pendulum, damped_oscillator)
