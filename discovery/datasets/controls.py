"""Negative controls: dissipative systems without any conserved quantity."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import in_box
from discovery.datasets.system import System, register

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

damped_duffing = System(
    name="damped_duffing",
    doc="Double well with friction 0.2: every run ends in one of the wells.",
    equations="q' = p, p' = q - q**3 - 0.2*p",
    source="J. Guckenheimer and P. Holmes, Nonlinear Oscillations (1983), §2.2",
    names=("q", "p"),
    roles=("position", "momentum"),
    flow=lambda q, p: (p, q - q**3 - 0.2 * p),
    sample=lambda rng, n: in_box(rng, n, (-2, 2), (-1.5, 1.5)),
    dt=0.1,
    laws={},
    count=0,
)

rossler = System(
    name="rossler",
    doc="Chaotic spiral, a = b = 0.2, c = 5.7; runs start around the attractor.",
    equations="x' = -y - z, y' = x + 0.2*y, z' = 0.2 + z*(x - 5.7)",
    source="O. E. Rössler, Phys. Lett. A 57, 397 (1976)",
    names=("x", "y", "z"),
    roles=("other",) * 3,
    flow=lambda x, y, z: (-y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)),
    sample=lambda rng, n: in_box(rng, n, (-7, 7), (-7, 7), (0, 2)),
    dt=0.1,
    laws={},
    count=0,
)

abc_flow = System(
    name="abc_flow",
    doc="Streamlines of the Arnold-Beltrami-Childress flow, A² = 3, B² = 2, C² = 1, from anywhere "
    "in the periodic box: chaotic, with some regular tubes.",
    equations="x' = sqrt(3)*sin(z) + cos(y), y' = sqrt(2)*sin(x) + sqrt(3)*cos(z), "
    "z' = sin(y) + sqrt(2)*cos(x)",
    source="T. Dombre et al., J. Fluid Mech. 167, 353 (1986)",
    names=("x", "y", "z"),
    roles=("angle",) * 3,
    flow=lambda x, y, z: (
        np.sqrt(3) * np.sin(z) + np.cos(y),
        np.sqrt(2) * np.sin(x) + np.sqrt(3) * np.cos(z),
        np.sin(y) + np.sqrt(2) * np.cos(x),
    ),
    sample=lambda rng, n: in_box(rng, n, *[(-np.pi, np.pi)] * 3),
    dt=0.1,
    laws={},
    count=0,
)

register(lorenz, van_der_pol, damped_pendulum, damped_oscillator, damped_duffing, rossler, abc_flow)
