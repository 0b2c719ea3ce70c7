"""How many laws of field equations in two and three dimensions are found.

    python benchmarks/fields_in_the_plane.py                      all, at 0, 1 and 5 % noise
    python benchmarks/fields_in_the_plane.py --only "shallow water" --noise 0.1 --formulas

40 runs × 60 samples, noise as a fraction of each field's spread. Counts are those of integrals of
the densities that are searched. CPU seconds of the finder alone. Equations are cut off in Fourier
space where their products would alias.
"""

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories

RUNS, STEPS, BATCH = 40, 60, 10


class Spectral:
    """Derivatives and cut-off on a ring of n points in each of several directions."""

    def __init__(self, n: int, length: float, axes: int, share: float) -> None:
        self._over = tuple(range(-axes, 0))
        numbers = np.meshgrid(*[np.fft.fftfreq(n, 1 / n)] * axes, indexing="ij")
        self._k = [2 * np.pi / length * k for k in numbers]
        self._keep = np.all([np.abs(k) < n * share for k in numbers], axis=0)
        self.squares = sum(k**2 for k in self._k)
        self.numbers = np.sqrt(sum(k**2 for k in numbers))

    def times(self, factor: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return the field whose spectrum is a factor times that of u, cut off."""
        spectrum = np.fft.fftn(u, axes=self._over)
        return np.fft.ifftn(factor * self._keep * spectrum, axes=self._over).real

    def cut(self, u: np.ndarray) -> np.ndarray:
        """Return the part below the cut-off."""
        return self.times(1.0, u)

    def dx(self, u: np.ndarray) -> np.ndarray:
        """Return ∂u/∂x, along the last axis."""
        return self.times(1j * self._k[-1], u)

    def dy(self, u: np.ndarray) -> np.ndarray:
        """Return ∂u/∂y, along the last axis but one."""
        return self.times(1j * self._k[-2], u)

    def laplacian(self, u: np.ndarray) -> np.ndarray:
        """Return Δu."""
        return self.times(-self.squares, u)

    def potential(self, u: np.ndarray) -> np.ndarray:
        """Return Δ⁻¹ u, without a mean."""
        return self.times(-1 / np.where(self.squares == 0, np.inf, self.squares), u)


class Field(NamedTuple):
    """How a field starts: mean and rms uniform in a range, waves up to a wave number."""

    mean: tuple[float, float]
    rms: tuple[float, float]
    waves: float = 2.3


class Equation(NamedTuple):
    """A field equation: ``flow(spectral, *fields)`` returns their rates."""

    flow: Callable
    fields: tuple[Field, ...]
    names: str
    n: int
    length: float
    dt: float
    laws: int
    share: float = 1 / 3
    axes: int = 2


def _klein_gordon(damping: float) -> Callable:
    def flow(s: Spectral, u: np.ndarray, v: np.ndarray) -> tuple:
        return v, s.laplacian(u) - 0.8 * u - s.cut(0.9 * u**3) - damping * v

    return flow


def _schroedinger(s: Spectral, u: np.ndarray, v: np.ndarray) -> tuple:
    w = u**2 + v**2
    return -s.laplacian(v) - s.cut(w * v), s.laplacian(u) + s.cut(w * u)


def _shallow_water(s: Spectral, h: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple:
    vorticity, head = s.dx(v) - s.dy(u), h + s.cut(u**2 + v**2) / 2
    return (
        -s.dx(s.cut(h * u)) - s.dy(s.cut(h * v)),
        s.cut(vorticity * v) - s.dx(head),
        -s.cut(vorticity * u) - s.dy(head),
    )


def _vorticity(s: Spectral, w: np.ndarray) -> tuple:
    psi = s.potential(w)
    return (s.cut(s.dy(psi) * s.dx(w) - s.dx(psi) * s.dy(w)),)


def _euler(s: Spectral, u: np.ndarray, v: np.ndarray) -> tuple:
    a, b = (-s.cut(u * s.dx(w) + v * s.dy(w)) for w in (u, v))
    pressure = s.potential(s.dx(a) + s.dy(b))
    return a - s.dx(pressure), b - s.dy(pressure)


def _exchange(s: Spectral, u: np.ndarray, v: np.ndarray) -> tuple:
    turned = s.cut(v * (0.1 + u**2 / (1 + u**2)) - u)
    return 0.1 * s.laplacian(u) + turned, s.laplacian(v) - turned


def _excitable(s: Spectral, u: np.ndarray, v: np.ndarray) -> tuple:
    return s.laplacian(u) + s.cut(u - u**3 / 3) - v, 0.3 * (u + 0.5 - 0.5 * v)


def _damped_vorticity(s: Spectral, w: np.ndarray) -> tuple:
    psi = s.potential(w)
    return (s.cut(s.dy(psi) * s.dx(w) - s.dx(psi) * s.dy(w)) + 0.05 * s.laplacian(w),)


_WAVES = (Field((-0.5, 0.5), (0.3, 1)), Field((-0.3, 0.3), (0.3, 1)))
_RING = 2 * np.pi
EQUATIONS = {
    # One law more than energy, momenta and the total of v: an energy of second derivatives.
    "wave": Equation(lambda s, u, v: (v, s.laplacian(u)), _WAVES, "uv", 24, _RING, 0.1, 5),
    "Klein-Gordon": Equation(_klein_gordon(0.0), _WAVES, "uv", 24, 8, 0.1, 3, 1 / 4),
    "nonlinear Schrödinger": Equation(
        _schroedinger,
        (Field((0.3, 1), (0.2, 0.5), 1.5), Field((0, 0), (0.2, 0.5), 1.5)),
        *("uv", 24, 9, 0.03, 4, 1 / 4),
    ),
    "shallow water": Equation(
        _shallow_water,
        (Field((0.9, 1.3), (0.02, 0.06), 1.5), *[Field((-0.2, 0.2), (0.05, 0.1), 1.5)] * 2),
        *("huv", 20, _RING, 0.08, 5),
    ),
    "Euler, velocities": Equation(_euler, (Field((0, 0), (0.5, 1.5)),), "uv", 24, _RING, 0.15, 4),
    "Euler, vorticity": Equation(_vorticity, (Field((0, 0), (0.5, 1.5)),), "w", 24, _RING, 0.15, 1),
    "exchange": Equation(
        _exchange,
        (Field((0.7, 1.3), (0.1, 0.25)), Field((1.4, 2.6), (0.1, 0.25))),
        *("uv", 20, 9, 0.06, 1),
    ),
    "heat in space": Equation(
        lambda s, u: (0.1 * s.laplacian(u),),
        (Field((-1, 1), (0.3, 1), 1.5),),
        *("u", 12, _RING, 0.2, 1, 1 / 2, 3),
    ),
    "damped Klein-Gordon": Equation(_klein_gordon(0.1), _WAVES, "uv", 24, 8, 0.1, 0, 1 / 4),
    "FitzHugh-Nagumo": Equation(
        _excitable,
        (Field((-1, 1), (0.3, 1)), Field((-0.5, 0.5), (0.1, 0.3))),
        *("uv", 20, 12, 0.1, 0),
    ),
    "viscous vorticity": Equation(
        _damped_vorticity, (Field((0, 0), (0.5, 1.5)),), "w", 24, _RING, 0.15, 0
    ),
}


def simulate(equation: Equation, seed: int = 0) -> Trajectories:
    """Integrate runs of an equation."""
    rng = np.random.default_rng(seed)
    s = Spectral(equation.n, equation.length, equation.axes, equation.share)
    fields = np.array([_start(rng, s, field, equation) for field in equation.fields])
    if equation.flow is _euler:
        psi = s.potential(fields[0])
        drift = rng.uniform(-0.5, 0.5, (2, RUNS) + (1,) * equation.axes)
        fields = drift + np.array([-s.dy(psi), s.dx(psi)])
    times = equation.dt * np.arange(STEPS)
    states = []
    for begin in range(0, RUNS, BATCH):
        block = fields[:, begin : begin + BATCH]
        solution = solve_ivp(
            lambda _, at, shape=block.shape: np.ravel(equation.flow(s, *at.reshape(shape))),
            (0, times[-1]),
            block.ravel(),
            method="DOP853",
            t_eval=times,
            rtol=1e-9,
            atol=1e-10,
        )
        # (steps, fields, runs, …) -> (runs, steps, fields, …)
        states.append(np.moveaxis(solution.y.T.reshape(STEPS, *block.shape), 2, 0))
    return Trajectories(
        np.concatenate(states),
        times=times,
        names=list(equation.names),
        grid_spacing=equation.length / equation.n,
    )


def _start(rng: np.random.Generator, s: Spectral, field: Field, equation: Equation) -> np.ndarray:
    chosen = (s.numbers > 0) & (s.numbers <= field.waves)
    spectrum = np.zeros((RUNS, *chosen.shape), dtype=complex)
    size = (RUNS, chosen.sum())
    spectrum[:, chosen] = rng.normal(size=size) + 1j * rng.normal(size=size)
    space = tuple(range(1, 1 + equation.axes))
    waves = np.fft.ifftn(spectrum, axes=space).real
    one = (RUNS,) + (1,) * equation.axes
    rms = rng.uniform(*field.rms, one) / waves.std(axis=space, keepdims=True)
    return rng.uniform(*field.mean, one) + rms * waves


def find(runs: Trajectories, noise: float, seed: int = 1) -> tuple[list[str], float]:
    """Return the exact laws found in noisy runs, and the CPU seconds that took."""
    rng = np.random.default_rng(seed)
    fields = [name.split("_")[0] for name in runs.names]
    spread = np.array([runs.rows[:, [g == f for g in fields]].std() for f in fields])
    rows = runs.rows + noise * spread * rng.standard_normal(runs.rows.shape)
    noisy = Trajectories.from_rows(
        rows, runs.groups, runs.row_times, runs.names, runs.roles, runs.grid_spacing
    )
    begin = time.process_time()
    finder = ConservedQuantityFinder(random_state=0).fit(noisy)
    return list(finder.get_feature_names_out()), time.process_time() - begin


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=EQUATIONS)
    parser.add_argument("--noise", nargs="+", type=float, default=[0.0, 0.01, 0.05])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formulas", action="store_true", help="print what is found")
    options = parser.parse_args()
    right = above = 0
    names = options.only or list(EQUATIONS)
    levels = ", ".join(f"{100 * noise:g}" for noise in options.noise)
    print(
        f"| equation | values | laws | found at {levels} % | CPU seconds |\n|---|---|---|---|---|"
    )
    for name in names:
        laws, runs = EQUATIONS[name].laws, simulate(EQUATIONS[name], options.seed)
        found, seconds = zip(*(find(runs, noise) for noise in options.noise), strict=True)
        counts = [len(formulas) for formulas in found]
        right += sum(count == laws for count in counts)
        above += sum(count > laws for count in counts)
        shown = ", ".join(f"{c}" if c == laws else f"**{c}**" for c in counts)
        cost = ", ".join(f"{s:.0f}" for s in seconds)
        print(f"| {name} | {runs.dim} | {laws} | {shown} | {cost} |", flush=True)
        if options.formulas:
            for formulas in found:
                print("   ", "; ".join(formulas))
    total = len(names) * len(options.noise)
    print(f"\nCounts right: {right} of {total}; above the truth: {above}.")


if __name__ == "__main__":
    main()
