"""Field equations with random coefficients, on a periodic grid.

Waves are cut off in Fourier space below the wave number where their products would alias (Galerkin
truncation), so that the integrals are conserved by the grid equations too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from discovery.datasets.drawn.formulas import number, time_step
from discovery.datasets.pde import field_names, waves
from discovery.datasets.system import System, kind

_POINTS = 32
_PER_PERIOD = 30
Field = np.ndarray


class Ring:
    """A ring of points: derivatives and integrals of fields (..., points).

    Parameters
    ----------
    length : float
        Of the ring.
    powers : int
        Highest number of factors in the equation: products of so many do not alias.
    """

    def __init__(self, length: float, powers: int) -> None:
        self.spacing = length / _POINTS
        modes = np.arange(_POINTS // 2 + 1)
        self._k = 2 * np.pi / length * modes
        self._keep = modes < _POINTS / (powers + 1)

    def d(self, u: Field, order: int = 1) -> Field:
        """Return a derivative of the part below the cut-off."""
        return np.fft.irfft((1j * self._k) ** order * self._keep * np.fft.rfft(u), _POINTS)

    def cut(self, u: Field) -> Field:
        """Return the part below the cut-off."""
        return np.fft.irfft(self._keep * np.fft.rfft(u), _POINTS)

    def integral(self, density: Field) -> np.ndarray:
        """Return the integral over the ring, (...)."""
        return self.spacing * density.sum(axis=-1)


def _system(
    name: str,
    ring: Ring,
    flow: Callable[[Field], Field],
    sample: Callable[[np.random.Generator, int], Field],
    laws: dict[str, Callable[[Field], np.ndarray]],
    **record: str,
) -> System:
    starts = sample(np.random.default_rng(0), 60)
    letters = "uv"[: starts.shape[1] // _POINTS]
    names = field_names(letters, _POINTS)
    return System(
        name=name,
        source="drawn at random",
        names=names,
        roles=("field",) * len(names),
        flow=flow,
        sample=sample,
        dt=time_step(flow, starts, _PER_PERIOD),
        laws=laws,
        count=len(laws),
        grid_spacing=ring.spacing,
        **record,
    )


@kind
def wave(name: str, rng: np.random.Generator) -> System:
    """Draw u_tt = c u_xx - a u - b u³ - d u⁵, where b or d may be 0: energy and momentum."""
    which = rng.integers(3)
    c, a = number(rng, 0.6, 1.6), number(rng, 0.4, 1.4)
    b = number(rng, 0.4, 1.4) if which != 1 else 0.0
    d = number(rng, 0.2, 0.8) if which != 0 else 0.0
    ring = Ring(number(rng, 9, 14), 5 if d else 3)

    def flow(state: Field) -> Field:
        u, v = np.split(state, 2, axis=-1)
        return np.concatenate([v, c * ring.d(u, 2) - ring.cut(a * u + b * u**3 + d * u**5)], -1)

    def energy(state: Field) -> np.ndarray:
        u, v = np.split(state, 2, axis=-1)
        well = a * u**2 / 2 + b * u**4 / 4 + d * u**6 / 6
        return ring.integral(v**2 / 2 + c * ring.d(u) ** 2 / 2 + well)

    def momentum(state: Field) -> np.ndarray:
        u, v = np.split(state, 2, axis=-1)
        return -ring.integral(v * ring.d(u))

    def sample(rng: np.random.Generator, n: int) -> Field:
        return np.hstack(
            [rng.uniform(-0.8, 0.8, (n, 1)) + waves(rng, n, _POINTS, 2, (0.3, 1.0)) for _ in "uv"]
        )

    return _system(
        name,
        ring,
        flow,
        sample,
        {"energy": energy, "momentum": momentum},
        doc="Nonlinear Klein-Gordon equation, random coefficients: waves on random means.",
        equations=f"u_t = v, v_t = {c}*u_xx - {a}*u - {b}*u**3 - {d}*u**5",
    )


@kind
def korteweg(name: str, rng: np.random.Generator) -> System:
    """Draw u_t = -(a u² + b u³ + c u⁴)_x - d u_xxx, c ≠ 0: mass, momentum, energy.

    With u⁴ the equation is not integrable: KdV and Gardner's equation have more laws.
    """
    a, c, d = number(rng, 0.5, 2.0), number(rng, 0.4, 1.2), number(rng, 0.5, 1.5)
    b = number(rng, 0.4, 1.2) * int(rng.integers(2))
    ring = Ring(number(rng, 16, 24), 4)

    def flow(u: Field) -> Field:
        return -ring.d(a * u**2 + b * u**3 + c * u**4) - d * ring.d(u, 3)

    def energy(u: Field) -> np.ndarray:
        well = a * u**3 / 3 + b * u**4 / 4 + c * u**5 / 5
        return ring.integral(d * ring.d(u) ** 2 / 2 - well)

    def sample(rng: np.random.Generator, n: int) -> Field:
        return rng.uniform(-0.1, 0.5, (n, 1)) + waves(rng, n, _POINTS, 3, (0.15, 0.45))

    return _system(
        name,
        ring,
        flow,
        sample,
        {"mass": ring.integral, "momentum": lambda u: ring.integral(u**2), "energy": energy},
        doc="Korteweg-de Vries equation with a quadratic to quartic flux, random coefficients.",
        equations=f"u_t + ({a}*u**2 + {b}*u**3 + {c}*u**4)_x + {d}*u_xxx = 0",
    )


@kind
def exchange(name: str, rng: np.random.Generator) -> System:
    """Draw two diffusing fields that turn into each other: the total amount."""
    slow, fast = number(rng, 0.05, 0.2), number(rng, 0.6, 1.5)
    base, peak, back = number(rng, 0.05, 0.2), number(rng, 0.6, 1.4), number(rng, 0.6, 1.4)
    ring = Ring(number(rng, 8, 12), 3)

    def flow(state: Field) -> Field:
        u, v = np.split(state, 2, axis=-1)
        turned = v * (base + peak * u**2 / (1 + u**2)) - back * u
        return np.concatenate([slow * ring.d(u, 2) + turned, fast * ring.d(v, 2) - turned], -1)

    def sample(rng: np.random.Generator, n: int) -> Field:
        return np.hstack(
            [
                rng.uniform(*mean, (n, 1)) + waves(rng, n, _POINTS, 3, (0.1, 0.25))
                for mean in ((0.7, 1.3), (1.4, 2.6))
            ]
        )

    return _system(
        name,
        ring,
        flow,
        sample,
        {"mass": ring.integral},
        doc="Two forms of a substance that diffuse and turn into each other, random rates.",
        equations=f"u_t = {slow}*u_xx + f, v_t = {fast}*v_xx - f, "
        f"f = v*({base} + {peak}*u**2/(1 + u**2)) - {back}*u",
    )
