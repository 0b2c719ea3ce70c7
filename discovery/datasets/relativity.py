"""Free fall about black holes, in units with G = c = 1 and mass 1, over proper time."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import in_box, rejection, signs
from discovery.datasets.system import System, register

# Charge squared of the hole; the falling body has none.
_CHARGE2 = 0.37
# Angular momentum of the turning hole, over its mass squared.
_SPIN = 0.73


def _lapse(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f(r) = 1 − 2/r + Q²/r² and its slope."""
    return 1 - 2 / r + _CHARGE2 / r**2, 2 / r**2 - 2 * _CHARGE2 / r**3


def _squared_energy(r: np.ndarray, p: np.ndarray, spin: np.ndarray) -> np.ndarray:
    f, _ = _lapse(r)
    return f * (1 + f * p**2 + spin**2 / r**2)


def _charged_flow(r: np.ndarray, phi: np.ndarray, p: np.ndarray, spin: np.ndarray) -> tuple:
    f, slope = _lapse(r)
    energy2 = _squared_energy(r, p, spin)
    pull = spin**2 / r**3 - slope * p**2 / 2 - energy2 * slope / (2 * f**2)
    return f * p, spin / r**2, pull, 0 * spin


def _charged_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw orbits near circular ones, either sense."""
    r, phi = rng.uniform(9, 14, n), rng.uniform(-3, 3, n)
    circular = r * np.sqrt((r - _CHARGE2) / (r**2 - 3 * r + 2 * _CHARGE2))
    spin = signs(rng, n) * circular * rng.uniform(0.97, 1.06, n)
    return np.stack([r, phi, rng.uniform(-0.03, 0.03, n), spin], axis=1)


reissner_nordstrom = System(
    name="reissner_nordstrom",
    doc="Bound orbits in the plane of a charged black hole, Q² = 0.37, from r = 9 to 14.",
    equations="r' = f*p, phi' = L/r**2, p' = L**2/r**3 - f_r*p**2/2 - E**2*f_r/(2*f**2), L' = 0, "
    "f = 1 - 2/r + 0.37/r**2, E**2 = f*(1 + f*p**2 + L**2/r**2)",
    source="S. Chandrasekhar, The Mathematical Theory of Black Holes (1983), §40",
    names=("r", "phi", "p", "L"),
    roles=("position", "angle", "momentum", "momentum"),
    flow=_charged_flow,
    sample=_charged_states,
    dt=2.0,
    laws={
        "E2": lambda r, phi, p, spin: _squared_energy(r, p, spin),
        "L": lambda r, phi, p, spin: spin,
    },
    count=2,
)


def _radial(r: np.ndarray, energy: np.ndarray, spin: np.ndarray) -> tuple:
    """Return Δ, P = (r² + a²) E − a L and R(r) less Carter's constant times Δ."""
    delta = r**2 - 2 * r + _SPIN**2
    pull = (r**2 + _SPIN**2) * energy - _SPIN * spin
    return delta, pull, pull**2 - delta * (r**2 + (spin - _SPIN * energy) ** 2)


def _kerr_flow(*s: np.ndarray) -> tuple:
    r, theta, p, q, energy, spin = s
    delta, pull, free = _radial(r, energy, spin)
    d_delta, d_pull = 2 * r - 2, 2 * r * energy
    d_free = 2 * pull * d_pull - d_delta * (r**2 + (spin - _SPIN * energy) ** 2) - 2 * r * delta
    rate = -(d_delta * p**2) / 2 + (d_free * delta - free * d_delta) / (2 * delta**2)
    sin, cos = np.sin(theta), np.cos(theta)
    turn = cos * spin**2 / sin**3 + _SPIN**2 * (1 - energy**2) * sin * cos
    return delta * p, q, rate, turn, 0 * energy, 0 * spin


def _carter(*s: np.ndarray) -> np.ndarray:
    _, theta, _, q, energy, spin = s
    inner = _SPIN**2 * (1 - energy**2) + spin**2 / np.sin(theta) ** 2
    return q**2 + np.cos(theta) ** 2 * inner


def _turning_points(r: float, carter: float, energy: float, spin: float) -> tuple[float, float]:
    """Return between which radii a body at r moves; 0 and infinity where nothing holds it."""
    across = (_SPIN * energy - spin) ** 2 + carter
    level = energy**2 - 1
    roots = np.roots(
        [level, 2, _SPIN**2 * level - spin**2 - carter, 2 * across, -carter * _SPIN**2]
    )
    real = np.append(roots.real[np.abs(roots.imag) < 1e-9], [0, np.inf])
    return real[real <= r].max(), real[real > r].min()


def _kerr_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw bound orbits with the body's rest mass 1, which fixes p² from all else."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        r, theta, q, energy, spin = in_box(
            rng, n, (7, 12), (1.1, 2.0), (-1.5, 1.5), (0.93, 0.97), (2.6, 3.6)
        ).T
        delta, _, free = _radial(r, energy, spin)
        carter = _carter(r, theta, 0 * r, q, energy, spin)
        squared = (free - delta * carter) / delta**2
        p = signs(rng, n) * np.sqrt(np.maximum(squared, 0))
        return np.stack([r, theta, p, q, energy, spin], axis=1)

    def bound(states: np.ndarray) -> np.ndarray:
        carter = _carter(*states.T)
        ends = [
            _turning_points(r, c, energy, spin) if p else (0.0, np.inf)
            for (r, _, p, _, energy, spin), c in zip(states, carter, strict=True)
        ]
        inner, outer = np.transpose(ends)
        return (inner > 4) & (outer < 25)

    return rejection(rng, n, draw, bound)


kerr = System(
    name="kerr",
    doc="Bound orbits about a turning black hole, a = 0.73, over Mino's time; energy and axial "
    "angular momentum are columns. The rest mass, the same in all runs, is no law.",
    equations="r' = D*p, theta' = q, p' = -D_r*p**2/2 + (R/D)_r/2, "
    "q' = L**2*cos(theta)/sin(theta)**3 + a**2*(1 - E**2)*sin(theta)*cos(theta), "
    "D = r**2 - 2*r + a**2, R = ((r**2 + a**2)*E - a*L)**2 - D*(r**2 + (L - a*E)**2)",
    source="B. Carter, Phys. Rev. 174, 1559 (1968)",
    names=("r", "theta", "p", "q", "E", "L"),
    roles=("position", "angle", "momentum", "momentum", "parameter", "parameter"),
    flow=_kerr_flow,
    sample=_kerr_states,
    dt=0.05,
    laws={"Q": _carter},
    count=1,
)

register(reissner_nordstrom, kerr)
